package vendortest

import (
	"encoding/xml"
	"fmt"
)

// element is an element of XML with what is in it.
type element struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	In      []element `xml:",any"`
}

// readXML returns a document as JSON has it: an object with the root. An element
// without others in it is its text, one that comes several times a list.
func readXML(b []byte) (any, error) {
	var root element
	if err := xml.Unmarshal(b, &root); err != nil { //nolint:musttag // the root may have any name
		return nil, fmt.Errorf("is no XML: %w", err)
	}
	return map[string]any{root.XMLName.Local: root.value()}, nil
}

func (e *element) value() any {
	if len(e.In) == 0 {
		return e.Text
	}
	out := map[string]any{}
	for i := range e.In {
		name, v := e.In[i].XMLName.Local, e.In[i].value()
		switch before := out[name].(type) {
		case nil:
			out[name] = v
		case []any:
			out[name] = append(before, v)
		default:
			out[name] = []any{before, v}
		}
	}
	return out
}
