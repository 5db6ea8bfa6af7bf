package vendortest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-2a427302/handoff/provider"
)

// hostileCanary is in every hostile answer, and must be in no error.
const hostileCanary = "CANARY-in-an-answer"

// hostileXML are answers that no platform means. inner is an element of a genuine
// one; root is around it.
func hostileXML(root, inner string) map[string]string {
	in := func(s string) string { return "<" + root + ">" + s + "</" + root + ">" }
	deep := strings.Repeat("<"+inner+">", 10_000) + hostileCanary + strings.Repeat("</"+inner+">", 10_000)
	var bomb strings.Builder
	bomb.WriteString(`<!DOCTYPE x [<!ENTITY a0 "` + hostileCanary + `">`)
	for i := range 9 {
		fmt.Fprintf(&bomb, `<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	one := func(body string) string { return "<" + inner + "><id>1</id><body>" + body + "</body></" + inner + ">" }
	return map[string]string{
		"deep": in(deep), "somewhat deep": in(strings.Repeat("<"+inner+">", provider.MaxDepth) + strings.Repeat("</"+inner+">", provider.MaxDepth)),
		"entities":       bomb.String() + "]>" + in(one("&a9;")),
		"a file":         `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>` + in(one("&f;"+hostileCanary)),
		"a list outside": `<!DOCTYPE x SYSTEM "https://evil.example/x.dtd">` + in(one(hostileCanary)),
		"cut":            "<" + root + "><" + inner + "><id>1</id><body>" + hostileCanary, "another root": "<x>" + in(hostileCanary) + "</x>",
		"two roots": in(one("x")) + in(one(hostileCanary)), "an end too many": in(one(hostileCanary)) + "</x>", "an entity of nobody": in(one("&" + hostileCanary + ";")),
		"a web page": "<!DOCTYPE html><html><head><title>" + hostileCanary + "</title></head><body>Please sign in.<br></body></html>",
		"JSON":       `{"` + root + `":{"` + inner + `":{"id":1,"body":"` + hostileCanary + `"}}}`, "text": hostileCanary,
		"NUL":              "<" + root + ">\x00" + hostileCanary + "</" + root + ">",
		"another encoding": `<?xml version="1.0" encoding="UTF-16"?>` + in(hostileCanary),
		"no UTF-8":         in(one("\xff\xfe" + hostileCanary)),
		"long":             in("<" + inner + "><id>1</id><body>" + strings.Repeat(hostileCanary, 1<<16) + "</" + inner + ">"),
	}
}

// CheckHostileXML proves that answers in XML which no platform means are refused,
// without events and without a word of what was in them. root and inner are the
// names of a genuine answer's root and of an element in it.
func CheckHostileXML(t *testing.T, read Reading, root, inner string) {
	t.Helper()
	for what, body := range hostileXML(root, inner) {
		events, err := read([]byte(body))
		if err == nil || len(events) > 0 {
			t.Errorf("%s: there are %d events and the error %v", what, len(events), err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), hostileCanary) {
			t.Errorf("%s: the error says what was in it", what)
		}
	}
}
