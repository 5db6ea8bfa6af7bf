package provider

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// errXML is all that is told about an answer: what decoders say quotes it.
var errXML = errors.New("the answer is not the XML that it should be")

// DecodeXML decodes an answer in XML. Before it decodes anything it refuses what
// is nested deeper than [MaxDepth], has a document type, and so entities of its
// own, a second root, or another encoding than UTF-8.
func DecodeXML(body []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for depth, roots := 0, 0; ; {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errXML
		}
		switch token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth++; depth > MaxDepth || roots > 1 {
				return errXML
			}
		case xml.EndElement:
			if depth--; depth < 0 {
				return errXML
			}
		case xml.Directive:
			return errXML
		}
	}
	if xml.Unmarshal(body, v) != nil {
		return errXML
	}
	return nil
}

// XMLText makes a text one that XML 1.0 can hold: valid UTF-8, without the
// characters that it has no form for. Quoting is left to encoding/xml.
func XMLText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD, r >= 0x10000 && r <= utf8.MaxRune:
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
