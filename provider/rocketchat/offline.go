package rocketchat

import (
	"context"
	"net/http"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// NoMail is the default of Config.Mail: an address that no mail ever reaches.
const NoMail = "nobody@user.invalid"

// Ticket implements [handoff.Ticketer]: the message goes through Rocket.Chat's
// offline form, to the mail address of the queue's department or of the
// workspace. The form knows no repeats and leaves nothing that could be looked
// for: after a lost answer the mail comes twice, with the same reference.
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	reference := "offline-" + messageID(p.cfg.Token, "ticket "+id)[:12]
	in := map[string]string{
		"name": "Visitor", "email": p.cfg.Mail, "department": p.cfg.Departments[h.Need.Queue], "host": "",
		"message": strings.TrimSpace(text + "\n\n(ref " + reference + ")"),
	}
	if u := h.User; u != nil {
		if name := provider.Name(u.Name); name != "" {
			in["name"] = name
		}
		if mail := provider.Name(u.Mail); mail != "" {
			in["email"] = mail
		}
	}
	err := p.api.Do(ctx, provider.Call{Op: "ticket", Method: http.MethodPost, Path: api + "offline.message", JSON: in}, nil)
	if err != nil {
		return "", err
	}
	return reference, nil
}
