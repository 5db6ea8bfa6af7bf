package vendortest

import (
	"context"
	"errors"
	"sync"
)

// A Pipe is one end of a connection in memory: a provider.Conn without a network,
// also for bubbles. What is written at one end is read at the other.
type Pipe struct {
	in, out chan []byte
	closed  chan struct{}
	once    *sync.Once
}

// ErrCut is what a [Pipe] returns that is closed at either end.
var ErrCut = errors.New("vendortest: the connection is over")

// NewPipe returns both ends of a connection.
func NewPipe() (here, there *Pipe) {
	const most = 64 // messages that wait to be read
	a, b, closed, once := make(chan []byte, most), make(chan []byte, most), make(chan struct{}), new(sync.Once)
	return &Pipe{in: a, out: b, closed: closed, once: once}, &Pipe{in: b, out: a, closed: closed, once: once}
}

// Read implements provider.Conn. What was written before the end is read.
func (p *Pipe) Read(ctx context.Context) ([]byte, error) {
	if m, ok := p.Take(); ok {
		return m, nil
	}
	select {
	case m := <-p.in:
		return m, nil
	case <-p.closed:
		return nil, ErrCut
	case <-ctx.Done():
		_ = p.Close()
		return nil, ctx.Err()
	}
}

// Take returns the next message if there is one.
func (p *Pipe) Take() (message []byte, ok bool) {
	select {
	case m := <-p.in:
		return m, true
	default:
		return nil, false
	}
}

// Write implements provider.Conn. Who does not read loses the connection.
func (p *Pipe) Write(ctx context.Context, message []byte) error {
	select {
	case <-p.closed:
		return ErrCut
	default:
	}
	if ctx.Err() != nil {
		_ = p.Close()
		return ctx.Err()
	}
	select {
	case p.out <- append([]byte(nil), message...):
		return nil
	default: // nobody has read for long
		_ = p.Close()
		return ErrCut
	}
}

// Close implements provider.Conn, for both ends.
func (p *Pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Closed is closed when the connection is over.
func (p *Pipe) Closed() <-chan struct{} { return p.closed }
