package main

import (
	"fmt"
	"io"
	"sort"

	"github.com/seed-2a427302/handoff/trigger"
)

// tally counts outcomes of one question over one set of messages.
type tally struct {
	tp, fp, fn, neg int
}

func (t tally) precision() float64 { return ratio(t.tp, t.tp+t.fp) }
func (t tally) recall() float64    { return ratio(t.tp, t.tp+t.fn) }
func (t tally) f1() float64        { return ratio(2*t.tp, 2*t.tp+t.fp+t.fn) }
func (t tally) perMille() float64  { return 1000 * ratio(t.fp, t.neg) }
func (t *tally) add(o tally) {
	t.tp, t.fp, t.fn, t.neg = t.tp+o.tp, t.fp+o.fp, t.fn+o.fn, t.neg+o.neg
}

func (t *tally) count(want, got bool) {
	switch {
	case want && got:
		t.tp++
	case want:
		t.fn++
	case got:
		t.fp++
	}
	if !want {
		t.neg++
	}
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// row is one source in one language.
type row struct {
	source, lang string
	request      tally
	frustration  tally
	packed       bool // the language has a pack
}

// result is everything that was measured on the data.
type result struct {
	rows      []row
	positives int // request signals that stood
	badSpans  int // of those, spans that are empty or outside the text, or that have no rule
	noPack    int // messages without a pack
	noPackSay int // of those, how many said so
}

// fires reports whether the default policy would at least offer a human for
// this message alone because of an explicit request.
const fires = 0.5

// evaluate runs the rules over every message. If wrong is not nil, messages
// that were judged wrongly are written there, for a person to read.
func evaluate(eng *trigger.Engine, sources []source, wrong io.Writer) result {
	packed := map[string]bool{}
	for _, l := range trigger.Languages() {
		packed[l] = true
	}
	var res result
	index := map[string]int{}
	var buf [16]trigger.Signal
	for _, src := range sources {
		for _, m := range src.messages {
			key := src.name + "\x00" + m.lang
			i, ok := index[key]
			if !ok {
				i = len(res.rows)
				index[key] = i
				res.rows = append(res.rows, row{source: src.name, lang: m.lang, packed: packed[m.lang]})
			}
			r := &res.rows[i]
			var human, frustrated, said bool
			var rule string
			for _, s := range eng.Read(buf[:0], m.text, m.lang) {
				if s.Guard == trigger.WhyNoPack {
					said = true
				}
				if s.Guard != "" {
					if rule == "" {
						rule = s.Evidence.Rule + " taken back by " + s.Guard
					}
					continue
				}
				res.positives++
				if e := s.Evidence; e.Rule == "" || e.Start < 0 || e.End <= e.Start || e.End > len(m.text) {
					res.badSpans++
				}
				switch s.Reason {
				case trigger.ReasonUserRequest:
					human = human || s.Score >= fires
					rule = fmt.Sprintf("%s %q", s.Evidence.Rule, m.text[s.Evidence.Start:s.Evidence.End])
				case trigger.ReasonFrustration:
					frustrated = true
				default: // not scored here
				}
			}
			if !r.packed {
				res.noPack++
				if said {
					res.noPackSay++
				}
			}
			r.request.count(m.label == labelHuman, human)
			r.frustration.count(m.label == labelFrustration, frustrated)
			if wrong != nil && human != (m.label == labelHuman) {
				kind := "missed"
				if human {
					kind = "false "
				}
				fmt.Fprintf(wrong, "%s %s/%s: %s  [%s]\n", kind, src.name, m.lang, m.text, rule)
			}
		}
	}
	sort.SliceStable(res.rows, func(i, j int) bool { return res.rows[i].lang < res.rows[j].lang })
	return res
}

// request sums what was measured in one language.
func (r result) request(lang string) tally {
	var t tally
	for _, x := range r.rows {
		if x.lang == lang {
			t.add(x.request)
		}
	}
	return t
}

func (r result) table(w io.Writer) {
	fmt.Fprintf(w, "%-22s %-4s %6s %6s | %5s %5s %5s %4s %9s | %6s %5s %5s\n",
		"source", "lang", "asks", "other", "P", "R", "F1", "fp", "fp/1000", "upset", "P", "R")
	for _, x := range r.rows {
		q, f := x.request, x.frustration
		fmt.Fprintf(w, "%-22s %-4s %6d %6d | %s %s %s %4d %9.2f | %6d %s %s\n",
			x.source, x.lang, q.tp+q.fn, q.neg, cell(q.precision(), q.tp+q.fp), cell(q.recall(), q.tp+q.fn),
			cell(q.f1(), q.tp+q.fn), q.fp, q.perMille(), f.tp+f.fn, cell(f.precision(), f.tp+f.fp), cell(f.recall(), f.tp+f.fn))
	}
}

// cell prints a ratio, or a dash where there is nothing to divide.
func cell(v float64, n int) string {
	if n == 0 {
		return "    -"
	}
	return fmt.Sprintf("%5.3f", v)
}
