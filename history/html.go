package history

import (
	"bufio"
	"html"
	"net/url"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// page writes one page of HTML. Everything that comes from outside is written
// by text or by attr, and nothing else is.
type page struct {
	b   *bufio.Writer
	x   *Export
	loc *time.Location
}

// The page has no scripts, loads nothing, and forbids both.
const pageHead = `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
`

const pageStyle = `<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 46em; padding: 0 1em; color: #1b1f24; background: #fff }
h2 { font-size: 1em; margin: 2em 0 .5em; border-bottom: 1px solid #ccd; padding-bottom: .3em }
dl { margin: 0 } dt { color: #57606a; font-size: .87em; margin-top: .7em } dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
.note dd, .whisper dd { background: #fff8c5; padding: .2em .4em } .notice dd, .event dd { color: #57606a; font-style: italic }
</style>
`

func (p *page) begin() error {
	title := p.x.Title
	if title == "" {
		title = "Transcripts"
	}
	p.raw(pageHead + "<title>")
	p.text(oneLine(title))
	p.raw("</title>\n" + pageStyle + "</head>\n<body>\n<h1>")
	p.text(oneLine(title))
	p.raw("</h1>\n")
	return p.err()
}

func (p *page) raw(s string)  { _, _ = p.b.WriteString(s) }
func (p *page) text(s string) { p.raw(html.EscapeString(s)) }

// attr writes a value between the double quotes of an attribute.
func (p *page) attr(s string) { p.raw(html.EscapeString(oneLine(s))) }

// err returns what went wrong while writing: a bufio.Writer keeps it.
func (p *page) err() error {
	_, err := p.b.Write(nil)
	return err
}

func (p *page) handoff(h *handoff.Handoff) error {
	p.raw("<section>\n<h2>")
	p.text(heading(h, p.x.Audience, p.loc))
	p.raw("</h2>\n")
	if given := answers(h); given != "" && p.x.Audience == Staff {
		p.raw(`<p class="event" dir="auto">form `)
		p.text(oneLine(given))
		p.raw("</p>\n")
	}
	p.raw("<dl>\n")
	return p.err()
}

func (p *page) entry(en *handoff.Entry) error {
	class := "event"
	if en.IsSaid() {
		class = string(en.Kind)
	}
	p.raw(`<div class="`)
	p.attr(class)
	p.raw(`"><dt><time datetime="`)
	p.attr(en.At.UTC().Format(time.RFC3339))
	p.raw(`">`)
	p.text(en.At.In(p.loc).Format("15:04:05"))
	p.raw("</time> <bdi>")
	p.text(oneLine(speaker(en, p.x.Audience)))
	p.raw(`</bdi></dt><dd dir="auto">`)
	if en.IsSaid() {
		p.text(lined(en.Words()))
	} else {
		p.text(oneLine(event(en)))
	}
	for i := range en.Files {
		p.file(&en.Files[i])
	}
	p.raw("</dd></div>\n")
	return p.err()
}

// file writes a link, or the name alone where the address is not one of the
// web.
func (p *page) file(f *handoff.File) {
	name := oneLine(f.Name)
	if name == "" {
		name = "file"
	}
	p.raw("\n")
	u, err := url.Parse(f.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		p.raw("<bdi>")
		p.text("[" + name + "]")
		p.raw("</bdi>")
		return
	}
	p.raw(`<a rel="noopener noreferrer nofollow" href="`)
	p.attr(u.String())
	p.raw(`"><bdi>`)
	p.text(name)
	p.raw("</bdi></a>")
}

func (p *page) end(*handoff.Handoff) error {
	p.raw("</dl>\n</section>\n")
	return p.err()
}

func (p *page) close() error {
	p.raw("</body>\n</html>\n")
	return p.err()
}

// speaker names who wrote an entry.
func speaker(en *handoff.Entry, a Audience) string {
	p := who(en, a)
	name := string(p.Role)
	switch {
	case p.Name != "":
		name += " " + p.Name
	case p.ID != "":
		name += " " + p.ID
	}
	if en.IsSaid() && en.Kind != handoff.KindMessage && en.Kind != handoff.KindNotice {
		name += " (" + strings.ReplaceAll(string(en.Kind), "_", " ") + ")"
	}
	return name
}
