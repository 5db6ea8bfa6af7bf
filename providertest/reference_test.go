package providertest_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/inmem"
	"github.com/seed-2a427302/handoff/providertest"
)

func TestReferenceQueue(t *testing.T) { suite(t, inmem.Options{}) }
func TestReferenceConversation(t *testing.T) {
	suite(t, inmem.Options{Custody: handoff.CustodyConversation})
}
func TestReferenceStreams(t *testing.T) { suite(t, inmem.Options{Streams: true}) }
func TestReferenceOneReference(t *testing.T) {
	suite(t, inmem.Options{OneReference: true, MaxBytes: 200})
}

func TestReferenceConversationOneReference(t *testing.T) {
	suite(t, inmem.Options{Custody: handoff.CustodyConversation, OneReference: true})
}

func TestReferenceConversationStreams(t *testing.T) {
	suite(t, inmem.Options{Custody: handoff.CustodyConversation, Streams: true})
}

func TestReferenceNamesOnly(t *testing.T) { suite(t, inmem.Options{NamesOnly: true}) }

func TestReferenceReturnWord(t *testing.T) {
	suite(t, inmem.Options{ReturnWord: provider.DefaultReturn})
}

func TestReferenceTokens(t *testing.T) { suite(t, inmem.Options{TokenLife: 10 * time.Minute}) }

func suite(t *testing.T, o inmem.Options) {
	providertest.Run(t, func(*testing.T) providertest.Harness {
		desk := inmem.New(o)
		return providertest.Harness{Provider: desk.Provider(), Vendor: vendor{desk}, Again: desk.Provider}
	})
}

// vendor drives the platform for the suite.
type vendor struct{ *inmem.Platform }

func (v vendor) Do(a providertest.Act) bool {
	switch a.Kind {
	case providertest.Queue:
		v.Queue(a.Chat, a.Position, 3*time.Minute)
	case providertest.Join:
		v.Join(a.Chat, a.Agent)
	case providertest.Say:
		v.Say(a.Chat, a.Text, a.Files...)
	case providertest.Write:
		v.Write(a.Chat, a.Text)
	case providertest.Type:
		v.Types(a.Chat)
	case providertest.Leave:
		v.Leave(a.Chat)
	case providertest.Transfer:
		v.Transfer(a.Chat, a.Agent)
	case providertest.End:
		v.End(a.Chat)
	case providertest.Return:
		v.Return(a.Chat)
	case providertest.UserSays:
		v.UserSays(a.Chat, a.ID, a.Text)
	case providertest.TakeControl:
		v.TakeControl(a.Conversation, a.Agent)
	default:
		return false
	}
	return true
}

func (v vendor) Webhooks() []handoff.Webhook { return v.Take() }

func (v vendor) Break(f providertest.Failure) { v.Platform.Break(inmem.Failure(f)) }

func (v vendor) Chats() []providertest.Chat {
	var out []providertest.Chat
	for _, c := range v.Platform.Chats() {
		chat := providertest.Chat{
			Reference: c.Reference, Internal: append(slices.Clone(c.Notes), c.Note),
			UserTypes: c.UserTypes, Open: c.State == handoff.SessionQueued || c.State == handoff.SessionActive,
		}
		for _, m := range c.Messages {
			chat.Messages = append(chat.Messages, providertest.Said{From: m.From.Role, Text: m.Text, Files: len(m.Files)})
		}
		out = append(out, chat)
	}
	return out
}

// Forged returns webhooks with a wrong signature, a changed body and an old
// time, made of one that the platform would send.
func (v vendor) Forged() []handoff.Webhook {
	twin := inmem.New(inmem.Options{Secret: v.Secrets()[0]})
	ref := twin.TakeControl("c", handoff.Party{ID: "7", Name: "Ann"})
	twin.Say(ref, "hello")
	genuine := twin.Take()[1]
	change := func(header, value string) handoff.Webhook {
		w := genuine
		w.Header = maps.Clone(genuine.Header)
		http.Header(w.Header).Set(header, value)
		return w
	}
	body := genuine
	body.Body = []byte(strings.Replace(string(genuine.Body), "hello", "HELLO", 1))
	return []handoff.Webhook{
		body, change("X-Inmem-Signature", ""), change("X-Inmem-Signature", "00"), change("X-Inmem-Timestamp", "0"),
		{Method: http.MethodPost, Body: genuine.Body},
	}
}
