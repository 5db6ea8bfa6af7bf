package provider_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/provider"
)

type thing struct {
	XMLName xml.Name
	Text    string  `xml:"text"`
	Any     []thing `xml:",any"`
}

func TestDecodeXML(t *testing.T) {
	var v thing
	require.NoError(t, provider.DecodeXML([]byte(`<?xml version="1.0" encoding="UTF-8"?><!-- c --><a><b><text>1 &lt; 2</text></b></a>`), &v))
	assert.Equal(t, "1 < 2", v.Any[0].Text)
	nested := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	require.NoError(t, provider.DecodeXML([]byte(nested(provider.MaxDepth)), &v))
	const canary = "CANARY-in-a-body"
	for what, body := range map[string]string{
		"empty": "", "text": canary, "JSON": `{"x":"` + canary + `"}`, "HTML": "<!DOCTYPE html><html><body>" + canary + "<br></body></html>",
		"two roots": "<a></a><b>" + canary + "</b>", "cut": "<a><text>" + canary,
		"other end": "<a>" + canary + "</b>", "deep": nested(provider.MaxDepth + 1), "deeper": nested(100_000),
		"bomb": `<!DOCTYPE a [<!ENTITY x "` + canary + `"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><a><text>&y;</text></a>`,
		"file": `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><text>&x;` + canary + `</text></a>`, "entity": "<a>&" + canary + ";</a>",
		"encoding": `<?xml version="1.0" encoding="UTF-16"?><a>` + canary + `</a>`, "no UTF-8": "<a>\xff" + canary + "</a>", "NUL": "<a>\x00" + canary + "</a>",
	} {
		err := provider.DecodeXML([]byte(body), &thing{})
		require.Error(t, err, what)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), canary, what)
	}
}

func TestXMLText(t *testing.T) {
	assert.Equal(t, "a\tb\r\nc 👩 \uFFFD<&", provider.XMLText("a\tb\r\nc 👩\x00\x0b\x1f \xff<&\ufffe\uffff"))
}
