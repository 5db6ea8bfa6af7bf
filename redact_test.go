package handoff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// A card's number is what must not be kept.
const card = "4111111111111111"

var digits = regexp.MustCompile(`\d{16}`)

// without takes card numbers out of everything that a content has.
func without(_ context.Context, c handoff.Content) (handoff.Content, error) {
	c.Text = digits.ReplaceAllString(c.Text, "****")
	c.From.Name = digits.ReplaceAllString(c.From.Name, "****")
	c.Payload = digits.ReplaceAll(c.Payload, []byte("****"))
	for i := range c.Files {
		f := &c.Files[i]
		f.Name, f.URL, f.Ref = digits.ReplaceAllString(f.Name, "****"), digits.ReplaceAllString(f.URL, "****"), digits.ReplaceAllString(f.Ref, "****")
	}
	for k, v := range c.Data {
		c.Data[k] = digits.ReplaceAllString(v, "****")
	}
	return c, nil
}

// kept returns everything that a store has, as the bytes of a real one.
func kept(t *testing.T, r *handofftest.Rig) string {
	t.Helper()
	var b bytes.Buffer
	list, err := r.Store.List(t.Context(), handoff.Query{})
	require.NoError(t, err)
	for i := range list {
		rec := &list[i]
		b.Write(rec.Body.Bytes())
		index, err := json.Marshal([]any{rec.ID, rec.Queue, rec.Agent, rec.User, rec.Tags, rec.Line, rec.Keys, rec.Owed})
		require.NoError(t, err)
		b.Write(index)
		log, err := r.Store.Log(t.Context(), rec.ID, 0, 10_000)
		require.NoError(t, err)
		for j := range log {
			b.WriteString(log[j].ID)
			b.Write(log[j].Body.Bytes())
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// tells has content in every field that takes it, with s in each.
func tells(t *testing.T, r *handofftest.Rig, queue, s string) handoff.Handoff {
	t.Helper()
	ann := r.Agent("ann", 5, "support")
	turn, err := r.Receive(r.Ctx, handoff.Incoming{
		Conversation: "c", ID: "m1", Text: "my card is " + s, Payload: json.RawMessage(`{"card":"` + s + `"}`), URL: "https://shop.example/?c=" + s,
		Files: []handoff.File{{Name: s, URL: s, Ref: s}},
		User: &handoff.Contact{
			ID: "u-1", Name: s, Mail: s + "@example.com", Phone: s, Attributes: map[string]string{"card": s},
		},
	})
	require.NoError(t, err)
	_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "you said " + s})
	require.NoError(t, err)
	out, err := r.Request(r.Ctx, handoff.Request{
		Conversation: "c", Queue: queue, Note: s, Summary: s, Data: map[string]string{"k": s}, Answers: map[string]string{"k": s},
		History: []handoff.Past{{ID: "p1", Text: s, At: time.Now().Add(-time.Hour)}},
	})
	require.NoError(t, err)
	r.Sleep(time.Second)
	if queue != "support" {
		return r.Now(out.Handoff.ID)
	}
	h := ann.Accept()
	ann.Says(h.ID, "do not send "+s)
	_, err = r.Note(r.Ctx, h.ID, ann.By(), s)
	require.NoError(t, err)
	_, err = r.Whisper(r.Ctx, h.ID, handoff.BySupervisor("eve"), s)
	require.NoError(t, err)
	_, err = r.Hold(r.Ctx, h.ID, ann.By(), s)
	require.NoError(t, err)
	_, err = r.End(r.Ctx, h.ID, ann.By(), handoff.Ending{Reason: s})
	require.NoError(t, err)
	_, err = r.Rate(r.Ctx, h.ID, 3, s)
	require.NoError(t, err)
	_, err = r.LeaveMessage(r.Ctx, h.ID, s, map[string]string{"k": s})
	require.NoError(t, err)
	r.Wait()
	return r.Now(h.ID)
}

func redacting(f handoff.Redactor, more ...func(*handoff.Config)) func(*handoff.Config) {
	return func(c *handoff.Config) {
		c.Redact = f
		for _, m := range more {
			m(c)
		}
	}
}

// What the hook takes out before it is kept is nowhere: not in the store, not
// on the user's screen, not in the bot's call.
func TestRedactBeforeStore(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := tells(t, r, "support", card)
		stored := kept(t, r)
		require.NotContains(t, stored, card)
		require.Contains(t, stored, "my card is ****")
		require.Equal(t, "****", h.Summary)
		require.Equal(t, "****@example.com", h.User.Mail)
		require.Equal(t, "u-1", h.User.ID)
		require.Equal(t, map[string]string{"k": "****"}, h.Answers)
		require.Equal(t, "****", h.Rating.Comment)
		require.Contains(t, r.Users.Texts("c"), "you said ****")
		for _, c := range r.Bot.Calls("") {
			b, err := json.Marshal(c.Human)
			require.NoError(t, err)
			require.NotContains(t, string(b)+c.Note+c.Summary, card)
		}
	}, redacting(func(ctx context.Context, c handoff.Content) (handoff.Content, error) {
		if c.To != handoff.ToStore {
			return c, nil
		}
		return without(ctx, c)
	}))
}

// A hook that fails, panics or returns nonsense lets nothing through, and
// nothing says what it was. The conversation goes on.
func TestRedactFailsClosed(t *testing.T) {
	for name, f := range map[string]handoff.Redactor{
		"error": func(_ context.Context, c handoff.Content) (handoff.Content, error) {
			return c, errors.New("cannot parse " + c.Text + card)
		},
		"panic":    func(_ context.Context, c handoff.Content) (handoff.Content, error) { panic(c.Text + card) },
		"no UTF-8": func(_ context.Context, c handoff.Content) (handoff.Content, error) { c.Text += "\xff"; return c, nil },
		"not JSON": func(_ context.Context, c handoff.Content) (handoff.Content, error) {
			c.Payload = []byte("{")
			return c, nil
		},
		"more fields": func(_ context.Context, c handoff.Content) (handoff.Content, error) {
			c.Data = map[string]string{"added": c.Text}
			return c, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var logs logbook
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				h := tells(t, r, "support", card)
				require.NotContains(t, kept(t, r), card)
				require.Equal(t, handoff.OutcomeResolved, h.Outcome, "it went on all the same")
				require.Equal(t, "u-1", h.User.ID)
				withheld := 0
				for _, en := range r.Entries(h.ID) {
					if en.Withheld {
						withheld++
						require.Equal(t, "[withheld]", en.Text)
						require.Empty(t, en.Files)
						require.Empty(t, en.Payload)
						require.Empty(t, en.Data)
					}
				}
				require.Greater(t, withheld, 8)
				require.NotContains(t, strings.Join(r.Users.Texts("c"), "\n"), card)
			}, redacting(f, func(c *handoff.Config) {
				c.Logger = slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
			}))
			require.Contains(t, logs.String(), "redaction failed")
			require.NotContains(t, logs.String(), card)
		})
	}
}

// Where to call somebody is content, wherever it is repeated.
func TestRedactCallback(t *testing.T) {
	const phone = "+49 123 4567"
	for name, fails := range map[string]bool{"redacts": false, "fails": true} {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				h := r.Asks("c")
				_, err := r.CallBack(r.Ctx, "c", handoff.Callback{Phone: phone, When: "after " + phone})
				require.NoError(t, err)
				r.Wait()
				require.NotContains(t, kept(t, r), "4567")
				require.NotContains(t, strings.Join(r.Users.Texts("c"), "\n"), "4567")
				require.NotNil(t, r.Now(h.ID).Callback)
			}, redacting(func(_ context.Context, c handoff.Content) (handoff.Content, error) {
				if fails {
					return c, errors.New("no")
				}
				c.Text = strings.ReplaceAll(c.Text, "4567", "****")
				for k, v := range c.Data {
					c.Data[k] = strings.ReplaceAll(v, "4567", "****")
				}
				return c, nil
			}))
		})
	}
}

// listener is a platform that keeps what it was told.
type listener struct {
	platform

	texts []string
}

func (p *listener) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	b, err := json.Marshal([]any{&o.Handoff, o.Transcript, o.Note})
	if err != nil {
		return handoff.Session{}, err
	}
	p.texts = append(p.texts, string(b))
	return p.platform.Open(ctx, o)
}

func (p *listener) Send(_ context.Context, _ handoff.Session, m handoff.ProviderMessage) error {
	b, err := json.Marshal(m)
	p.texts = append(p.texts, string(b))
	return err
}

// A platform gets what the hook lets through for it; our own store keeps all.
func TestRedactBeforeProvider(t *testing.T) {
	for name, fails := range map[string]bool{"redacts": false, "fails": true} {
		t.Run(name, func(t *testing.T) {
			vendor := &listener{platform: platform{name: "vendor"}}
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				tells(t, r, "vendor", card)
				require.NoError(t, r.Deliver(r.Ctx, "vendor", handoff.ProviderEvent{
					ID: "e1", Attempt: vendor.opened[0].Attempt, Reference: vendor.opened[0].Attempt, Kind: handoff.EventJoined,
					Agent: handoff.Party{ID: "v1", Name: "Vera"},
				}))
				r.Wait()
				_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "c", ID: "m2", Text: "and again: " + card})
				require.NoError(t, err)
				r.Sleep(time.Second)
				all := strings.Join(vendor.texts, "\n")
				require.Greater(t, len(vendor.texts), 1)
				require.NotContains(t, all, card)
				if fails {
					require.Contains(t, all, "[withheld]")
				} else {
					require.Contains(t, all, "and again: ****")
				}
				require.Contains(t, kept(t, r), card)
			}, redacting(func(ctx context.Context, c handoff.Content) (handoff.Content, error) {
				switch {
				case c.To != handoff.ToProvider:
					return c, nil
				case c.Provider != "vendor":
					return c, errors.New("for which platform?")
				case fails:
					return c, errors.New("out of order: " + card)
				}
				return without(ctx, c)
			}, func(c *handoff.Config) {
				c.Providers = []handoff.Provider{vendor}
				c.Queues = []handoff.Queue{{Name: "support"}, {Name: "vendor", Providers: []string{"vendor"}}}
			}))
		})
	}
}

// An export has what the hook lets through, in every format.
func TestRedactBeforeExport(t *testing.T) {
	for name, fails := range map[string]bool{"redacts": false, "fails": true} {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				tells(t, r, "support", card)
				for _, f := range []history.Format{history.Text, history.JSONLines, history.HTML, history.CSV, history.Table} {
					var b bytes.Buffer
					p, err := history.Export{Format: f, Events: true}.Write(t.Context(), &b, r.Engine)
					require.NoError(t, err)
					require.NotContains(t, b.String(), card)
					if f == history.Table {
						continue
					}
					if fails {
						require.Greater(t, p.Withheld, 8)
						require.Contains(t, b.String(), "[withheld]")
						if f == history.CSV {
							require.Equal(t, p.Withheld, strings.Count(b.String(), ",true\r\n"))
						}
					} else {
						require.Zero(t, p.Withheld)
						require.Contains(t, b.String(), "my card is ****")
					}
				}
				require.Contains(t, kept(t, r), card)
			}, redacting(func(ctx context.Context, c handoff.Content) (handoff.Content, error) {
				switch {
				case c.To != handoff.ToExport:
					return c, nil
				case fails:
					panic(card)
				}
				return without(ctx, c)
			}))
		})
	}
}
