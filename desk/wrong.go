package desk

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/seed-2a427302/handoff"
)

// A wrong is a field that cannot be accepted. Why is English; pages say it by
// its code in the reader's language, where it has one.
type wrong struct {
	Field string `json:"field"`
	Why   string `json:"why"`
	Code  string `json:"code,omitempty"`
	N     int    `json:"n,omitempty"` // the limit that Why names
}

// reasons are what the forms of the pages are refused for, by a part of how it
// is said; the first that fits counts. Each code has words in the catalogues
// ("wrong."). What is not here is said in English.
var reasons = [...]struct{ part, code string }{
	{"is empty, too long", "name"},
	{"has a space, slash", "name"},
	{"is no name", "name"},
	{"without a name", "name"},
	{"overlong or broken", "name"},
	{"or longer than", "name"},
	{"is empty", "required"},
	{"is required", "required"},
	{"longer than", "long"},
	{"too long", "long"},
	{"days before", "days"},
	{"more than", "toomany"},
	{"at most", "toomany"},
	{"control character", "characters"},
	{"NUL", "characters"},
	{"UTF-8", "characters"},
	{"queue of this Config", "missing"},
	{"is not a queue", "missing"},
	{"has one that does not exist", "missing"},
	{"nobody in the directory", "missing"},
	{"span ", "span"},
	{"overlap", "overlap"},
	{`" too`, "twice"},
	{"twice", "twice"},
	{"not a date", "date"},
	{"not a weekday", "weekday"},
	{"never open", "never"},
	{"not a known name", "zone"},
	{"is not known", "zone"},
	{"a { without", "placeholder"},
	{"placeholder", "placeholder"},
	{"no address", "address"},
	{"does nothing", "nothing"},
	{"nothing sets it off", "unset"},
	{"exactly one field", "nothing"},
	{"goes nowhere", "missing"},
	{"not one of the", "choice"},
	{"phone number", "phone"},
	{"is negative", "range"},
	{"below", "range"},
	{"not between", "range"},
	{"not from", "range"},
	{"has it already", "twice"},
	{"needs a Secret", "secret"},
}

// coded gives a reason its code.
func (w wrong) coded() wrong {
	for _, r := range reasons {
		if !strings.Contains(w.Why, r.part) {
			continue
		}
		w.Code = r.code
		if r.code == "long" || r.code == "toomany" || r.code == "days" {
			digits := strings.FieldsFunc(w.Why, func(c rune) bool { return !unicode.IsDigit(c) })
			if len(digits) > 0 {
				w.N, _ = strconv.Atoi(digits[len(digits)-1]) // it has digits only
			}
		}
		break
	}
	return w
}

// wrongs returns every *handoff.InvalidError that was joined into err.
func wrongs(err error) []wrong {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case *handoff.InvalidError:
		return []wrong{{Field: e.Field, Why: e.Why}}
	case interface{ Unwrap() []error }:
		var out []wrong
		for _, x := range e.Unwrap() {
			out = append(out, wrongs(x)...)
		}
		return out
	case interface{ Unwrap() error }:
		return wrongs(e.Unwrap())
	}
	return nil
}
