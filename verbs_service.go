package handoff

import (
	"context"
	"maps"
)

// formDoor says whether the queue can take somebody that a form leads to after r.
func (e *Engine) formDoor(ctx context.Context, h *Handoff, r Response) (door, error) {
	open := door{}
	if h == nil || h.own.Intake == nil || h.own.Intake.Ends != "" {
		return open, nil
	}
	in := h.own.Intake
	t := in.target(&h.Need, &r)
	q := e.rules.queues[t.Queue]
	if q == nil || in.From != nil && t.Queue == h.Need.Queue {
		return open, nil
	}
	need := h.Need
	if need.Queue = t.Queue; t.Queue != h.Need.Queue {
		need.Mode, _ = q.session(in.Asked)
	}
	why, err := e.door(ctx, q, &need)
	if why != nil {
		open[t.Queue] = why
	}
	return open, err
}

// CallBack is the user who would rather be called than wait: he keeps his
// place, and the bot goes on with him. Handoff.Callback tells the agent who
// accepts. The place is given up after Queue.KeepCallback.
func (e *Engine) CallBack(ctx context.Context, conversation string, want Callback) (Handoff, error) {
	if err := first(checkName("conversation", conversation), checkName("Callback.Phone", want.Phone), checkText("Callback.When", want.When)); err != nil {
		return Handoff{}, err
	}
	if f := (Field{Kind: FieldPhone}); f.check(want.Phone) != "" {
		return Handoff{}, &InvalidError{Field: "Callback.Phone", Why: f.check(want.Phone)}
	}
	h, err := e.Open(ctx, conversation)
	if err != nil {
		return Handoff{}, err
	}
	o, err := e.do(ctx, h.ID, "callback/"+newID(), func(*Handoff) (command, error) { return cCallback{want: want}, nil })
	return e.result(o, err)
}

// Prioritise changes the priority of somebody who waits; higher is sooner.
func (e *Engine) Prioritise(ctx context.Context, id ID, a Actor, priority int) (Handoff, error) {
	o, err := e.act(ctx, id, a, "priority", "", func(*Handoff) (command, error) {
		return cPriority{who: a, n: priority}, nil
	})
	return e.result(o, err)
}

// Notify shows the user the words that Config.Notices has for a key, with data
// for its placeholders. A key without words is an *InvalidError.
func (e *Engine) Notify(ctx context.Context, id ID, a Actor, key string, data map[string]string) (Handoff, error) {
	if err := first(checkName("key", key), checkMap("data", data)); err != nil {
		return Handoff{}, err
	}
	o, err := e.act(ctx, id, a, "notify", "", func(*Handoff) (command, error) {
		return cNotify{key: key, data: maps.Clone(data)}, nil
	})
	return e.result(o, err)
}
