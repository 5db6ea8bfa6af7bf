package desk

// Routes is the API, for the test that walks all of it.
func Routes() []route { return routes() }

// Token is a handoff's name in addresses.
var Token, ParseToken = token, parseToken

// Pages are the addresses of the page itself.
func Pages() []string { return pages }

// ParseWords reads catalogues that are written side by side.
var ParseWords = parseWords
