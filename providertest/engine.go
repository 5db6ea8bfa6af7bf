package providertest

import "testing"

type engineCase struct{ name string }

func (c engineCase) run(*testing.T, func(*testing.T) Harness) {}
func engineCases() []engineCase                               { return nil }
