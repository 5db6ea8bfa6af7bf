package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// screen prints two columns: the user's screen and the agents'. What happens
// on both at once stands on one line.
type screen struct {
	out    io.Writer
	colour bool

	mu   sync.Mutex
	rows []*row
	stop chan struct{}
	done chan struct{}
	err  error
}

// row is something on the left, on the right, or on both.
type row struct {
	sides [2]*cell
	until time.Time // then it is printed, even with one side empty
}

// cell is what one side sees. Two cells with the same key are one message
// that both sides see.
type cell struct {
	key   string
	name  string
	text  string
	style style
	quote bool // of what was said before
}

type style string

const (
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	blue   style = "34"
)

const (
	width = 38 // of a column
	label = 6  // of which a name takes this
	hold  = 40 * time.Millisecond
)

// colour reports whether standard output is a terminal that wants colours.
func colour() bool {
	info, err := os.Stdout.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == ""
}

func newScreen(out io.Writer, colour bool) *screen {
	return &screen{out: out, colour: colour, stop: make(chan struct{}), done: make(chan struct{})}
}

// left puts something on the user's screen; right on the agents'.
func (s *screen) left(c cell)  { s.add(0, c) }
func (s *screen) right(c cell) { s.add(1, c) }

func (s *screen) add(side int, c cell) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if other := r.sides[1-side]; c.key != "" && r.sides[side] == nil && other.key == c.key {
			r.sides[side] = &c
			return
		}
	}
	r := &row{until: time.Now().Add(hold)}
	r.sides[side] = &c
	s.rows = append(s.rows, r)
}

// start prints the heading and then what is added.
func (s *screen) start() {
	s.line(s.paint(bold, pad("WHAT DANA SEES", width)), s.paint(bold, "WHAT THE AGENTS SEE"), " │ ")
	s.line(strings.Repeat("─", width), strings.Repeat("─", width), "─┼─")
	go func() {
		defer close(s.done)
		tick := time.NewTicker(hold / 4)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.flush(time.Now())
			case <-s.stop:
				s.flush(time.Now().Add(hold))
				return
			}
		}
	}()
}

// close prints what is left.
func (s *screen) close() error {
	close(s.stop)
	<-s.done
	return s.err
}

// flush prints the rows that are complete or have waited long enough.
func (s *screen) flush(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.rows) > 0 {
		r := s.rows[0]
		if (r.sides[0] == nil || r.sides[1] == nil) && r.until.After(now) {
			return
		}
		s.rows = s.rows[1:]
		// Neighbours that nothing else belongs to share a line.
		if len(s.rows) > 0 && r.alone() && s.rows[0].alone() {
			for i, c := range s.rows[0].sides {
				if c != nil && r.sides[i] == nil {
					r.sides[i] = c
					s.rows = s.rows[1:]
					break
				}
			}
		}
		s.print(r)
	}
}

// alone reports whether a row has one side, and waits for no other.
func (r *row) alone() bool {
	for i, c := range r.sides {
		if c == nil {
			return r.sides[1-i].key == ""
		}
	}
	return false
}

func (s *screen) print(r *row) {
	var lines [2][]string
	for i, c := range r.sides {
		if c != nil {
			lines[i] = s.render(c)
		}
	}
	for i := range max(len(lines[0]), len(lines[1])) {
		var left, right string
		if i < len(lines[0]) {
			left = lines[0][i]
		}
		if i < len(lines[1]) {
			right = lines[1][i]
		}
		s.line(cmp.Or(left, strings.Repeat(" ", width)), right, " │ ")
	}
}

func (s *screen) line(left, right, between string) {
	if _, err := fmt.Fprintln(s.out, strings.TrimRight(left+between+right, " ")); err != nil && s.err == nil {
		s.err = err
	}
}

// render wraps a cell into lines of one width.
func (s *screen) render(c *cell) []string {
	bar := ""
	if c.quote {
		bar = "▏"
	}
	indent := label + 1
	if c.name == "" && !c.quote {
		indent = 2
	}
	var lines []string
	start := pad(bar+c.name, indent)
	for _, text := range wrap(c.text, width-indent) {
		lines = append(lines, s.paint(c.style, pad(start+text, width)))
		start = pad(bar, indent)
	}
	return lines
}

func (s *screen) paint(st style, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(text)))
}

// wrap breaks a text at spaces.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > n {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
