// Command quickstart plays a conversation from bot to person and back: what
// the user sees on the left, what the agents see on the right.
//
//	go run ./examples/quickstart      plays conversation.txt
//	go run ./examples/quickstart -i   you are the user, and the agents too
package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

//go:embed conversation.txt
var conversation string

func main() {
	interactive := flag.Bool("i", false, "type the lines yourself; Ctrl-D ends")
	flag.Parse()

	lines, between := io.Reader(strings.NewReader(conversation)), pace
	if *interactive {
		fmt.Print(help)
		lines, between = os.Stdin, 0
	}
	if err := run(context.Background(), lines, newScreen(os.Stdout, colour()), between); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pace is the time between two lines of the script.
const pace = 350 * time.Millisecond

const help = `You are Dana. Write to the bot, lose patience, ask for a person.
You are the agents Ann (billing) and Ben (supervisors), too:

  @ann /accept              take what is offered
  @ann Hello!               write to the user
  @ann /note for colleagues
  @ann /transfer ben why    she keeps the chat until @ben /accept
  @ann /return what was done
  @ann /done                end the chat
  <kim> I want a person     somebody else gets into the queue

`

// run makes an engine, plays the lines and ends.
func run(ctx context.Context, lines io.Reader, s *screen, pace time.Duration) error {
	h, err := newHost(s)
	if err != nil {
		return err
	}
	engine, err := handoff.New(handoff.Config{
		Store:     memstore.New(),
		Directory: staff,
		Queues:    []handoff.Queue{{Name: "billing", PlaceEvery: 100 * time.Millisecond}},
		Channel:   h, // what users see
		Bot:       h, // how the bot hears that it has the user back
		Sinks:     map[string]handoff.Sink{"desk": h.desk},
	})
	if err != nil {
		return err
	}
	h.engine, h.desk.engine = engine, engine

	ctx, stop := context.WithCancel(ctx)
	over := make(chan error, 1)
	go func() { over <- engine.Run(ctx) }()
	s.start()
	err = h.play(ctx, lines, pace)
	stop()
	return errors.Join(err, <-over, s.close())
}

// staff is who works here. Only Ann serves the queue.
var staff = handoff.Staff{
	{ID: "ann", Name: "Ann", Queues: []string{"billing"}, Skills: map[string]int{"disputes": 1}, Seats: 1},
	{ID: "ben", Name: "Ben", Queues: []string{"supervisors"}, Skills: map[string]int{"disputes": 3}, Seats: 1},
}

// play does what the lines say, one after the other. A script stops at an
// error; a person sees it and goes on.
func (h *host) play(ctx context.Context, lines io.Reader, pace time.Duration) error {
	in := bufio.NewScanner(lines)
	for in.Scan() {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		var err error
		switch who, text, _ := strings.Cut(line, " "); who[0] {
		case '@':
			err = h.desk.do(ctx, who[1:], text)
		case '<':
			err = h.hear(ctx, strings.Trim(who, "<>"), text)
		default:
			err = h.hear(ctx, "dana", line)
		}
		if err != nil && pace > 0 {
			return fmt.Errorf("%s: %w", line, err)
		} else if err != nil {
			h.screen.right(cell{text: err.Error(), style: red})
		}
		pause(ctx, pace)
	}
	pause(ctx, time.Second) // what is on its way still arrives
	return in.Err()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
