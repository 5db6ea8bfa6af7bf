// Package window shows a host whose channel has a reply window: nothing can be
// sent to a user whose last message is older than 24 hours, as on WhatsApp.
package window

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// channel is a messenger with a window and short messages, without files.
type channel struct{ *handofftest.Users }

// Describe says what the messenger can do. The engine keeps to it.
func (channel) Describe(context.Context, string) handoff.ChannelInfo {
	return handoff.ChannelInfo{MaxBytes: 1000, NoFiles: true, ReplyWindow: 24 * time.Hour}
}

func TestReplyWindow(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		r.Says("c", "Please call the bank for me")
		r.Asks("c")
		h := ann.Accept()

		// A file goes out as a link, a long text in parts.
		_, err := r.Send(t.Context(), h.ID, ann.By(), handoff.Message{
			Text:  strings.Repeat("word ", 300),
			Files: []handoff.File{{Name: "form.pdf", URL: "https://files.example/form.pdf"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Wait()
		saw := r.Users.Texts("c")
		if last := saw[len(saw)-1]; !strings.HasSuffix(last, "https://files.example/form.pdf") || len(last) > 1000 {
			t.Fatalf("the user saw %q", last)
		}

		// A day later nothing can be sent. The agent sees that it did not arrive.
		r.Sleep(25 * time.Hour)
		said := ann.Says(h.ID, "The bank says yes.")
		lost := slices.IndexFunc(r.Entries(h.ID), func(e handoff.Entry) bool {
			return e.Kind == handoff.KindUndelivered && e.About == said.Seq && e.Data["code"] == "reply_window"
		})
		if lost < 0 {
			t.Fatal("the agent was not told")
		}

		// The user writes again, and the window is open.
		r.Says("c", "Any news?")
		ann.Says(h.ID, "The bank says yes, as I wrote.")
		saw = r.Users.Texts("c")
		if saw[len(saw)-1] != "The bank says yes, as I wrote." {
			t.Fatalf("the user saw %q", saw)
		}
	}, func(c *handoff.Config) {
		c.Queues[0].IdleTimeout = handoff.Never
		c.Channel = channel{c.Channel.(*handofftest.Users)}
	})
}
