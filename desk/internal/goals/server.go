package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// others are pages in another process.
type others struct {
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

func begin(ctx context.Context, kind, url string, n int) (*others, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-pages", kind, "-url", url, "-n", strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	o := &others{in, bufio.NewReader(out), cmd}
	if line, err := o.out.ReadString('\n'); err != nil || strings.TrimSpace(line) != "ready" {
		return nil, fmt.Errorf("the pages did not begin: %w", errors.Join(err, o.cmd.Wait()))
	}
	return o, nil
}

// end returns what the pages have measured.
func (o *others) end() (series, error) {
	_ = o.in.Close()
	var s series
	err := json.NewDecoder(o.out).Decode(&s)
	return s, errors.Join(err, o.cmd.Wait())
}

// views measures what a desk keeps of what is open, beside the store.
func views(ctx context.Context, large int) error {
	for _, of := range []struct{ n, most int }{{1000, 2}, {large, 150}} {
		if of.n == 0 {
			continue
		}
		h, err := newHost(ctx, 1)
		if err != nil {
			return err
		}
		if err := h.ask(ctx, "v", of.n); err != nil {
			return err
		}
		before := held()
		if err := h.up(ctx); err != nil {
			return err
		}
		mib := (held() - before) / (1 << 20)
		goal(fmt.Sprintf("server's view of %d handoffs", of.n), fmt.Sprintf("%.1f MiB", mib), mib <= float64(of.most), fmt.Sprintf("%d MiB", of.most))
		h.down()
		runtime.KeepAlive(h.engine) // the store is in both figures
	}
	return nil
}

// streams measures what a page that only listens costs the server.
func streams(ctx context.Context) error {
	const n = 1000
	h, err := newHost(ctx, n)
	if err != nil {
		return err
	}
	if err := h.up(ctx); err != nil {
		return err
	}
	defer h.down()
	before := held()
	o, err := begin(ctx, "idle", h.url(), n)
	if err != nil {
		return err
	}
	kib := (held() - before) / n / 1024
	goal("server memory of an idle stream, of 1000", fmt.Sprintf("%.1f KiB", kib), kib <= 40, "40 KiB")
	_, err = o.end()
	return err
}

// idle measures a request that does nothing.
func (h *host) idle(ctx context.Context) (series, error) {
	p, s := page{base: h.url()}, series{}
	for range 200 {
		from := time.Now()
		if err := p.get(ctx, "healthz"); err != nil {
			return nil, err
		}
		s = append(s, float64(time.Since(from).Microseconds())/1000)
	}
	return s, nil
}

// fanOut measures from the call of the engine until the page of the one who has
// the conversation is told, while 500 listen; and how many events a burst is.
func fanOut(ctx context.Context) error {
	const n, rate, seconds = 500, 100, 5
	h, err := newHost(ctx, n)
	if err != nil {
		return err
	}
	if err := h.ask(ctx, "a", n); err != nil {
		return err
	}
	for i := range n {
		id, agent := handoff.ID{Conversation: fmt.Sprint("a", i), Number: 1}, fmt.Sprint("a", i)
		if _, err := h.engine.TakeOver(ctx, id, handoff.By(agent), "q"); err != nil {
			return err
		}
	}
	if err := h.up(ctx); err != nil {
		return err
	}
	defer h.down()
	empty, err := h.idle(ctx)
	if err != nil {
		return err
	}
	o, err := begin(ctx, "owners", h.url(), n)
	if err != nil {
		return err
	}
	every := time.NewTicker(time.Second / rate)
	defer every.Stop()
	for i := range rate * seconds {
		<-every.C
		text := "at " + strconv.FormatInt(time.Now().UnixMicro(), 10)
		if _, err := h.engine.Receive(ctx, handoff.Incoming{Conversation: fmt.Sprint("a", i*7%n), ID: fmt.Sprint("m", i), Text: text}); err != nil {
			return err
		}
	}
	pause(ctx, time.Second)
	s, err := o.end()
	if err != nil {
		return err
	}
	if len(s) < rate*seconds {
		fmt.Printf("%d of %d messages came\n", len(s), rate*seconds)
	}
	fmt.Printf("%-50s %.2f ms %s\n", "a request that does nothing", empty.at(.5), empty.middle())
	for _, q := range []struct {
		name     string
		at, most float64
	}{{"median", .5, 25}, {"99 in 100", .99, 25}} {
		goal("a message to its owner, of 500, 100/s, "+q.name, fmt.Sprintf("%.1f ms %s; %.0f × nothing", s.at(q.at), s.middle(), s.at(q.at)/empty.at(.5)),
			s.at(q.at) <= q.most, fmt.Sprintf("%.0f ms", q.most))
	}
	return h.burst(ctx)
}

// burst counts what a page is told while 500 ask within a second.
func (h *host) burst(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p, told, begun := page{base: h.url(), actor: "a0"}, make(chan string, 10_000), make(chan struct{})
	go func() {
		_ = p.listen(ctx, func(name string, data []byte) error { // it ends with the test
			if name == "reset" {
				close(begun)
			}
			told <- name + " " + string(data)
			return nil
		})
	}()
	<-begun
	if err := h.ask(ctx, "burst", 500); err != nil {
		return err
	}
	for n := 0; ; {
		select {
		case e := <-told:
			if strings.HasPrefix(e, "rows ") || strings.HasPrefix(e, "queues ") {
				n++
			}
			if strings.HasPrefix(e, "queues ") && strings.Contains(e, `"waiting":500`) {
				goal("events that tell of a burst of 500", strconv.Itoa(n), n <= 10, "10")
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// storm takes the server down under 500 pages and begins another.
func storm(ctx context.Context) error {
	const n = 500
	h, err := newHost(ctx, n)
	if err != nil {
		return err
	}
	if err := h.ask(ctx, "s", n); err != nil {
		return err
	}
	if err := h.up(ctx); err != nil {
		return err
	}
	o, err := begin(ctx, "storm", h.url(), n)
	if err != nil {
		return err
	}
	h.down() // the pages come back, as the scripts do, after a second and after two more, each a little different
	pause(ctx, 1500*time.Millisecond)
	busy, from := spent(), time.Now()
	if err := h.up(ctx); err != nil {
		return err
	}
	defer h.down()
	pause(ctx, 6*time.Second) // those that are not live by then are missed
	busy = spent() - busy
	s, err := o.end()
	if err != nil {
		return err
	}
	for i := range s {
		s[i] -= float64(from.UnixMicro()) / 1000
	}
	if len(s) == 0 {
		return errors.New("no page came back")
	}
	last, half := s.at(1)/1000, s.at(.5)/1000
	goal("500 pages after a restart, all live", fmt.Sprintf("%d live, the last after %.1f s (half after %.1f)", len(s), last, half),
		len(s) == n && last <= 5, "5 s")
	if busy > 0 {
		goal("processor time of that, in the server", fmt.Sprintf("%.2f s", busy.Seconds()), busy <= 2*time.Second, "2 s")
	}
	return nil
}
