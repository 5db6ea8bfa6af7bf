package notices

// plural returns the category of a whole number in a language, by the rules of
// the Unicode CLDR. A language that is not here has one and other.
func plural(lang string, n int) string {
	ten, hundred := n%10, n%100
	switch lang {
	case "ja", "zh", "ko", "th", "vi", "id", "ms":
		return "other"
	case "fr", "pt", "hy":
		if n <= 1 {
			return "one"
		}
	case "ru", "uk", "be":
		switch {
		case ten == 1 && hundred != 11:
			return "one"
		case ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14):
			return "few"
		}
		return "many"
	case "pl":
		switch {
		case n == 1:
			return "one"
		case ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14):
			return "few"
		}
		return "many"
	case "cs", "sk":
		switch {
		case n == 1:
			return "one"
		case n >= 2 && n <= 4:
			return "few"
		}
	case "ar":
		switch {
		case n == 0:
			return "zero"
		case n == 1:
			return "one"
		case n == 2:
			return "two"
		case hundred >= 3 && hundred <= 10:
			return "few"
		case hundred >= 11:
			return "many"
		}
	case "he":
		switch n {
		case 1:
			return "one"
		case 2:
			return "two"
		}
	default:
		if n == 1 {
			return "one"
		}
	}
	return "other"
}
