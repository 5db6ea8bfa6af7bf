package genesys

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Stream implements [handoff.Streamer]: it reads the conversation every
// Config.Poll until it is over. What was told is told again by the next Stream
// under the same ids.
func (p *Provider) Stream(ctx context.Context, s handoff.Session, emit func(handoff.ProviderEvent) error) error {
	st, err := stateOf("stream", s)
	if err != nil {
		return err
	}
	r := reader{p: p, reference: s.Reference, told: map[string]bool{}}
	tick := time.NewTicker(p.cfg.Poll)
	defer tick.Stop()
	for {
		c, err := p.read(ctx, "stream", st.Conversation)
		var pe *handoff.ProviderError
		switch {
		case ctx.Err() != nil:
			return nil // nobody wants it any more
		case errors.As(err, &pe) && !pe.Retryable:
			return err
		case err == nil:
			if over, err := r.tell(ctx, &c, emit); over || err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// reader is one Stream.
type reader struct {
	p         *Provider
	reference string
	told      map[string]bool
	asked     time.Time // for the wait
	minutes   int64     // that were told
}

// tell emits what is new, and reports whether the conversation is over.
func (r *reader) tell(ctx context.Context, c *conversation, emit func(handoff.ProviderEvent) error) (over bool, err error) {
	for _, ev := range c.events(r.reference) {
		if r.told[ev.ID] {
			continue
		}
		if err := emit(ev); err != nil {
			return false, err
		}
		r.told[ev.ID] = true
		over = over || ev.Kind == handoff.EventEnded
	}
	if queue := c.queue(); !over && queue != "" && time.Since(r.asked) >= time.Minute {
		r.asked = time.Now()
		if wait := r.p.wait(ctx, queue); wait > 0 && int64(wait.Minutes()) != r.minutes {
			r.minutes = int64(wait.Minutes())
			id := r.reference + "/wait/" + strconv.FormatInt(r.asked.Unix()/60, 10)
			return over, emit(handoff.ProviderEvent{ID: id, Kind: handoff.EventQueued, Reference: r.reference, At: r.asked.UTC(), Wait: wait})
		}
	}
	return over, nil
}

// events are all that a conversation tells of its agents, in the order in
// which it happened.
func (c *conversation) events(reference string) []handoff.ProviderEvent {
	var out []handoff.ProviderEvent
	add := func(kind handoff.ProviderEventKind, m *participant, what, at string) {
		ev := handoff.ProviderEvent{
			ID: provider.Name(reference + "/" + m.ID + "/" + what + "/" + at), Kind: kind, Reference: reference, At: when(at), Agent: m.party(),
		}
		out = append(out, ev)
	}
	last, over := c.agent(time.Time{}), c.isOver()
	attended := last != nil && last.has()
	for i := range c.Participants {
		m := &c.Participants[i]
		if !m.isAgent() || m.Connected == "" {
			continue
		}
		add(handoff.EventJoined, m, "joined", m.Connected)
		if !m.isLive() && !attended && !over {
			add(handoff.EventLeft, m, "left", m.Ended)
		}
	}
	slices.SortStableFunc(out, func(a, b handoff.ProviderEvent) int { return a.At.Compare(b.At) })
	if over {
		ev := handoff.ProviderEvent{ID: provider.Name(reference + "/" + c.ID + "/ended"), Kind: handoff.EventEnded, Reference: reference}
		if last != nil {
			ev.Agent, ev.At = last.party(), when(last.Ended)
		}
		out = append(out, ev)
	}
	return out
}

// wait returns how long somebody waits in a queue, 0 if that cannot be had.
func (p *Provider) wait(ctx context.Context, queue string) time.Duration {
	var out struct {
		Results []struct {
			Seconds int64 `json:"estimatedWaitTimeSeconds"`
		} `json:"results"`
	}
	err := p.api.Do(ctx, provider.Call{
		Op: "wait", Path: "/api/v2/routing/queues/" + url.PathEscape(queue) + "/mediatypes/message/estimatedwaittime",
	}, &out)
	if err != nil || len(out.Results) == 0 {
		return 0
	}
	const most = 7 * 24 * time.Hour
	return min(time.Duration(cmp.Or(max(out.Results[0].Seconds, 0), 1))*time.Second, most)
}
