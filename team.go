package handoff

import (
	"context"
	"slices"
)

// A Member is an agent as a console shows him: who he is, whether he is there,
// and how much he has to do.
type Member struct {
	Agent  Agent
	Status Status
	Load   int // units of his seats in use, offers that are out included
}

// Free returns how many units of his seats are free.
func (m *Member) Free() int { return max(0, m.Agent.Seats-m.Load) }

// Team returns the agents of a queue, or all of them for "", in the order of
// the Directory. Somebody whose presence cannot be read is Unknown. A queue
// that the Config does not have is an *InvalidError.
func (e *Engine) Team(ctx context.Context, queue string) ([]Member, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	if _, ok := e.rules.queues[queue]; queue != "" && !ok {
		return nil, &InvalidError{Field: "queue", Why: "is not a queue of this Config"}
	}
	dctx, cancel := context.WithTimeout(ctx, e.cfg.StoreTimeout)
	all, err := e.cfg.Directory.List(dctx, queue)
	cancel()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ids, keys := make([]string, len(all)), make([]string, len(all))
	for i := range all {
		ids[i], keys[i] = all[i].ID, seatKey(all[i].ID)
	}
	load, err := e.load(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]Member, len(all))
	for i, st := range e.status(ctx, ids, now()) {
		out[i] = Member{Agent: all[i], Status: st, Load: load[keys[i]]}
	}
	return out, nil
}

// Queues returns the queues of the Config in its order, each with its defaults
// filled in. Nobody may change their slices.
func (e *Engine) Queues() []Queue {
	out := make([]Queue, 0, len(e.cfg.Queues))
	for i := range e.cfg.Queues {
		out = append(out, *e.rules.queue(e.cfg.Queues[i].Name))
	}
	return slices.Clip(out)
}

// Directory returns what the engine asks who exists. A console edits it where
// it is a DirectoryWriter, and calls AgentChanged afterwards.
func (e *Engine) Directory() Directory { return e.cfg.Directory }

// Presence returns what the engine asks who is there. A console keeps its
// agents' sessions alive where it is a Sessions, and calls AgentChanged when
// somebody comes or goes.
func (e *Engine) Presence() Presence { return e.cfg.Presence }
