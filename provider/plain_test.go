package provider_test

import (
	"strings"
	"testing"

	"github.com/seed-2a427302/handoff/provider"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"no markup":                         "no markup",
		"<p>Hi <b>you</b></p><p>there</p>":  "Hi you\nthere",
		"a<br>b<br/>c":                      "a\nb\nc",
		"&lt;b&gt; &amp; &#39;":             "<b> & '",
		"1 < 2 and 3 > 2":                   "1 < 2 and 3 > 2",
		"<a href='x>y'>link</a>":            "link",
		"a<!-- <b> -->b":                    "ab",
		"a<!-- never closed":                "a",
		"x<script>alert(1)</SCRIPT>y":       "xy",
		"x<style>never closed":              "x",
		"<ul><li>one</li><li>two</li></ul>": "- one\n- two",
		"<b never closed":                   "<b never closed",
		"<":                                 "<",
		"</>":                               "</>",
	} {
		if got := provider.Plain(in); got != want {
			t.Errorf("Plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"<p>x</p>", "a<b", "<!--", "<script", "&lt;&#x0;", "é<br>\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_ = provider.Plain(s)
		text := strings.Trim(strings.NewReplacer("\r", "", "\x00", "").Replace(strings.ToValidUTF8(s, "")), "\n")
		if got := provider.Plain(provider.HTML(text)); got != text {
			t.Errorf("Plain(HTML(%q)) = %q", text, got)
		}
	})
}
