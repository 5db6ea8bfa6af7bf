// Model is a host whose bot is a language model: it streams its answers, and
// asks for a person by calling a tool. The model here is a script.
package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// A step is what a model gives out: a word, or a call of a tool.
type step struct {
	word string
	tool map[string]string
}

// model stands for a real one. It stops when ctx ends.
func model(ctx context.Context, prompt string) iter.Seq[step] {
	answer := "Orders are sent within two days. You will get a mail with a number to follow them by."
	var tool map[string]string
	if strings.Contains(prompt, "fraud") {
		answer, tool = "That is for my colleagues.", map[string]string{"queue": "security", "reason": "fraud", "note": "Says the card was stolen."}
	}
	return func(yield func(step) bool) {
		for word := range strings.SplitAfterSeq(answer, " ") {
			select {
			case <-ctx.Done():
				return
			case <-time.After(40 * time.Millisecond):
			}
			if !yield(step{word: word}) {
				return
			}
		}
		if tool != nil {
			yield(step{tool: tool})
		}
	}
}

// answer lets the model write to a turn. When somebody takes the conversation
// over, the model is stopped and not one more word is shown.
func answer(ctx context.Context, e *handoff.Engine, turn handoff.Turn, prompt string) error {
	ctx, cancel := e.WhileTurn(ctx, turn)
	defer cancel()
	s, err := e.Stream(ctx, turn, "answer")
	if err != nil {
		return err
	}
	var tool map[string]string
	for st := range model(ctx, prompt) {
		if st.tool != nil {
			tool = st.tool
			break
		}
		if err := s.Write(ctx, st.word); err != nil {
			return err
		}
	}
	if errors.Is(context.Cause(ctx), handoff.ErrStale) {
		s.Cancel(context.WithoutCancel(ctx))
		return handoff.ErrStale
	}
	fmt.Println()
	if _, err := s.Close(ctx); err != nil || tool == nil {
		return err
	}
	_, err = e.Request(ctx, handoff.Request{
		Turn: turn, Queue: tool["queue"], Reason: handoff.Reason(tool["reason"]), Note: tool["note"],
	})
	return err
}

// screen shows what a user sees. Streamed words appear at once; the whole
// reply, which follows under the same ID, is not printed again.
type screen struct{ streamed map[string]bool }

func (s *screen) ShowChunk(_ context.Context, _ string, c handoff.Chunk) error {
	switch {
	case c.Retract:
		fmt.Println(" [taken back]")
	case c.N == 0:
		fmt.Print("bot: ")
	}
	fmt.Print(c.Text)
	s.streamed[c.ID] = true
	return nil
}

func (s *screen) Show(_ context.Context, _ string, m handoff.UserMessage) error {
	if s.streamed[m.ID] {
		return nil
	}
	fmt.Printf("%s: %s\n", m.From.Role, m.Text)
	return nil
}

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	e, err := handoff.New(handoff.Config{
		Store:     memstore.New(),
		Directory: handoff.Staff{{ID: "sam", Name: "Sam", Queues: []string{"security"}, Seats: 2}},
		Queues:    []handoff.Queue{{Name: "security", PlaceEvery: handoff.Never}},
		Channel:   &screen{streamed: map[string]bool{}},
	})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- talk(ctx, e); stop() }()
	if err := e.Run(ctx); err != nil {
		log.Fatal(err)
	}
	if err := <-done; err != nil {
		log.Fatal(err)
	}
}

// talk plays a user: a question, a case for a person, and a person who steps
// in while the model is speaking.
func talk(ctx context.Context, e *handoff.Engine) error {
	for i, text := range []string{"Where is my order?", "Somebody committed fraud with my card!"} {
		fmt.Println("user:", text)
		turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: fmt.Sprint(i), Text: text})
		if err != nil {
			return err
		}
		if err := answer(ctx, e, turn, text); err != nil {
			return err
		}
	}
	h, err := e.Latest(ctx, "c")
	if err != nil {
		return err
	}
	if h.Reason != "fraud" {
		return fmt.Errorf("nobody was asked for: %s", h.State)
	}

	fmt.Println("user: Where is the order of my mother?")
	turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "d", ID: "1", Text: "Where is the order of my mother?"})
	if err != nil {
		return err
	}
	time.AfterFunc(300*time.Millisecond, func() {
		if _, err := e.TakeOver(ctx, turn.ID(), handoff.By("sam"), "security"); err != nil {
			log.Print(err)
		}
	})
	if err := answer(ctx, e, turn, "order"); !errors.Is(err, handoff.ErrStale) {
		return fmt.Errorf("the model spoke on: %w", err)
	}
	_, err = e.Send(ctx, turn.ID(), handoff.By("sam"), handoff.Message{Text: "Hi, Sam here. I know your mother's order."})
	time.Sleep(200 * time.Millisecond)
	return err
}
