package provider

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// A Conn is a connection on which text messages go both ways: a websocket. One
// goroutine reads from it while another writes, and either closes it.
type Conn interface {
	// Read returns the next message. After an error, the context's among them,
	// the connection is of no use.
	Read(ctx context.Context) ([]byte, error)

	// Write sends a message.
	Write(ctx context.Context, message []byte) error

	// Close ends the connection, and what waits in Read and Write. Once more has
	// no effect.
	Close() error
}

// A Dialer opens a connection to a ws or wss address. ctx is that of the opening
// alone. Package provider/websocket, a module of its own, has one; this module
// depends on no websocket library.
type Dialer func(ctx context.Context, address string, h http.Header) (Conn, error)

// MaxMessage is the longest message that is taken from a [Conn]. A Dialer that
// can cut longer ones off while they are read should.
const MaxMessage = 256 << 10

// ErrUnwanted says, as an error of what a [Socket] calls, that the platform does not want the
// connection: the next one is tried minutes later.
var ErrUnwanted = errors.New("the platform does not want this connection")

// A Socket keeps one connection to a platform, for as long as it runs: when one is
// over, for whatever reason, there is another one after a while. It is for what can
// be lost: a platform that cannot be reached, or that says nothing sensible, is no
// error, and nothing of it is logged. To see why there is none, wrap the Dialer.
//
// What is sent is JSON. Begin, Hear and Lost are called one after the other, Hear
// while other messages wait.
type Socket struct {
	Dial    Dialer
	Address string
	Header  http.Header

	// Begin returns what is said first on a new connection.
	Begin func(ctx context.Context) ([]any, error)

	// Hear takes a message, and returns what is answered. An error ends the
	// connection.
	Hear func(ctx context.Context, message []byte) ([]any, error)

	// Lost, if it is not nil, is called when a connection is over and the Socket
	// goes on.
	Lost func(ctx context.Context)

	// Say, if it is not nil, has what is said besides, on a connection that has begun.
	// Without one nobody takes it.
	Say <-chan any

	Ping  any   // is said every 15 seconds, and something has to be heard for it
	Leave []any // is said before the last connection is closed
}

const (
	pingEvery = 15 * time.Second
	silence   = 3 * pingEvery
	dialTime  = 15 * time.Second
	writeTime = 10 * time.Second
	partTime  = time.Second // for what is said last

	// How long there is no connection: doubled each time, and from the beginning
	// after one that lasted.
	firstGap    = time.Second
	longestGap  = time.Minute
	unwantedGap = 10 * time.Minute
)

// Run runs until ctx ends. It leaves nothing behind.
func (s *Socket) Run(ctx context.Context) {
	for gap := firstGap; ctx.Err() == nil; {
		began := time.Now()
		err := s.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if s.Lost != nil {
			s.Lost(ctx)
		}
		if time.Since(began) >= longestGap {
			gap = firstGap
		}
		d := gap
		if errors.Is(err, ErrUnwanted) {
			d = unwantedGap
		}
		if !rest(ctx, d/2+rand.N(d/2+1)) {
			return
		}
		gap = min(2*gap, longestGap)
	}
}

// rest waits for d, and reports false if ctx ends before.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

var errDial = errors.New("the dialer returned nothing")

// once is one connection. This goroutine writes, another one reads.
func (s *Socket) once(ctx context.Context) error {
	dctx, cancel := context.WithTimeout(ctx, dialTime)
	c, err := s.Dial(dctx, s.Address, s.Header.Clone())
	cancel()
	if err == nil && c == nil {
		err = errDial
	}
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // again, where it got further
	bctx, cancel := context.WithTimeout(ctx, dialTime)
	first, err := s.Begin(bctx)
	cancel()
	if err == nil {
		err = say(ctx, c, writeTime, first...)
	}
	if err != nil {
		return err
	}

	// What is read has a context of its own: the end of ctx must not break the
	// connection before the last words.
	rctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	answers, over := make(chan []any), make(chan struct{})
	var end error // of what is read, once that is over
	go func() { defer close(over); end = s.listen(rctx, ctx, c, answers) }()
	defer func() {
		_ = c.Close()
		stop()
		<-over
	}()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		var words []any
		select {
		case <-ctx.Done():
			_ = say(context.WithoutCancel(ctx), c, partTime, s.Leave...)
			return ctx.Err()
		case <-over:
			return end
		case words = <-answers:
		case word := <-s.Say:
			words = []any{word}
		case <-tick.C:
			if s.Ping != nil {
				words = []any{s.Ping}
			}
		}
		if err := say(ctx, c, writeTime, words...); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// listen reads until the connection is over.
func (s *Socket) listen(rctx, ctx context.Context, c Conn, answers chan<- []any) error {
	for {
		message, err := read(rctx, c)
		if err != nil {
			return err
		}
		if len(message) > MaxMessage {
			continue
		}
		words, err := s.Hear(ctx, message)
		if err != nil {
			return err
		}
		if len(words) == 0 {
			continue
		}
		select {
		case answers <- words:
		case <-rctx.Done():
			return rctx.Err()
		}
	}
}

// read reads a message, if there is one in time.
func read(ctx context.Context, c Conn) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return c.Read(ctx)
}

// say writes words, all of them within d.
func say(ctx context.Context, c Conn, d time.Duration, words ...any) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for _, w := range words {
		b, err := json.Marshal(w)
		if err == nil {
			err = c.Write(ctx, b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// SocketAddress returns the ws or wss address for an http or https one.
func SocketAddress(address string) string {
	if rest, ok := strings.CutPrefix(address, "http"); ok {
		return "ws" + rest
	}
	return address
}
