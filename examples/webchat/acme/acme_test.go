package acme

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff/trigger"
)

// TestServe starts the whole thing, plays a user who asks for a person, lets an
// agent's page take him, and ends it.
func TestServe(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, listener, Options{Customers: 2}) }()
	base := "http://" + listener.Addr().String()
	call := func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept-Language", "de-AT,de;q=0.9,en;q=0.5")
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
	for _, path := range []string{"/", "/chat.html", "/chat.js", "/desk/ann/", "/desk/sam/board"} {
		if status, _ := call(http.MethodGet, path, ""); status != http.StatusOK {
			t.Fatalf("%s: %d", path, status)
		}
	}
	const user = "/chat/api/web-0123456789abcdef"
	if status, b := call(http.MethodPost, user+"/messages", `{"id":"m1","text":"I was charged twice","name":"Maria Keller"}`); status != http.StatusNoContent {
		t.Fatal(status, b)
	}
	if status, b := call(http.MethodPost, "/desk/ann/api/presence/beat", `{"session":"test"}`); status != http.StatusOK || !strings.Contains(b, `"online"`) {
		t.Fatal(status, b)
	}
	if status, b := call(http.MethodPost, user+"/person", `{"queue":"support"}`); status != http.StatusNoContent {
		t.Fatal(status, b)
	}
	accepted := false
	for !accepted {
		status, b := call(http.MethodPost, "/desk/ann/api/handoffs/1.web-0123456789abcdef/accept", `{"op":"a"}`)
		accepted = status == http.StatusOK
		if !accepted && status != http.StatusConflict {
			t.Fatal(status, b)
		}
	}
	if status, b := call(http.MethodPost, "/desk/ann/api/handoffs/1.web-0123456789abcdef/messages", `{"id":"a1","text":"Hello Maria"}`); status != http.StatusOK {
		t.Fatal(status, b)
	}
	sees(ctx, t, base+user+"/events", "Hello Maria")
	// The form's errors come in the language of the user's browser.
	const other = "/chat/api/web-fedcba9876543210"
	for _, x := range []struct{ verb, body string }{
		{"messages", `{"id":"m1","text":"Money","name":"Lee Wong"}`}, {"person", `{"queue":"billing"}`}, {"messages", `{"id":"m2","text":"` + strings.Repeat("x", 1001) + `"}`},
	} {
		if status, b := call(http.MethodPost, other+"/"+x.verb, x.body); status != http.StatusNoContent {
			t.Fatal(x.verb, status, b)
		}
	}
	sees(ctx, t, base+other+"/events", "Das ist zu lang.")
	if status, _ := call(http.MethodGet, "/chat/api/nobody/events", ""); status != http.StatusNotFound {
		t.Fatal(status)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// sees waits until a user is shown some words.
func sees(ctx context.Context, t *testing.T, events, words string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, events, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); ; {
		if !lines.Scan() {
			t.Fatalf("the user never saw %q", words)
		}
		if strings.Contains(lines.Text(), words) {
			return
		}
	}
}

// TestWhatIsSaidGoesWhereItShould: no answer of the bot is taken for a promise,
// which would ask for a person in support, and so is only what made-up customers
// say to get there.
func TestWhatIsSaidGoesWhereItShould(t *testing.T) {
	triggers, err := trigger.New(trigger.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, need := range needs {
		var st trigger.State
		var d trigger.Decision
		turn := func(role trigger.Role, text string, want trigger.Action) {
			t.Helper()
			d, st = triggers.Evaluate(t.Context(), st, trigger.Turn{Role: role, Text: text, Lang: "en", At: time.Now()})
			if d.Action != want {
				t.Errorf("%q: %v", text, d)
			}
		}
		turn(trigger.RoleUser, need.first, trigger.None)
		turn(trigger.RoleBot, think(need.first), trigger.None)
		if need.asks != "" {
			turn(trigger.RoleUser, need.asks, trigger.Transfer)
		}
		if (need.asks != "") != (need.queue == "support") {
			t.Errorf("%q: %s is asked for in words", need.first, need.queue)
		}
	}
}
