package history

import (
	"bufio"
	"encoding/csv"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/seed-2a427302/handoff"
)

// sheet writes CSV: a row for each entry, or for each handoff.
type sheet struct {
	w        *csv.Writer
	audience Audience
	columns  []string
	table    bool
}

func newSheet(b *bufio.Writer, a Audience) *sheet {
	s := &sheet{w: csv.NewWriter(b), audience: a}
	s.w.UseCRLF = true // as RFC 4180 has it
	if a == User {
		s.columns = []string{"number", "time", "role", "name", "text", "files"}
	} else {
		s.columns = []string{"conversation", "number", "seq", "time", "kind", "role", "id", "name", "text", "files", "withheld"}
	}
	return s
}

func newTable(b *bufio.Writer) *sheet {
	s := &sheet{w: csv.NewWriter(b), table: true}
	s.w.UseCRLF = true
	s.columns = []string{
		"conversation", "number", "state", "outcome", "class", "queue", "agent", "agent_name", "provider", "user", "user_name", "reason", "tags", "language", "channel",
		"missed", "created", "enqueued", "ended", "bot_s", "intake_s", "wait_s", "first_wait_s", "first_reply_s", "human_s", "held_s", "wrapup_s",
		"transfers", "requeues", "rating", "closing", "left_message", "answers",
	}
	return s
}

func (s *sheet) begin() error { return s.w.Write(s.columns) }

func (s *sheet) handoff(h *handoff.Handoff) error {
	if !s.table {
		return nil
	}
	user, name, rating := "", "", ""
	if h.User != nil {
		user, name = h.User.ID, h.User.Name
	}
	if h.Rating != nil {
		rating = strconv.Itoa(h.Rating.Score)
	}
	t := &h.Stretch
	return s.row(
		h.ID.Conversation, number(h.ID.Number), string(h.State), string(h.Outcome), string(ClassOf(h)), h.Need.Queue, agentOf(h), h.AgentName, h.Provider,
		user, name, string(h.Reason), strings.Join(h.Tags, "; "), h.Language, h.Channel,
		string(h.Missed), moment(h.Created), moment(h.Enqueued), moment(h.Ended), seconds(t.Bot), seconds(t.Intake), seconds(t.Wait), seconds(t.FirstWait),
		seconds(t.FirstReply), seconds(t.Human), seconds(t.Held), seconds(t.Wrapup), strconv.Itoa(t.Transfers), strconv.Itoa(t.Requeues),
		rating, h.Closing, strconv.FormatBool(h.LeftMessage), answers(h),
	)
}

func (s *sheet) entry(en *handoff.Entry) error {
	from := who(en, s.audience)
	names := make([]string, len(en.Files))
	for i := range en.Files {
		names[i] = strings.TrimSpace(en.Files[i].Name + " " + en.Files[i].URL)
	}
	files := strings.Join(names, "\n")
	if s.audience == User {
		return s.row(number(en.Handoff.Number), moment(en.At), string(from.Role), from.Name, en.Text, files)
	}
	text := en.Words()
	if !en.IsSaid() {
		text = event(en)
	}
	return s.row(en.Handoff.Conversation, number(en.Handoff.Number), number(en.Seq), moment(en.At), string(en.Kind),
		string(from.Role), from.ID, from.Name, text, files, strconv.FormatBool(en.Withheld))
}

func (s *sheet) end(*handoff.Handoff) error {
	s.w.Flush()
	return s.w.Error()
}

func (s *sheet) close() error {
	s.w.Flush()
	return s.w.Error()
}

func (s *sheet) row(cells ...string) error {
	for i := range cells {
		cells[i] = cell(cells[i])
	}
	return s.w.Write(cells)
}

// cell makes a text safe to be opened with a spreadsheet, which takes for a
// formula what begins like one. An apostrophe keeps it text.
func cell(s string) string {
	s = lined(s)
	begin := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	if begin == "" && s == "" {
		return s
	}
	if begin != s || strings.ContainsAny(begin[:min(len(begin), 1)], "=+-@|%'") || strings.HasPrefix(begin, "＝") ||
		strings.HasPrefix(begin, "＋") || strings.HasPrefix(begin, "－") || strings.HasPrefix(begin, "＠") {
		return "'" + s
	}
	return s
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// seconds keeps milliseconds and no more digits than needed.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Milliseconds())/1000, 'f', -1, 64)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
