package history

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

// An Export writes transcripts. The zero value writes everything, as text, for
// staff.
type Export struct {
	Filter   Filter
	Format   Format
	Audience Audience

	// Events adds what happened (offered, joined, held …) to what was said.
	// Staff only.
	Events bool

	Location *time.Location // of times for people; nil: UTC
	Title    string         // of an HTML page; empty: "Transcripts"

	After string // a cursor of an earlier export: go on behind it
	Limit int    // handoffs; 0: all

	// Done is called after each handoff was written. An error ends the export.
	Done func(Progress) error
}

// A Format is how an export looks.
type Format string

// The formats.
const (
	// Text is for people: a line for each message.
	Text Format = ""

	// JSONLines is for programs: a line for each handoff ("type":"handoff"),
	// for each of its entries in the order of its log ("entry"), and one that
	// says that it is complete, with the cursor behind it ("end"). Memory does
	// not grow with the length of a log. For the user the lines are
	// "conversation", "message" and "end".
	JSONLines Format = "jsonl"

	// HTML is one page without scripts. Whatever was said is text in it.
	HTML Format = "html"

	// CSV has a header and a row for each message.
	CSV Format = "csv"

	// Table is CSV with a row for each handoff in place of its messages.
	// Staff only.
	Table Format = "table"
)

// An Audience is for whom an export is.
type Audience string

// The audiences.
const (
	Staff Audience = "" // everything, notes included
	User  Audience = "user"
)

// Progress tells how far an export has got.
type Progress struct {
	Handoffs int
	Entries  int
	Withheld int    // entries whose content the host's Redactor withheld or failed on
	Cursor   string // behind the last handoff: Export.After goes on there
	More     bool   // Limit was reached and there may be more
}

// A writer writes one format.
type writer interface {
	begin() error
	handoff(h *handoff.Handoff) error
	entry(en *handoff.Entry) error
	end(h *handoff.Handoff) error
	close() error
}

// Write writes every handoff that x selects, oldest first, to w. When it fails,
// Progress.Cursor is behind the last handoff that was written whole; of the one
// after it a part may have been written.
//
// Content passes the engine's Config.Redact first. What that fails on is
// written as withheld.
func (x Export) Write(ctx context.Context, w io.Writer, e *handoff.Engine) (Progress, error) {
	p := Progress{Cursor: x.After}
	if err := x.check(); err != nil {
		return p, err
	}
	b := bufio.NewWriterSize(w, 64<<10)
	out := x.writer(b)
	err := x.run(ctx, e, out, b, &p)
	if err == nil {
		err = out.close()
	}
	return p, errors.Join(err, b.Flush())
}

func (x *Export) check() error {
	bad := func(field, why string) error { return &handoff.InvalidError{Field: "Export." + field, Why: why} }
	switch x.Format {
	case Text, JSONLines, HTML, CSV, Table:
	default:
		return bad("Format", "is unknown")
	}
	switch {
	case x.Audience != Staff && x.Audience != User:
		return bad("Audience", "is unknown")
	case x.Audience == User && (x.Events || x.Format == Table):
		return bad("Audience", "must be staff to see what happened inside")
	case x.Limit < 0:
		return bad("Limit", "is negative")
	}
	return nil
}

func (x *Export) writer(b *bufio.Writer) writer {
	loc := x.Location
	if loc == nil {
		loc = time.UTC
	}
	switch x.Format {
	case JSONLines:
		return newLines(b, x.Audience)
	case HTML:
		return &page{b: b, x: x, loc: loc}
	case CSV:
		return newSheet(b, x.Audience)
	case Table:
		return newTable(b)
	default:
		return &plain{b: b, x: x, loc: loc}
	}
}

func (x *Export) run(ctx context.Context, e *handoff.Engine, out writer, b *bufio.Writer, p *Progress) error {
	if err := out.begin(); err != nil {
		return err
	}
	for h, err := range All(ctx, e, x.Filter, x.After) {
		if err != nil {
			return err
		}
		if x.Limit > 0 && p.Handoffs == x.Limit {
			p.More = true
			return nil
		}
		if err := x.one(ctx, e, out, &h, p); err != nil {
			return err
		}
		// Progress is what was written, not what waits to be.
		if err := b.Flush(); err != nil {
			return err
		}
		p.Handoffs, p.Cursor = p.Handoffs+1, After(&h)
		if x.Done != nil {
			if err := x.Done(*p); err != nil {
				return err
			}
		}
	}
	return nil
}

// forPeople reports whether people read what is written, rather than programs.
func (x *Export) forPeople() bool { return x.Format == Text || x.Format == HTML }

// unspoken are events of the engine's books, which mean nothing to who reads a
// conversation.
var unspoken = map[handoff.Kind]bool{
	handoff.KindOpened: true, handoff.KindCarried: true, handoff.KindImported: true, handoff.KindDone: true, handoff.KindCalled: true,
	handoff.KindTimer: true, handoff.KindNext: true, handoff.KindAttempt: true, handoff.KindBound: true,
}

// one writes a handoff and its log.
func (x *Export) one(ctx context.Context, e *handoff.Engine, out writer, h *handoff.Handoff, p *Progress) error {
	shown, _ := e.Redacted(ctx, handoff.ToExport, *h, nil)
	if err := out.handoff(&shown); err != nil {
		return err
	}
	write := func(en *handoff.Entry) error {
		p.Entries++
		if en.Withheld {
			p.Withheld++
		}
		return out.entry(en)
	}
	var script []handoff.Entry
	ended := false
	for after := int64(0); x.Format != Table; {
		page, err := e.Log(ctx, h.ID, after, 100)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].Seq
		page = slices.DeleteFunc(page, func(en handoff.Entry) bool {
			again := en.Kind == handoff.KindEnded && ended // when the wrap-up was done
			ended = ended || en.Kind == handoff.KindEnded
			return !x.wants(&en) || x.forPeople() && (again || unspoken[en.Kind])
		})
		_, page = e.Redacted(ctx, handoff.ToExport, *h, page)
		if x.Format != JSONLines {
			script = append(script, page...)
			continue
		}
		for i := range page {
			if err := write(&page[i]); err != nil {
				return err
			}
		}
	}
	slices.SortStableFunc(script, func(a, b handoff.Entry) int { return a.At.Compare(b.At) })
	for i := range script {
		if err := write(&script[i]); err != nil {
			return err
		}
	}
	return out.end(&shown)
}

func (x *Export) wants(en *handoff.Entry) bool {
	switch {
	case x.Audience == User:
		return en.ForUser()
	case x.Events:
		return en.Kind != handoff.KindTimer
	}
	return en.IsSaid()
}

// who returns who said something, as the audience may see him: the user knows
// agents by the name they show.
func who(en *handoff.Entry, a Audience) handoff.Party {
	p := en.From
	if a == User {
		if p.Role == handoff.RoleSupervisor {
			p.Role = handoff.RoleAgent
		}
		p.ID = ""
	}
	return p
}
