package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff/internal/throwaway"
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

// A user of one replica is taken by an agent of the other, and each hears the
// other one.
func TestTwoReplicas(t *testing.T) {
	dsn := os.Getenv("HANDOFF_TEST_POSTGRES")
	if dsn == "" {
		own, stop, err := throwaway.Postgres()
		if err != nil {
			if os.Getenv("HANDOFF_TEST_REQUIRE") == "1" {
				t.Fatal(err)
			}
			t.Skip("SKIPPED: the two replicas were NOT tested, since there is no PostgreSQL:", err)
		}
		defer stop()
		dsn = own
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	listener, base := listen(ctx, t)
	done := make(chan error, 1)
	go func() { done <- serve(ctx, listener, dsn, 0) }()
	if status, b := call(ctx, t, http.MethodPost, base+user+"/messages", `{"id":"m1","text":"I was charged twice","name":"Maria Keller"}`); status != http.StatusNoContent {
		t.Fatal(status, b)
	}
	if status, b := call(ctx, t, http.MethodPost, base+"/desk/ann/api/presence/beat", `{"session":"test"}`); status != http.StatusOK || !strings.Contains(b, `"online"`) {
		t.Fatal(status, b)
	}
	if status, b := call(ctx, t, http.MethodPost, base+user+"/person", `{"queue":"support"}`); status != http.StatusNoContent {
		t.Fatal(status, b)
	}
	const chat = "/desk/ann/api/handoffs/1.web-0123456789abcdef"
	for accepted := false; !accepted; {
		status, b := call(ctx, t, http.MethodPost, base+chat+"/accept", `{"op":"a"}`)
		if accepted = status == http.StatusOK; !accepted && status != http.StatusConflict {
			t.Fatal(status, b)
		}
	}
	if status, b := call(ctx, t, http.MethodPost, base+chat+"/messages", `{"id":"a1","text":"Hello Maria"}`); status != http.StatusOK {
		t.Fatal(status, b)
	}
	if status, b := call(ctx, t, http.MethodPost, base+user+"/messages", `{"id":"m2","text":"Hello Ann","name":"Maria Keller"}`); status != http.StatusNoContent {
		t.Fatal(status, b)
	}
	status, b := call(ctx, t, http.MethodGet, base+chat+"/log", "")
	if status != http.StatusOK || !strings.Contains(b, "Hello Maria") || !strings.Contains(b, "Hello Ann") {
		t.Fatal(status, b)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
