package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// The gate under fire: a bot that needs half a minute for each answer and shows
// it bit by bit, while users, agents and supervisors do everything at once on
// two engines. HANDOFF_GATE_ROUNDS is the number of conversations.

// A screen is a channel that keeps what users see in the order in which they
// see it, streamed bits included.
type screen struct {
	mu    sync.Mutex
	shown map[string][]sight
	ids   map[string]bool
}

// A sight is a message, or a bit of one.
type sight struct {
	at    time.Time
	m     handoff.UserMessage
	chunk *handoff.Chunk
}

func newScreen() *screen { return &screen{shown: map[string][]sight{}, ids: map[string]bool{}} }

func (s *screen) Show(_ context.Context, conversation string, m handoff.UserMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := conversation + "\x00" + m.ID; !s.ids[key] { // a repeat is dropped
		s.ids[key] = true
		s.shown[conversation] = append(s.shown[conversation], sight{at: time.Now(), m: m})
	}
	return nil
}

func (s *screen) ShowChunk(_ context.Context, conversation string, c handoff.Chunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown[conversation] = append(s.shown[conversation], sight{at: time.Now(), chunk: &c})
	return nil
}

func (s *screen) saw(conversation string) []sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shown[conversation])
}

// answered returns the messages that a text answers: "bot: m1 m2".
func answered(text string) []string { return strings.Fields(text)[1:] }

// A gate is one round.
type gate struct {
	r            *handofftest.Rig
	engines      []*handoff.Engine
	conversation string
	rnd          *rand.Rand
	wrote        []string
	bots         sync.WaitGroup
}

// some returns one of the engines. Only the round's own two goroutines call
// it, each with a source of its own.
func some(rnd *rand.Rand, engines []*handoff.Engine) *handoff.Engine {
	return engines[rnd.IntN(len(engines))]
}

// stream answers a turn in 30 bits, one a second.
func stream(ctx context.Context, e *handoff.Engine, t handoff.Turn) error {
	ids := asked(t)
	if len(ids) == 0 {
		return nil
	}
	wctx, cancel := e.WhileTurn(ctx, t)
	defer cancel()
	s, err := e.Stream(ctx, t, "answer")
	if err != nil {
		return err
	}
	words := append([]string{"bot:"}, ids...)
	for i := range 30 {
		bit := ""
		if i < len(words) {
			bit = words[i] + " "
		}
		if err := s.Write(ctx, bit+"\n"); err != nil {
			return err
		}
		select {
		case <-wctx.Done():
		case <-time.After(time.Second):
		}
	}
	_, err = s.Close(ctx)
	return err
}

// user writes a few messages, one after the other, and some of them twice.
func (g *gate) user(rnd *rand.Rand) {
	for i := range 1 + rnd.IntN(4) {
		id := "m" + strconv.Itoa(i+1)
		g.wrote = append(g.wrote, id)
		turn := g.receive(rnd, id)
		if turn.Open() {
			e, naive := some(rnd, g.engines), time.Duration(max(0, rnd.IntN(60)-30))*time.Second
			g.bots.Go(func() { g.answer(e, turn, naive) })
		}
		time.Sleep(time.Duration(rnd.IntN(20_000)) * time.Millisecond)
		// The channel delivers something again, at once or after control moved.
		if id := g.wrote[rnd.IntN(len(g.wrote))]; g.receive(rnd, id).Open() {
			g.r.T.Errorf("%s: a repeat of %s opened a turn", g.conversation, id)
		}
		time.Sleep(time.Duration(rnd.IntN(5_000)) * time.Millisecond)
	}
}

func (g *gate) receive(rnd *rand.Rand, id string) handoff.Turn {
	turn, err := some(rnd, g.engines).Receive(g.r.Ctx, handoff.Incoming{Conversation: g.conversation, ID: id, Text: id})
	if err != nil {
		g.r.T.Errorf("Receive: %v", err)
	}
	return turn
}

// answer is the bot. A naive one thinks for a while and then replies, whatever
// has happened.
func (g *gate) answer(e *handoff.Engine, t handoff.Turn, naive time.Duration) {
	var err error
	if naive > 0 {
		time.Sleep(naive)
		_, err = e.Reply(g.r.Ctx, t, handoff.Message{ID: "answer", Text: "bot: " + strings.Join(asked(t), " ")})
	} else {
		err = stream(g.r.Ctx, e, t)
	}
	if err != nil && !errors.Is(err, handoff.ErrStale) {
		g.r.T.Errorf("the bot's answer: %v", err)
	}
}

// asked returns the ids of a turn's messages.
func asked(t handoff.Turn) (ids []string) {
	for _, m := range t.Messages {
		ids = append(ids, m.ID)
	}
	return ids
}

// staff does anything at any time.
func (g *gate) staff(rnd *rand.Rand) {
	ctx, ann, sup := g.r.Ctx, handoff.By("ann"), handoff.BySupervisor("ann")
	for range 4 + rnd.IntN(8) {
		time.Sleep(time.Duration(rnd.IntN(12_000)) * time.Millisecond)
		e := some(rnd, g.engines)
		h, err := e.Latest(ctx, g.conversation)
		if err != nil {
			continue
		}
		switch rnd.IntN(12) {
		case 0:
			_, err = e.TakeOver(ctx, h.ID, ann, "support")
		case 1, 2, 3, 4, 5:
			_, err = e.Request(ctx, handoff.Request{Conversation: g.conversation, Queue: "support"})
		case 6, 7:
			if o, ok := h.Offer("ann"); ok {
				_, err = e.Accept(ctx, h.ID, ann, o.Number)
			}
		case 8, 9:
			err = g.reply(e, &h)
		case 10:
			_, err = e.Return(ctx, h.ID, sup, "")
		case 11:
			_, err = e.Cancel(ctx, g.conversation, false)
		}
		g.fine(err)
	}
}

// reply answers, as the agent, all that he has seen.
func (g *gate) reply(e *handoff.Engine, h *handoff.Handoff) error {
	if len(h.Pending) == 0 {
		return nil
	}
	text := "ann:"
	for _, p := range h.Pending {
		text += " " + p.Message
	}
	time.Sleep(4 * time.Second) // he types, and sees nothing of what comes meanwhile
	_, err := e.Send(g.r.Ctx, h.ID, handoff.By("ann"), handoff.Message{Text: text, Seen: h.Seq})
	return err
}

// fine fails the test unless err is a typed refusal.
func (g *gate) fine(err error) {
	for _, ok := range []error{
		nil, handoff.ErrState, handoff.ErrNotHolder, handoff.ErrWithdrawn, handoff.ErrExpired,
		handoff.ErrNotFound, handoff.ErrStale, handoff.ErrInvalid,
	} {
		if errors.Is(err, ok) {
			return
		}
	}
	g.r.T.Errorf("%s: %v", g.conversation, err)
}

// settle ends the human stretches and lets the bot finish.
func (g *gate) settle() {
	ctx := g.r.Ctx
	for range 60 {
		h, err := g.engines[0].Latest(ctx, g.conversation)
		if err != nil {
			g.r.T.Errorf("Latest: %v", err)
			return
		}
		switch {
		case h.State == handoff.StateActive:
			_, err = g.engines[1].Return(ctx, h.ID, handoff.By("ann"), "")
		case h.State != handoff.StateBot && h.IsOpen():
			_, err = g.engines[1].Cancel(ctx, g.conversation, false)
		case len(h.Pending) == 0:
			return
		}
		g.fine(err)
		time.Sleep(10 * time.Second)
	}
	g.r.T.Errorf("%s is not settled", g.conversation)
}

// check looks at what the user saw.
func (g *gate) check(s *screen) error {
	count := map[string]int{}
	bot := true                    // who has the user, as far as he was told
	streams := map[string]string{} // bits that were neither completed nor taken back
	for i, v := range s.saw(g.conversation) {
		switch c, m := v.chunk, v.m; {
		case c != nil && c.Retract:
			delete(streams, c.ID)
		case c != nil:
			if !bot {
				return fmt.Errorf("%d: a bit of the bot's answer while a person has the user", i)
			}
			streams[c.ID] += c.Text
		case m.Notice != "":
			switch m.Notice {
			case handoff.NoticeWaiting, handoff.NoticeJoined, handoff.NoticeTakeOver:
				bot = false
			case handoff.NoticeReturned, handoff.NoticeCancelled, handoff.NoticeEnded:
				bot = true
			case handoff.NoticeUnanswered:
				return fmt.Errorf("%d: the user was told that nobody answers", i)
			}
			if len(streams) > 0 {
				return fmt.Errorf("%d: notice %s in the middle of a stream", i, m.Notice)
			}
		case m.From.Role == handoff.RoleBot:
			if !bot {
				return fmt.Errorf("%d: %q while a person has the user", i, m.Text)
			}
			if bits, ok := streams[m.ID]; ok && bits != m.Text {
				return fmt.Errorf("%d: the bits %q are not the answer %q", i, bits, m.Text)
			}
			delete(streams, m.ID)
			fallthrough
		case m.From.Role == handoff.RoleAgent:
			for _, id := range answered(m.Text) {
				count[id]++
			}
		}
	}
	for _, id := range g.wrote {
		if count[id] != 1 {
			return fmt.Errorf("%s was answered %d times", id, count[id])
		}
	}
	if len(count) != len(g.wrote) || len(streams) > 0 {
		return fmt.Errorf("answers %v to %v; open streams %v", count, g.wrote, streams)
	}
	return nil
}

func TestGateUnderFire(t *testing.T) {
	rounds := 100
	if n, err := strconv.Atoi(os.Getenv("HANDOFF_GATE_ROUNDS")); err == nil {
		rounds = n
	}
	const atATime = 50
	for first := 0; first < rounds; first += atATime {
		n := min(atATime, rounds-first)
		view := newScreen()
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			engines := []*handoff.Engine{r.Engine, r.Replica()}
			r.Agent("ann", 2*atATime)
			r.Bot.Do = func(_ context.Context, e *handoff.Engine, c handoff.BotCall) error {
				// The answer takes longer than a delivery may: it is given apart.
				go func() {
					if err := stream(r.Ctx, e, c.Turn); err != nil && !errors.Is(err, handoff.ErrStale) {
						t.Errorf("stream: %v", err)
					}
				}()
				return nil
			}
			gates := make([]*gate, n)
			var wg sync.WaitGroup
			for i := range gates {
				g := &gate{r: r, engines: engines, conversation: talk(first + i)}
				gates[i] = g
				wg.Go(func() {
					var storm sync.WaitGroup
					storm.Go(func() { g.user(rand.New(rand.NewPCG(1, uint64(first+i)))) })
					storm.Go(func() { g.staff(rand.New(rand.NewPCG(2, uint64(first+i)))) })
					storm.Wait()
					g.settle()
					g.bots.Wait()
				})
			}
			wg.Wait()
			r.Sleep(2 * time.Minute)
			for _, g := range gates {
				if err := g.check(view); err != nil {
					for i, v := range view.saw(g.conversation) {
						t.Logf("%d %s %v %+v", i, v.at.Format("04:05.000"), v.chunk, v.m)
					}
					t.Fatalf("round %s: %v", g.conversation, err)
				}
			}
		}, func(c *handoff.Config) {
			c.Channel, c.BotTimeout = view, 5*time.Minute
			c.Queues = []handoff.Queue{{Name: "support", Ladder: patient(), OfferTimeout: time.Hour}}
		})
	}
}

// A take-over at second 10 of a stream lets not one bit more through.
func TestGateTakeOverStopsTheStream(t *testing.T) {
	view := newScreen()
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		other := r.Replica()
		r.Agent("ann", 1)
		turn := r.Says("c1", "m1")
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- stream(r.Ctx, r.Engine, turn) }()
		r.Sleep(10*time.Second + 500*time.Millisecond)
		_, err := other.TakeOver(r.Ctx, handoff.ID{Conversation: "c1", Number: 1}, handoff.By("ann"), "support")
		require.NoError(t, err)
		taken := time.Now()
		require.ErrorIs(t, <-done, handoff.ErrStale)
		r.Sleep(time.Minute)

		bits, retracted := 0, false
		for _, v := range view.saw("c1") {
			switch {
			case v.chunk != nil && v.chunk.Retract:
				retracted = true
			case v.chunk != nil:
				bits++
				require.False(t, v.at.After(taken), "a bit at %s", v.at.Sub(start))
			default:
				require.Equal(t, handoff.NoticeTakeOver, v.m.Notice, "nothing else is shown")
				require.True(t, retracted, "after what was begun was taken back")
				require.Less(t, v.at.Sub(taken), 3*time.Second, "and soon")
			}
		}
		require.Equal(t, 11, bits, "one a second, from 0 to 10")
		require.Equal(t, 1, times(kinds(r, handoff.ID{Conversation: "c1", Number: 1}), handoff.KindRetracted))
		require.Len(t, r.Last("c1").Pending, 1, "the message is the agent's now")
	}, func(c *handoff.Config) { c.Channel = view })
}
