package provider_test

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/providertest"
)

const key = "s3cr3t-key"

// calls a platform that answers each try with the next of the answers.
func client(answers ...http.HandlerFunc) (c *provider.Client, tries *int) {
	tries = new(int)
	return &provider.Client{
		Base: "https://platform.example/" + key,
		HTTP: providertest.Client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			i := min(*tries, len(answers)-1)
			*tries++
			answers[i](w, r)
		})),
		Authorize: func(r *http.Request) error { r.Header.Set("Authorization", "Bearer "+key); return nil },
	}, tries
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{"ok":true}`)
	}
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func failure(t *testing.T, err error) *handoff.ProviderError {
	t.Helper()
	var pe *handoff.ProviderError
	require.ErrorAs(t, err, &pe)
	assert.Equal(t, "send", pe.Op)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), key)
	for e := err; e != nil; e = errors.Unwrap(e) {
		assert.NotContains(t, e.Error(), key)
		assert.NotContains(t, e.Error(), "platform.example")
	}
	return pe
}

func TestClientJudgesAnswers(t *testing.T) {
	for _, c := range []struct {
		answer           http.HandlerFunc
		method           string
		tries            int
		retry, ambiguous bool
		after            time.Duration
	}{
		{answer: status(401), tries: 1},
		{answer: status(404), tries: 1},
		{answer: status(409), tries: 1},
		{answer: status(302, "Location", "https://elsewhere.example"), tries: 1},
		{answer: status(423), tries: 3, retry: true},
		{answer: status(429), tries: 3, retry: true},
		{answer: status(429, "Retry-After", "120"), tries: 1, retry: true, after: 2 * time.Minute},
		{answer: status(503, "Retry-After", "1"), tries: 3, retry: true, after: time.Second},
		{answer: status(501), tries: 1},
		{answer: status(500), tries: 1, retry: true, ambiguous: true},
		{answer: status(502), tries: 1, retry: true, ambiguous: true},
		{answer: status(502), method: http.MethodGet, tries: 3, retry: true},
		{answer: cut, tries: 1, retry: true, ambiguous: true},
		{answer: cut, method: http.MethodGet, tries: 3, retry: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cl, tries := client(c.answer)
			if c.method == "" {
				c.method = http.MethodPost
			}
			pe := failure(t, cl.Do(ctx, provider.Call{Op: "send", Method: c.method, Path: "/m"}, nil))
			assert.Equal(t, []any{c.tries, c.retry, c.ambiguous, c.after}, []any{*tries, pe.Retryable, pe.Ambiguous, pe.RetryAfter}, "%+v", pe)
		})
	}
}

func TestClientTriesAgainAndSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		cl, tries := client(status(429, "Retry-After", "7"), status(200))
		var out struct{ OK bool }
		require.NoError(t, cl.Do(t.Context(), provider.Call{Op: "send", Path: "/m", JSON: map[string]string{"text": "<a&b>"}}, &out))
		assert.True(t, out.OK)
		assert.Equal(t, 2, *tries)
		assert.GreaterOrEqual(t, time.Since(start), 7*time.Second, "it is left alone as long as it asks for")
	})
}

func TestClientRepeatsWhatIsRepeatable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl, tries := client(cut, status(500), status(200))
		require.NoError(t, cl.Do(t.Context(), provider.Call{Op: "send", Method: http.MethodPut, Path: "/m", Repeatable: true}, nil))
		assert.Equal(t, 3, *tries)
	})
}

func TestClientEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		cl, _ := client(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		pe := failure(t, cl.Do(ctx, provider.Call{Op: "send", Path: "/m", Method: http.MethodPost}, nil))
		assert.True(t, pe.Ambiguous)
		require.ErrorIs(t, pe, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
		pe = failure(t, cl.Do(ctx, provider.Call{Op: "send", Path: "/m", Method: http.MethodPost}, nil))
		assert.False(t, pe.Ambiguous, "nothing was sent")
	})
}

// A page for people is no answer, whatever its status says: who sent it did not do
// what was asked for.
func TestClientTakesNoPageForAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, want := range map[string]bool{
			"\r\n<!DOCTYPE html><title>Sign in</title>": true, "<HTML><body>": true, "": false, "{}": false, "ok": false, "<chatEvents/>": false, `"<html>"`: false,
		} {
			c, tries := client(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
			err := c.Do(t.Context(), provider.Call{Op: "send", Method: http.MethodPost}, nil)
			require.Equal(t, want, err != nil, "%q", body)
			assert.Equal(t, 1, *tries)
			if want {
				pe := failure(t, err)
				assert.Equal(t, []any{"answer", true, true}, []any{pe.Code, pe.Retryable, pe.Ambiguous})
			}
		}
	})
}

func TestClientReadsNoMoreThanItMay(t *testing.T) {
	cl, _ := client(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat(" ", 2000)) })
	cl.MaxReply = 1000
	pe := failure(t, cl.Do(t.Context(), provider.Call{Op: "send", Path: "/m", Method: http.MethodPost}, nil))
	assert.Equal(t, "too_long", pe.Code)
	cl, _ = client(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>"+key) })
	pe = failure(t, cl.Do(t.Context(), provider.Call{Op: "send", Path: "/m", Method: http.MethodPost}, &struct{}{}))
	assert.True(t, pe.Ambiguous, "it was applied, and the result is lost")
}

func TestClientKnowsThatNobodyWasReached(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	cl := &provider.Client{Base: srv.URL, Tries: 1}
	pe := failure(t, cl.Do(t.Context(), provider.Call{Op: "send", Path: "/m", Method: http.MethodPost}, nil))
	assert.Equal(t, []any{"unreachable", true, false}, []any{pe.Code, pe.Retryable, pe.Ambiguous})
}

func TestClientErrorsOfCredentials(t *testing.T) {
	cl, _ := client(status(200))
	cl.Authorize = func(*http.Request) error { return errors.New("token " + key) }
	assert.Equal(t, "credentials", failure(t, cl.Do(t.Context(), provider.Call{Op: "send", Path: "/m"}, nil)).Code)
	cl.Authorize = func(*http.Request) error {
		return &handoff.ProviderError{Op: "token", Status: 503, Code: "x", Retryable: true, Ambiguous: true}
	}
	cl.Tries = 1
	pe := failure(t, cl.Do(t.Context(), provider.Call{Op: "send", Path: "/m"}, nil))
	assert.True(t, pe.Retryable)
	assert.False(t, pe.Ambiguous)
}

func TestTolerate(t *testing.T) {
	err := &handoff.ProviderError{Status: 404}
	require.NoError(t, provider.Tolerate(err, 404, 409))
	require.Error(t, provider.Tolerate(err, 409))
	require.NoError(t, provider.Tolerate(nil))
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }
		for _, c := range []struct {
			name, value string
			want        time.Duration
		}{
			{"Retry-After", "30", 30 * time.Second},
			{"Retry-After", "0.5", 500 * time.Millisecond},
			{"Retry-After", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat), time.Minute},
			{"Retry-After", "-3", 0},
			{"Retry-After", "NaN", 0},
			{"Retry-After", "soon", 0},
			{"Retry-After", "99999999999", time.Hour},
			{"X-RateLimit-Reset", in(20 * time.Second), 20 * time.Second},
			{"X-RateLimit-Reset", in(-20 * time.Second), 0},
			{"RateLimit-Reset", "9", 9 * time.Second},
			{"X-Other", "9", 0},
		} {
			h := http.Header{}
			h.Set(c.name, c.value)
			assert.Equal(t, c.want, provider.RetryAfter(h), "%s: %s", c.name, c.value)
		}
		h := http.Header{}
		h.Set("X-Ratelimit-Reset", in(time.Minute))
		h.Set("X-Ratelimit-Remaining", "17")
		assert.Zero(t, provider.RetryAfter(h), "the limit is not reached")
	})
}

func TestCode(t *testing.T) {
	assert.Equal(t, "switchboard_invalid-target.1", provider.Code("switchboard_invalid-target.1"))
	assert.Equal(t, "0x80072322", provider.Code(" 0x80072322\n"))
	for _, text := range []string{"", "Bearer <x&y>", "invalid token xoxb-1", "é", "a/b", strings.Repeat("x", 65)} {
		assert.Empty(t, provider.Code(text), "%q may quote anything", text)
	}
}

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl, tries := client(status(200))
		cl.Limit = provider.NewLimiter(2, 3)
		start := time.Now()
		call := provider.Call{Op: "send", Path: "/m", Method: http.MethodPost}
		for range 3 {
			require.NoError(t, cl.Do(t.Context(), call, nil))
		}
		assert.Zero(t, time.Since(start), "three at once")
		for range 4 {
			require.NoError(t, cl.Do(t.Context(), call, nil))
		}
		assert.Equal(t, 2*time.Second, time.Since(start), "and then two a second")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		pe := failure(t, cl.Do(ctx, call, nil))
		assert.Equal(t, []any{"rate_limit", true, false, 500 * time.Millisecond}, []any{pe.Code, pe.Retryable, pe.Ambiguous, pe.RetryAfter})
		assert.Equal(t, 7, *tries)
		time.Sleep(10 * time.Second)

		busy, _ := client(status(429, "Retry-After", "60"), status(200))
		busy.Limit, busy.Tries = provider.NewLimiter(0, 0), 1
		_ = failure(t, busy.Do(t.Context(), call, nil))
		start = time.Now()
		require.NoError(t, busy.Do(t.Context(), call, nil))
		assert.Equal(t, time.Minute, time.Since(start), "the host is left alone by all")
	})
}

func TestSecrets(t *testing.T) {
	s := provider.Secrets{"old", "", "new"}
	body := []byte("body")
	for _, secret := range []string{"old", "new"} {
		assert.True(t, s.FitsMAC(sha256.New, provider.MAC(sha256.New, secret, []byte("1."), body), []byte("1."), body))
		assert.True(t, s.FitsBare(secret))
	}
	assert.False(t, s.FitsMAC(sha256.New, provider.MAC(sha256.New, "", body), body), "an empty secret never fits")
	assert.False(t, s.FitsMAC(sha256.New, nil, body))
	assert.False(t, s.FitsMAC(sha1.New, provider.MAC(sha256.New, "old", body), body))
	assert.False(t, s.FitsBare(""))
	assert.False(t, provider.Secrets(nil).FitsBare(""))
	// RFC 4231, test case 2.
	assert.Equal(t, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		hex.EncodeToString(provider.MAC(sha256.New, "Jefe", []byte("what do ya want "), []byte("for nothing?"))))
}

func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stamp := func(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }
		assert.True(t, provider.Fresh(stamp(0)))
		assert.True(t, provider.Fresh(stamp(-provider.Window)))
		assert.True(t, provider.Fresh(stamp(provider.Window)))
		assert.False(t, provider.Fresh(stamp(-provider.Window-time.Second)))
		assert.False(t, provider.Fresh(stamp(provider.Window+time.Second)))
		for _, s := range []string{"", "0", "x", "-1", "9223372036854775807", "1e9"} {
			assert.False(t, provider.Fresh(s), "%q", s)
		}
	})
}

func TestOnceLooksFirst(t *testing.T) {
	sent := 0
	send := func(context.Context) error { sent++; return nil }
	find := func(found bool, err error) func(context.Context) (bool, error) {
		return func(context.Context) (bool, error) { return found, err }
	}
	m := handoff.ProviderMessage{ID: "m"}
	require.NoError(t, provider.Once(t.Context(), m, find(true, nil), send), "a first try is not looked for")
	m.Again = true
	require.NoError(t, provider.Once(t.Context(), m, find(true, nil), send))
	assert.Equal(t, 1, sent)
	require.Error(t, provider.Once(t.Context(), m, find(false, errors.New("down")), send))
	assert.Equal(t, 1, sent)
	require.NoError(t, provider.Once(t.Context(), m, find(false, nil), send))
	assert.Equal(t, 2, sent)
}

func TestEchoes(t *testing.T) {
	var e provider.Echoes
	assert.False(t, e.Is("1"))
	for i := range 5000 {
		e.Sent(strconv.Itoa(i))
	}
	e.Sent("")
	assert.True(t, e.Is("4999"))
	assert.False(t, e.Is("1"), "the oldest are forgotten")
	assert.False(t, e.Is(""))
}
