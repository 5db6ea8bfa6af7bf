// Messenger is a host in the manner of a Telegram bot: updates come in one
// after the other, some of them twice, and everything is kept in memory.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// An update is what the messenger sends.
type update struct {
	id   int
	chat int64
	text string
}

// host receives updates and sends messages. Its agents work in the same
// messenger, with commands.
type host struct {
	*handoff.Engine
	agents map[int64]string // chat → agent
}

// Show sends a message to a user's chat.
func (h *host) Show(_ context.Context, conversation string, m handoff.UserMessage) error {
	fmt.Printf("→ %s  %s\n", conversation, m.Text)
	return nil
}

// Handle tells agents in their own chats what waits and what users say.
func (h *host) Handle(_ context.Context, now *handoff.Handoff, e *handoff.Entry) error {
	switch {
	case e.Kind == handoff.KindOffered:
		fmt.Printf("→ %s  %s wants a person: /accept %s\n", e.Agent, now.ID.Conversation, now.ID.Conversation)
	case e.Kind == handoff.KindMessage && e.From.Role == handoff.RoleUser && now.Agent != "":
		fmt.Printf("→ %s  %s: %s\n", now.Agent, now.ID.Conversation, e.Text)
	}
	return nil
}

// update handles one update. Handling it again has no effect.
func (h *host) update(ctx context.Context, u update) error {
	fmt.Printf("← %d  %s\n", u.chat, u.text)
	if agent, ok := h.agents[u.chat]; ok {
		return h.command(ctx, handoff.By(agent).Once(strconv.Itoa(u.id)), u.text)
	}
	conversation := strconv.FormatInt(u.chat, 10)
	turn, err := h.Receive(ctx, handoff.Incoming{Conversation: conversation, ID: strconv.Itoa(u.id), Text: u.text})
	if err != nil || !turn.Open() {
		return err
	}
	if u.text == "/person" {
		_, err = h.Request(ctx, handoff.Request{Turn: turn, Queue: "help"})
		return err
	}
	_, err = h.Reply(ctx, turn, handoff.Message{ID: strconv.Itoa(u.id), Text: "I only know /person."})
	return err
}

// command is what an agent types.
func (h *host) command(ctx context.Context, who handoff.Actor, text string) error {
	verb, rest, _ := strings.Cut(text, " ")
	conversation, rest, _ := strings.Cut(rest, " ")
	now, err := h.Latest(ctx, conversation)
	if err != nil {
		return err
	}
	switch verb {
	case "/accept":
		offer, _ := now.Offer(who.ID)
		_, err = h.Accept(ctx, now.ID, who, offer.Number)
	case "/say":
		_, err = h.Send(ctx, now.ID, who, handoff.Message{Text: rest})
	case "/done":
		_, err = h.Return(ctx, now.ID, who, rest)
	}
	return err
}

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	h := &host{agents: map[int64]string{900: "ann"}}
	var err error
	h.Engine, err = handoff.New(handoff.Config{
		Store:     memstore.New(),
		Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"help"}, Seats: 5}},
		Queues:    []handoff.Queue{{Name: "help", PlaceEvery: handoff.Never}},
		Channel:   h,
		Sinks:     map[string]handoff.Sink{"agents": h},
	})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.play(ctx); stop() }()
	if err := h.Run(ctx); err != nil {
		log.Fatal(err)
	}
	if err := <-done; err != nil {
		log.Fatal(err)
	}
}

// play feeds the host with updates, the second and the fifth of them twice.
func (h *host) play(ctx context.Context) error {
	for _, u := range []update{
		{1, 17, "hello"},
		{2, 17, "/person"},
		{2, 17, "/person"},
		{3, 900, "/accept 17"},
		{4, 17, "my parcel is lost"},
		{5, 900, "/say 17 I am looking."},
		{5, 900, "/say 17 I am looking."},
		{6, 900, "/done 17 parcel found"},
		{7, 17, "thanks"},
	} {
		if err := h.update(ctx, u); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond) // for the reader's sake
	}
	log1, err := h.Log(ctx, handoff.ID{Conversation: "17", Number: 1}, 0, 100)
	if err != nil {
		return err
	}
	said := 0
	for _, e := range log1 {
		if e.Kind == handoff.KindMessage && e.From.Role == handoff.RoleAgent {
			said++
		}
	}
	if said != 1 {
		return errors.New("a repeated update had an effect")
	}
	return nil
}
