// Goals prints how quick and how small the desk's pages are in a real browser
// against what was aimed at, one line for each goal: name, figure, bound, met or
// missed. Times are medians with the quartiles around them, and as a ratio to an
// empty page of the same server in the same browser. Without Chromium it says so
// and measures nothing: make goals-desk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

func main() {
	rounds := flag.Int("rounds", 15, "loads of a page for each figure")
	flag.Parse()
	path := chromium()
	if path == "" {
		fmt.Println("NOT MEASURED in a browser: no Chromium is installed (apt-get install chromium)")
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Minute)
	defer stop()
	if err := run(ctx, path, *rounds); err != nil {
		log.Print(err)
		stop()
		os.Exit(1)
	}
}

func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

// A host is an engine with 500 who wait, and a desk on a server. Ann has what
// she accepts.
type host struct {
	engine *handoff.Engine
	desk   *desk.Handler
	url    string
	away   atomic.Bool // nothing of the API answers
}

func serve(ctx context.Context) (*host, error) {
	presence := memstore.NewPresence()
	e, err := handoff.New(handoff.Config{
		Store: memstore.New(), Presence: presence, Poll: 20 * time.Millisecond,
		Directory: memstore.NewDirectory(handoff.Agent{ID: "ann", Name: "Ann Moreau", Queues: []string{"billing"}, Seats: 100}),
		Queues:    []handoff.Queue{{Name: "billing", Style: handoff.Pull, Ladder: []handoff.Rung{{After: 24 * time.Hour, Do: handoff.ToBot}}}},
	})
	if err != nil {
		return nil, err
	}
	d, err := desk.New(desk.Config{Engine: e, Auth: func(*http.Request) (desk.Actor, error) {
		return desk.Actor{ID: "ann", Name: "Ann Moreau", Role: desk.Agent, Queues: []string{"billing"}}, nil
	}})
	if err != nil {
		return nil, err
	}
	if err := presence.Want(ctx, "ann", true, "", time.Now()); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	h := &host{engine: e, desk: d, url: "http://" + listener.Addr().String()}
	mux.Handle("/desk/", http.StripPrefix("/desk", d))
	mux.HandleFunc("/desk/api/", func(w http.ResponseWriter, r *http.Request) {
		if h.away.Load() {
			http.Error(w, "gone", http.StatusBadGateway)
			return
		}
		http.StripPrefix("/desk", d).ServeHTTP(w, r)
	})
	mux.HandleFunc("/empty", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><html lang=en><title>Empty</title><p>Nothing</p></html>"))
	})
	go func() { _ = e.Run(ctx) }()
	go func() { _ = d.Run(ctx) }()
	go func() { _ = (&http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}).Serve(listener) }()
	return h, h.ask(ctx, "q", 500)
}

// ask lets n users wait.
func (h *host) ask(ctx context.Context, name string, n int) error {
	for i := range n {
		c := fmt.Sprint(name, i)
		_, err := h.engine.Receive(ctx, handoff.Incoming{Conversation: c, ID: "1", Text: "Hello, it is about my order", User: &handoff.Contact{ID: c, Name: "Customer " + c}})
		if err != nil {
			return err
		}
		if _, err := h.engine.Request(ctx, handoff.Request{Conversation: c, Queue: "billing"}); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, path string, rounds int) error {
	h, err := serve(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "desk-goals-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	alloc, cancel := chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.UserDataDir(dir), chromedp.WindowSize(1280, 800), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("mute-audio", true))
	defer cancel()
	tab, cancel := chromedp.NewContext(alloc)
	defer cancel()
	b := &browser{ctx: tab, host: h, rounds: rounds}
	if err := b.prepare(); err != nil {
		return err
	}
	return errors.Join(b.loads(), b.accepts(), b.paints(), b.writes(), b.burst(), b.recovers(), b.memory())
}

// A series is a list of measurements in milliseconds.
type series []float64

// at returns a quantile.
func (s series) at(q float64) float64 {
	x := slices.Clone(s)
	slices.Sort(x)
	return x[min(int(q*float64(len(x))), len(x)-1)]
}

// goal prints a line.
func goal(name, figure string, met bool, bound string) {
	verdict := "met"
	if !met {
		verdict = "missed"
	}
	fmt.Printf("%-50s %-52s at most %-9s %s\n", name, figure, bound, verdict)
}

// timed prints a goal for a quantile of a series beside its middle half, and how
// often the median of an empty page it is; empty 0 leaves that out.
func timed(name string, s series, q, most, empty float64) {
	parts := []string{fmt.Sprintf("%.0f ms", s.at(q)), fmt.Sprintf("(%.0f to %.0f, n %d", s.at(.25), s.at(.75), len(s))}
	if empty > 0 {
		parts[1] += fmt.Sprintf("; %.1f × empty page", s.at(q)/empty)
	}
	goal(name, strings.Join(parts, " ")+")", s.at(q) <= most, fmt.Sprintf("%.0f ms", most))
}
