package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A page does what the scripts do: it listens to the stream, reads everything
// after a reset, and comes back, with the scripts' pauses, when the stream ends.
type page struct {
	base, actor string
	client      *http.Client
}

func (p *page) call(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, in)
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Actor", p.actor)
	r.Header.Set("Content-Type", "application/json")
	client := p.client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(r)
	if err == nil && res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, res.Status)
	}
	return res, err
}

func (p *page) get(ctx context.Context, path string) error {
	res, err := p.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func (p *page) post(ctx context.Context, path string, body any) error {
	res, err := p.call(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

// listen reads a stream until it ends, and calls f with each event. It shares the
// processors with the server that is measured, and so makes nothing of what
// nobody looks at.
func (p *page) listen(ctx context.Context, f func(name string, data []byte) error) error {
	res, err := p.call(ctx, http.MethodGet, "api/events?session=s", nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	name, lines := "", bufio.NewScanner(res.Body)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if s, ok := bytes.CutPrefix(lines.Bytes(), []byte("event: ")); ok {
			name = string(s)
		} else if s, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
			if err := f(name, s); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

// pages is the other process: it says "ready" when all pages are, and what they
// have measured when its input ends.
func pages(ctx context.Context, kind, base string, n int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext, MaxIdleConnsPerHost: 2 * n}}
	var ready sync.WaitGroup
	ready.Add(n)
	var mu sync.Mutex
	measured := series{}
	note := func(ms float64) {
		mu.Lock()
		defer mu.Unlock()
		measured = append(measured, ms)
	}
	for i := range n {
		p := &page{base: base, actor: fmt.Sprint("a", i), client: client}
		go p.run(ctx, kind, sync.OnceFunc(ready.Done), note)
	}
	ready.Wait()
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	mu.Lock()
	defer mu.Unlock()
	return json.NewEncoder(os.Stdout).Encode(measured)
}

// run is the life of a page. Of a storm it notes when, in milliseconds since
// 1970, it is live again; of owners how long each message took.
func (p *page) run(ctx context.Context, kind string, ready func(), note func(float64)) {
	const first = time.Second
	live, wait := 0, first
	for ctx.Err() == nil {
		_ = p.listen(ctx, func(name string, data []byte) error { // however it ends, the page comes back
			switch {
			case name == "reset" && kind == "owners":
				if err := p.post(ctx, "api/viewing", map[string]string{"session": "s", "tab": "t", "id": "1." + p.actor}); err != nil {
					return err
				}
				ready()
			case name == "reset":
				if kind == "storm" { // everything else came with it
					if err := p.get(ctx, "api/team"); err != nil {
						return err
					}
				}
				if live++; live > 1 {
					note(float64(time.Now().UnixMicro()) / 1000)
				}
				wait = first
				ready()
			case name == "entries":
				_, text, _ := strings.Cut(string(data), `"text":"at `)
				text, _, _ = strings.Cut(text, `"`)
				if sent, err := strconv.ParseInt(text, 10, 64); err == nil {
					note(float64(time.Now().UnixMicro()-sent) / 1000)
				}
			}
			return nil
		})
		pause(ctx, time.Duration(float64(wait)*(0.7+0.6*rand.Float64())))
		wait = min(2*wait, 30*time.Second)
	}
}
