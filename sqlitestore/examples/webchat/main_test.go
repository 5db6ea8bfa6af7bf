package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// call serves a request of a user or an agent.
func call(ctx context.Context, t *testing.T, method, address, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func listen(ctx context.Context, t *testing.T) (net.Listener, string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener, "http://" + listener.Addr().String()
}

const user = "/chat/api/web-0123456789abcdef"

// What was said before the host ended is there when it begins again.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "webchat.db")
	for run, check := range []func(ctx context.Context, base string){
		func(ctx context.Context, base string) {
			if status, b := call(ctx, t, http.MethodPost, base+user+"/messages", `{"id":"m1","text":"I was charged twice","name":"Maria Keller"}`); status != http.StatusNoContent {
				t.Fatal(status, b)
			}
		},
		func(ctx context.Context, base string) {
			const log = "/desk/sam/api/handoffs/1.web-0123456789abcdef/log"
			if status, b := call(ctx, t, http.MethodGet, base+log, ""); status != http.StatusOK || !strings.Contains(b, "charged twice") {
				t.Fatal(status, b)
			}
		},
	} {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		listener, base := listen(ctx, t)
		done := make(chan error, 1)
		go func() { done <- serve(ctx, listener, file, 0) }()
		check(ctx, base)
		stop()
		if err := <-done; err != nil {
			t.Fatal(run, err)
		}
	}
}
