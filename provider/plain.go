package provider

import (
	"html"
	"strings"
)

// Plain returns what somebody reads who reads a text of HTML: for platforms
// whose agents write HTML by nature. Paragraphs and breaks become lines, what
// is no tag stays as it is, and scripts, styles and comments are left out. The
// result is text: nothing in it is markup any more, whatever it looks like.
func Plain(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			i = len(s)
		}
		b.WriteString(html.UnescapeString(s[:i]))
		s = s[i:]
		if s == "" {
			break
		}
		name, rest, ok := tag(s)
		if !ok {
			b.WriteByte('<')
			s = s[1:]
			continue
		}
		s = rest
		switch name {
		case "br", "/p", "/div", "/li", "/tr", "/h1", "/h2", "/h3", "/blockquote", "/pre":
			b.WriteByte('\n')
		case "li":
			b.WriteString("- ")
		case "script", "style":
			if i := indexFold(s, "</"+name); i >= 0 {
				s = s[i:]
			} else {
				s = ""
			}
		}
	}
	return strings.Trim(b.String(), "\n")
}

// HTML is the inverse: a text as HTML that reads the same.
func HTML(text string) string {
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>")
}

// tag reads a tag or a comment at the start of s.
func tag(s string) (name, rest string, ok bool) {
	if strings.HasPrefix(s, "<!--") {
		if _, after, ok := strings.Cut(s, "-->"); ok {
			return "", after, true
		}
		return "", "", true
	}
	i := 1
	if i < len(s) && s[i] == '/' {
		i++
	}
	start := i
	for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' || i > start && s[i] >= '0' && s[i] <= '9') {
		i++
	}
	if i == start {
		return "", s, false
	}
	name = strings.ToLower(s[1:i])
	quote := byte(0)
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return name, s[i+1:], true
		}
	}
	return "", s, false
}

func indexFold(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i] == '<' && strings.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}
