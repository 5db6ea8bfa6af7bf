package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
)

// tb is what a check needs of a *testing.T, so that the suite itself can be
// tested with stores that must fail.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
	Skipf(format string, args ...any)
	Context() context.Context
}

// A check proves one rule, or a few that belong together.
type check struct {
	name string
	rule string // what a failure quotes until the check names another one
	run  func(k *kit)
}

// A kit is what a check works with: an empty store and the rule in question.
type kit struct {
	tb

	ctx   context.Context //nolint:containedctx // a kit lives as long as its check
	store handoff.Store
	now   time.Time // when the check began, in milliseconds
	rule  string
}

func newKit(t tb, s handoff.Store, rule string) *kit {
	return &kit{tb: t, ctx: t.Context(), store: s, now: time.Now().UTC().Truncate(time.Millisecond), rule: rule}
}

// says names the rule that the following steps prove.
func (k *kit) says(rule string) { k.rule = rule }

// errorf reports that the rule was broken.
func (k *kit) errorf(format string, args ...any) {
	k.Helper()
	k.Errorf("%s\n\tbroken rule: %s", fmt.Sprintf(format, args...), k.rule)
}

// fatalf reports that the rule was broken and ends the check.
func (k *kit) fatalf(format string, args ...any) {
	k.Helper()
	k.errorf(format, args...)
	k.FailNow()
}

// okf ends the check if err is not nil.
func (k *kit) okf(err error, format string, args ...any) {
	k.Helper()
	if err != nil {
		k.fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}

// wantf ends the check if err is not target.
func (k *kit) wantf(err, target error, format string, args ...any) {
	k.Helper()
	if !errors.Is(err, target) {
		k.fatalf("%s: got error %q, want %q", fmt.Sprintf(format, args...), fmt.Sprint(err), target)
	}
}

// heldf ends the check if err is not a *HeldError about key that names only
// those who hold it.
func (k *kit) heldf(err error, key string, format string, args ...any) {
	k.Helper()
	what := fmt.Sprintf(format, args...)
	named := k.refused(err, key, what)
	holders := k.holders(key)
	for _, h := range named {
		if !slices.Contains(holders, h) {
			k.says(ruleHeld)
			k.fatalf("%s: the *HeldError names %+v, but the holders are %+v", what, h, holders)
		}
	}
}

// refused ends the check if err is not a *HeldError about key. It returns the
// holders that it names.
func (k *kit) refused(err error, key, what string) []handoff.Holding {
	k.Helper()
	var held *handoff.HeldError
	if err == nil {
		k.fatalf("%s: got no error, want a *HeldError", what)
	}
	if !errors.As(err, &held) {
		k.says(ruleHeld)
		k.fatalf("%s: got error %q, want a *HeldError", what, err)
	}
	if held.Key != key {
		k.says(ruleHeld)
		k.fatalf("%s: the *HeldError names key %q, want %q", what, held.Key, key)
	}
	return held.Holders
}

// body returns a body that differs for each text and is not JSON.
func body(text string) handoff.Body { return handoff.BodyOf([]byte("\x00\xff{" + text + "}\n ")) }

// draft returns a record to be inserted.
func (k *kit) draft(conversation string, number int64) handoff.Record {
	return handoff.Record{
		ID: handoff.ID{Conversation: conversation, Number: number}, State: handoff.StateBot,
		Created: k.now, Updated: k.now, Body: body(conversation + " " + strconv.FormatInt(number, 10)),
	}
}

// entries extends r's log by entries with these ids, which become the last
// ones up to r.Seq.
func entries(r *handoff.Record, ids ...string) []handoff.RecordEntry {
	out := make([]handoff.RecordEntry, len(ids))
	for i, id := range ids {
		r.Seq++
		out[i] = handoff.RecordEntry{ID: id, Seq: r.Seq, At: r.Updated.Add(time.Duration(r.Seq) * time.Millisecond), Body: body("entry " + id)}
	}
	return out
}

// commit saves r with entries of these ids and returns it as it is stored
// then. It must succeed.
func (k *kit) commit(r handoff.Record, ids ...string) handoff.Record {
	k.Helper()
	if len(ids) == 0 {
		ids = []string{"entry of version " + strconv.FormatInt(r.Version+1, 10)}
	}
	list := entries(&r, ids...)
	k.okf(k.store.Commit(k.ctx, r, list...), "Commit of version %d of %v", r.Version+1, r.ID)
	r.Version++
	return r
}

// try saves r with entries of these ids and returns the error.
func (k *kit) try(r handoff.Record, ids ...string) error {
	list := entries(&r, ids...)
	return k.store.Commit(k.ctx, r, list...)
}

// insert saves a new record that change has been applied to.
func (k *kit) insert(conversation string, number int64, change func(r *handoff.Record)) handoff.Record {
	k.Helper()
	r := k.draft(conversation, number)
	if change != nil {
		change(&r)
	}
	return k.commit(r)
}

func (k *kit) get(id handoff.ID) handoff.Record {
	k.Helper()
	r, err := k.store.Get(k.ctx, id)
	k.okf(err, "Get(%v)", id)
	return r
}

func (k *kit) log(id handoff.ID) []handoff.RecordEntry {
	k.Helper()
	list, err := k.store.Log(k.ctx, id, 0, 10_000)
	k.okf(err, "Log(%v)", id)
	return list
}

func (k *kit) holders(keys ...string) []handoff.Holding {
	k.Helper()
	list, err := k.store.Holders(k.ctx, keys...)
	k.okf(err, "Holders(%q)", keys)
	return list
}

func (k *kit) list(q handoff.Query) []handoff.Record {
	k.Helper()
	list, err := k.store.List(k.ctx, q)
	k.okf(err, "List(%s)", show(q))
	return list
}

func (k *kit) lines(queue string) []string {
	k.Helper()
	list, err := k.store.Lines(k.ctx, queue)
	k.okf(err, "Lines(%q)", queue)
	return list
}

func (k *kit) lead(id handoff.ID, cursor string, now time.Time, lease time.Duration) handoff.Lead {
	k.Helper()
	l, err := k.store.Lead(k.ctx, id, cursor, now, lease)
	k.okf(err, "Lead(%v, %q)", id, cursor)
	return l
}

func (k *kit) ack(acks ...handoff.Ack) {
	k.Helper()
	k.okf(k.store.Ack(k.ctx, acks...), "Ack(%+v)", acks)
}

// position returns where a cursor stands, by leading it for no time at all.
func (k *kit) position(id handoff.ID, cursor string, now time.Time) int64 {
	k.Helper()
	l := k.lead(id, cursor, now, time.Minute)
	k.ack(handoff.Ack{ID: id, Cursor: cursor, Term: l.Term})
	return l.Seq
}

// samef ends the check unless got is want, field by field.
func (k *kit) samef(got, want handoff.Record, format string, args ...any) {
	k.Helper()
	if equalRecords(&got, &want) {
		return
	}
	if diff := difference(showRecord(&got), showRecord(&want)); diff != "" {
		k.fatalf("%s: %s", fmt.Sprintf(format, args...), diff)
	}
}

// sameLogf ends the check unless got is want, field by field.
func (k *kit) sameLogf(got, want []handoff.RecordEntry, format string, args ...any) {
	k.Helper()
	if slices.EqualFunc(got, want, equalEntries) {
		return
	}
	if diff := difference(showLog(got), showLog(want)); diff != "" {
		k.fatalf("%s: %s", fmt.Sprintf(format, args...), diff)
	}
}

// sameIDsf ends the check unless got has the records of want in that order.
func (k *kit) sameIDsf(got []handoff.Record, want []handoff.ID, format string, args ...any) {
	k.Helper()
	if have := ids(got); !slices.Equal(have, want) {
		k.fatalf("%s: got %q, want %q", fmt.Sprintf(format, args...), have, want)
	}
}

func ids(list []handoff.Record) []handoff.ID {
	out := make([]handoff.ID, len(list))
	for i := range list {
		out[i] = list[i].ID
	}
	return out
}
