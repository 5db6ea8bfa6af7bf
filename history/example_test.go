package history_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/history"
	"github.com/seed-2a427302/handoff/memstore"
)

// aDay is an engine after a short day: Dana was helped, Erik gave up.
func aDay(ctx context.Context) *handoff.Engine {
	e, err := handoff.New(handoff.Config{
		Store:     memstore.New(),
		Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"billing"}, Seats: 2}},
		Queues:    []handoff.Queue{{Name: "billing", Style: handoff.Pull}},
	})
	must(err)
	for _, user := range []string{"dana", "erik"} {
		out, err := e.Request(ctx, handoff.Request{Conversation: "c-" + user, Queue: "billing", User: &handoff.Contact{ID: user}})
		must(err)
		if user == "erik" {
			_, err = e.Cancel(ctx, "c-erik", true)
			must(err)
			continue
		}
		ann := handoff.By("ann")
		_, err = e.Accept(ctx, out.Handoff.ID, ann, 0)
		must(err)
		_, err = e.Send(ctx, out.Handoff.ID, ann, handoff.Message{Text: "Refunded 45.00."})
		must(err)
		_, err = e.End(ctx, out.Handoff.ID, ann, handoff.Ending{})
		must(err)
	}
	return e
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A page of history: who was missed this week, newest first.
func ExampleList() {
	ctx := context.Background()
	e := aDay(ctx)
	page, err := history.List(ctx, e, history.Filter{
		Class: history.Missed,
		Query: handoff.Query{Queue: "billing", From: time.Now().AddDate(0, 0, -7)},
	}, "", 20)
	must(err)
	for _, h := range page.Handoffs {
		fmt.Println(h.ID, h.Outcome)
	}
	fmt.Println("more:", page.Next != "")
	// Output:
	// c-erik#1 abandoned
	// more: false
}

// An export in pieces: each goes on behind the cursor of the one before.
func ExampleExport_Write() {
	ctx := context.Background()
	e := aDay(ctx)
	x := history.Export{Format: history.JSONLines, Limit: 1}
	for more := true; more; {
		p, err := x.Write(ctx, io.Discard, e) // a file, an http.ResponseWriter, …
		must(err)
		fmt.Println(p.Handoffs, "handoff,", p.Entries, "entries")
		x.After, more = p.Cursor, p.More
	}
	// Output:
	// 1 handoff, 4 entries
	// 1 handoff, 1 entries
}

// A user wants everything that is kept about him removed.
func ExampleErase() {
	ctx := context.Background()
	e := aDay(ctx)
	_, err := e.Request(ctx, handoff.Request{Conversation: "another", Queue: "billing", User: &handoff.Contact{ID: "erik"}})
	must(err)
	r, err := history.Erase(ctx, e, history.Scope{User: "erik"})
	must(err)
	fmt.Println("erased:", r.Conversations)
	for _, k := range r.Kept {
		fmt.Println("kept:", k.Conversation, k.Why)
	}
	// No engine runs here, so that the bot has nobody back yet.

	// Unordered output:
	// erased: 0
	// kept: c-erik open
	// kept: another open
}
