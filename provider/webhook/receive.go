package webhook

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Receive implements [handoff.Receiver]. The id of an event is the webhook's.
func (p *Provider) Receive(_ context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	h := http.Header(w.Header)
	if !p.keys.verify(h, w.Body) {
		return provider.RefuseSignature()
	}
	var in incoming
	if provider.DecodeJSON(w.Body, &in) != nil {
		return provider.RefuseBody()
	}
	kind, ok := kinds[in.Type]
	if !ok {
		return nil, handoff.WebhookReply{}, nil // of a later version
	}
	var ev event
	if json.Unmarshal(in.Data, &ev) != nil || ev.Reference == "" && ev.Attempt == "" {
		return provider.RefuseBody()
	}
	out := handoff.ProviderEvent{
		ID: provider.Name(h.Get(headerID)), Kind: kind, At: in.Timestamp,
		Reference: provider.Name(ev.Reference), Attempt: provider.Name(ev.Attempt), Conversation: provider.Name(ev.Conversation),
		MessageID: provider.Name(ev.MessageID), Text: provider.Text(ev.Text, provider.MaxText), Files: ev.files(),
		Position: max(ev.Position, 0), Wait: seconds(ev.WaitSeconds), Code: provider.Code(ev.Code),
		Control: p.cfg.Custody == handoff.CustodyConversation, Stopped: ev.On != nil && !*ev.On,
	}
	if ev.Agent != nil {
		out.Agent = provider.Agent(ev.Agent.ID, ev.Agent.Name)
	}
	if out.Validate() != nil { // a message without words and files, say
		return provider.RefuseBody()
	}
	return []handoff.ProviderEvent{out}, handoff.WebhookReply{}, nil
}

func (ev *event) files() []handoff.File {
	var out []handoff.File
	for _, f := range ev.Files[:min(len(ev.Files), provider.MaxFiles)] {
		out = append(out, handoff.File{Name: provider.Name(f.Name), Type: provider.Name(f.Type), URL: f.URL, Size: f.Size})
	}
	return out
}

// seconds turns a wait into a duration: at most a year, and 0 for nonsense.
func seconds(s float64) time.Duration {
	const most = 365 * 24 * 3600
	if math.IsNaN(s) || s <= 0 {
		return 0
	}
	return time.Duration(min(s, most) * float64(time.Second))
}
