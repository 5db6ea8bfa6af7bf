package analytics_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/memstore"
)

// aDay is an engine on which three users asked for a person: one is helped,
// one has left, one waits.
func aDay(ctx context.Context) *handoff.Engine {
	e, err := handoff.New(handoff.Config{
		Store:     memstore.New(),
		Directory: handoff.Staff{{ID: "ann", Queues: []string{"billing"}, Seats: 4}},
		Queues:    []handoff.Queue{{Name: "billing", Style: handoff.Pull}},
	})
	must(err)
	for _, c := range []string{"c1", "c2", "c3"} {
		_, err := e.Request(ctx, handoff.Request{Conversation: c, Queue: "billing"})
		must(err)
	}
	_, err = e.Accept(ctx, handoff.ID{Conversation: "c1", Number: 1}, handoff.By("ann"), 0)
	must(err)
	_, err = e.Cancel(ctx, "c2", true)
	must(err)
	return e
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func ExampleCompute() {
	ctx := context.Background()
	r, err := analytics.Compute(ctx, aDay(ctx), analytics.Options{By: analytics.ByQueue})
	must(err)
	for _, g := range r.Groups {
		fmt.Printf("%s: %d asked, service level %.0f %%, %d of %d gave up\n",
			g.Name, g.Asked, 100*g.ServiceLevel.Value(), g.AbandonRate.N, g.AbandonRate.Of)
	}
	// Output:
	// billing: 3 asked, service level 50 %, 1 of 2 gave up
}

func ExampleNow() {
	ctx := context.Background()
	list, err := analytics.Now(ctx, aDay(ctx), "billing")
	must(err)
	for _, l := range list {
		fmt.Printf("%s: %d waits, %d with an agent, %.0f %% of the seats in use\n", l.Queue, l.Waiting, l.Active, 100*l.Occupancy)
	}
	// Output:
	// billing: 1 waits, 1 with an agent, 25 % of the seats in use
}
