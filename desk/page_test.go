package desk_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/desk/internal/lean"
)

// vendored is the hash of the one file that is not ours. It is made of Preact
// 11.2.0 and htm 3.1.1 by web/vendor/README.txt.
const vendored = "39d61077dff24004d7c9d3060ad9b3c4d0349b5fb7e7d0c356578c6da975a704"

func TestVendoredFileIsTheOneThatWasChecked(t *testing.T) {
	b, err := os.ReadFile("web/vendor/preact-htm.js")
	require.NoError(t, err)
	sum := sha256.Sum256(b)
	assert.Equal(t, vendored, hex.EncodeToString(sum[:]))
	how, err := os.ReadFile("web/vendor/README.txt")
	require.NoError(t, err)
	assert.Contains(t, string(how), vendored)
}

// Browsers keep assets for ever: other files have another address.
func TestAssetsAreNamedAfterWhatTheyHold(t *testing.T) {
	sum := sha256.New()
	err := filepath.WalkDir("web", func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		sum.Write([]byte(filepath.ToSlash(name)))
		sum.Write(lean.File(name, b))
		return err
	})
	require.NoError(t, err)
	page := newWorld(t).call("agent", http.MethodGet, "", nil)
	assert.Contains(t, page.raw, "assets/"+hex.EncodeToString(sum.Sum(nil))[:12]+"/desk.js")
}

// Nothing in our own files can turn text into HTML or run it.
func TestNoHTMLIsEverMadeOfText(t *testing.T) {
	sinks := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|dangerouslySet|setHTML|\beval\(|new Function|createContextualFragment|srcdoc|javascript:`)
	err := filepath.WalkDir("web", func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "vendor") || filepath.Ext(name) != ".js" {
			return err
		}
		b, err := os.ReadFile(name)
		assert.Empty(t, sinks.FindAllString(string(b), -1), name)
		return err
	})
	require.NoError(t, err)
}

// Before some of its signs French has a space at which no line breaks.
func TestFrenchSpaces(t *testing.T) {
	b, err := os.ReadFile("i18n/words.txt")
	require.NoError(t, err)
	all, err := desk.ParseWords(string(b))
	require.NoError(t, err)
	bad := regexp.MustCompile(`(^|[^\x{202F}])[;?!]|(^|[^\x{A0}\d]):|[^\x{A0}]»|«[^\x{A0}]`)
	for key, text := range all["fr"] {
		assert.NotRegexp(t, bad, text, key)
	}
	assert.Equal(t, "\u00a0:", all["fr"]["colon"], "what is put together by pages too")
}

func TestCataloguesAreComplete(t *testing.T) {
	b, err := os.ReadFile("i18n/words.txt")
	require.NoError(t, err)
	all, err := desk.ParseWords(string(b))
	require.NoError(t, err)
	require.Len(t, all, 5)
	en := all["en"]
	slots := regexp.MustCompile(`\{\w+\}`)
	for name, words := range all {
		for key, text := range en {
			got, ok := words[key]
			if !assert.True(t, ok, "%s has no %s", name, key) {
				continue
			}
			assert.NotEmpty(t, got, "%s: %s", name, key)
			want, have := slots.FindAllString(text, -1), slots.FindAllString(got, -1)
			slices.Sort(want)
			slices.Sort(have)
			if !strings.HasSuffix(key, ".one") { // one may be said without its number
				assert.Equal(t, slices.Compact(want), slices.Compact(have), "%s: %s", name, key)
			}
		}
		for key := range words {
			_, ok := en[key]
			if base, many := strings.CutSuffix(key, ".many"); many { // a plural form that English lacks
				_, ok = en[base+".other"]
			}
			assert.True(t, ok, "%s has %s, which English does not", name, key)
		}
	}
	// So has every reason that a form is refused for.
	source, err := os.ReadFile("wrong.go")
	require.NoError(t, err)
	codes := regexp.MustCompile("[\"`], \"([a-z]+)\"},").FindAllStringSubmatch(string(source), -1)
	assert.Greater(t, len(codes), 30)
	for _, m := range codes {
		assert.Contains(t, en, "wrong."+m[1])
	}
	// So has every reason of the engine, and of what escalates by itself.
	for _, name := range []string{"../record.go", "../trigger/signal.go"} {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		reasons := regexp.MustCompile(`(?m)^\tReason\w+ +Reason = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
		assert.Greater(t, len(reasons), 10, name)
		for _, m := range reasons {
			assert.Contains(t, en, "reason."+m[1], name)
		}
	}
	// Every key that a page asks for exists.
	used := regexp.MustCompile(`\bt\('([a-zA-Z0-9_.]+[a-zA-Z0-9_])'`)
	files, err := filepath.Glob("web/*.js")
	require.NoError(t, err)
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range used.FindAllStringSubmatch(string(b), -1) {
			_, ok := en[m[1]]
			_, plural := en[m[1]+".other"]
			assert.True(t, ok || plural, "%s uses the key %s", name, m[1])
		}
	}
}

func TestCataloguesSayWhatIsWrongWithThem(t *testing.T) {
	got, err := desk.ParseWords("# what it is\nkey.a\n\ten One {n}\n\tde Eins {n}\nkey.b\n\ten Two\n")
	require.NoError(t, err)
	assert.Equal(t, "Eins {n}", got["de"]["key.a"])
	assert.Equal(t, "Two", got["en"]["key.b"])
	for text, line := range map[string]string{"\ten Words\n": ":1:", "key\n\ten\n": ":2:", "key\n\ten A\n\ten B\n": ":3:"} {
		_, err := desk.ParseWords(text)
		require.ErrorContains(t, err, "words.txt"+line)
	}
}

// TestDesk40Mounts: one handler, unchanged, at any prefix and behind proxies
// that rewrite the path. Every link of a page leads to something.
func TestDesk40Mounts(t *testing.T) {
	w := newWorld(t)
	w.waiting("x", "mine")
	odd := w.waiting("a/b c?d#ü~%2F..", "mine")
	auth := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r.Header.Set("X-Actor", "agent")
			next.ServeHTTP(rw, r)
		})
	}
	plain := auth(w.desk)
	mux := http.NewServeMux()
	mux.Handle("/ops/desk/", http.StripPrefix("/ops/desk", plain))
	exact := http.NewServeMux()
	exact.Handle("/desk", http.StripPrefix("/desk", plain))
	exact.Handle("/desk/", http.StripPrefix("/desk", plain))
	inner := httptest.NewServer(mux)
	defer inner.Close()
	to, err := url.Parse(inner.URL)
	require.NoError(t, err)
	proxy := http.StripPrefix("/outer/x", &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(to)
		p.Out.URL.Path, p.Out.URL.RawPath = "/ops/desk"+p.In.URL.Path, ""
		if p.In.URL.RawPath != "" {
			p.Out.URL.RawPath = "/ops/desk" + p.In.URL.RawPath
		}
	}})
	for _, m := range []struct {
		name, root string
		handler    http.Handler
	}{
		{"root", "/", plain},
		{"strip prefix", "/ops/desk/", mux},
		{"with and without a slash", "/desk/", exact},
		{"proxy that rewrites", "/outer/x/", proxy},
	} {
		t.Run(m.name, func(t *testing.T) {
			server := httptest.NewServer(m.handler)
			defer server.Close()
			base := server.URL + m.root
			for _, page := range []string{"", "c/" + desk.Token(odd.ID), "board", "history?from=2026-01-01", "settings"} {
				status, body, at := fetch(t, base+page)
				require.Equal(t, http.StatusOK, status, page)
				for _, link := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(body, -1) {
					u, err := at.Parse(link[1])
					require.NoError(t, err)
					assert.True(t, strings.HasPrefix(u.String(), base), "%s leads out of the desk: %s", page, u)
					status, _, _ := fetch(t, u.String())
					assert.Equal(t, http.StatusOK, status, u)
				}
			}
			status, body, _ := fetch(t, base+"api/handoffs/"+desk.Token(odd.ID))
			assert.Equal(t, http.StatusOK, status, body)
			status, _, _ = fetch(t, base+"api/handoffs/1.x")
			assert.Equal(t, http.StatusOK, status)
			status, _, _ = fetch(t, base+"nowhere")
			assert.Equal(t, http.StatusNotFound, status)
		})
	}
	server := httptest.NewServer(exact)
	defer server.Close()
	status, _, at := fetch(t, server.URL+"/desk")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "/desk/", at.Path, "the slash at the end is added, wherever the desk is")
}

func fetch(t *testing.T, address string) (int, string, *url.URL) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	var b strings.Builder
	_, err = copyAll(&b, res)
	require.NoError(t, err)
	return res.StatusCode, b.String(), res.Request.URL
}

func TestTokens(t *testing.T) {
	for _, c := range []string{"a", "a-b_9", "a.b", "..", "~", "é", "a/b", "a b", "%2F", strings.Repeat("x", 500), "\x01"} {
		id := handoff.ID{Conversation: c, Number: 7}
		got, ok := desk.ParseToken(desk.Token(id))
		assert.True(t, ok, c)
		assert.Equal(t, id, got)
		assert.Regexp(t, `^[0-9]+\.~?[A-Za-z0-9_-]+$`, desk.Token(id))
	}
	for _, s := range []string{"", "1", "1.", ".a", "0.a", "-1.a", "01.a", "+1.a", "1.a/b", "1.~", "1.~!", "1.~YQ", "1.~YQ==", "9999999999999999999.a", "1.a.b"} {
		_, ok := desk.ParseToken(s)
		assert.False(t, ok, "%q is no other spelling of an id", s)
	}
}

// TestDesk37CrossOrigin: what another place sends has no effect.
func TestDesk37CrossOrigin(t *testing.T) {
	w := newWorld(t, func(c *desk.Config) { c.TrustedOrigins = []string{"https://ok.example.com"} })
	h := w.held("c", "mine", "me")
	send := func(method, kind, body string, header ...string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+"/api/handoffs/"+token(h)+"/notes", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("X-Actor", "agent")
		r.Header.Set("Content-Type", kind)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		defer res.Body.Close()
		return res.StatusCode
	}
	note := `{"op":"x","text":"from elsewhere"}`
	for _, site := range []string{"cross-site", "same-site"} {
		assert.Equal(t, http.StatusForbidden, send(http.MethodPost, "application/json", note, "Sec-Fetch-Site", site))
	}
	assert.Equal(t, http.StatusForbidden, send(http.MethodPost, "application/json", note, "Origin", "https://evil.example.com"))
	assert.Equal(t, http.StatusUnsupportedMediaType, send(http.MethodPost, "application/x-www-form-urlencoded", "op=x&text=y"), "a form is no JSON")
	assert.Equal(t, http.StatusUnsupportedMediaType, send(http.MethodPost, "text/plain", note), "nor is a no-cors fetch")
	assert.Equal(t, http.StatusMethodNotAllowed, send(http.MethodGet, "application/json", note, "Sec-Fetch-Site", "cross-site"), "GET changes nothing")
	log, err := w.engine.Log(t.Context(), h.ID, 0, 100)
	require.NoError(t, err)
	for i := range log {
		assert.NotContains(t, log[i].Text, "from elsewhere")
	}
	assert.Equal(t, http.StatusOK, send(http.MethodPost, "application/json", note, "Sec-Fetch-Site", "same-origin"))
	assert.Equal(t, http.StatusOK, send(http.MethodPost, "application/json", note, "Sec-Fetch-Site", "cross-site", "Origin", "https://ok.example.com"))
}

// TestDesk38Framing and the other headers of every answer.
func TestDesk38Framing(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"", "api/snapshot", "nowhere", "api/nowhere", "healthz"} {
		head := w.call("agent", http.MethodGet, path, nil).header
		csp := head.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'", "base-uri 'none'", "form-action 'none'"} {
			assert.Contains(t, csp, part, path)
		}
		assert.NotContains(t, csp, "unsafe", path)
		assert.Equal(t, "nosniff", head.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "no-store", head.Get("Cache-Control"), path)
		assert.Equal(t, "no-referrer", head.Get("Referrer-Policy"), path)
		assert.Empty(t, head.Values("Set-Cookie"), path)
	}
	framed := newWorld(t, func(c *desk.Config) { c.FrameAncestors = []string{"'self'", "https://app.example.com"} })
	assert.Contains(t, framed.call("agent", http.MethodGet, "", nil).header.Get("Content-Security-Policy"), "frame-ancestors 'self' https://app.example.com;")
}

// What stands in the page cannot leave its script element.
func TestPageHoldsNoMarkupOfOthers(t *testing.T) {
	w := newWorld(t, func(c *desk.Config) {
		c.Title = `</title><script>alert(1)</script>`
		c.Tags = []string{`</script><img src=x onerror=alert(2)>`}
	})
	w.actor("agent", &desk.Actor{ID: "me", Name: `</script><svg onload=alert(3)>`, Role: desk.Agent})
	got := w.call("agent", http.MethodGet, "", nil)
	for _, markup := range []string{"</script><", "<script>", "<img", "<svg"} {
		assert.False(t, strings.Contains(got.raw, markup), markup)
	}
}

// TestSignIn: a page sends whoever is not signed in to where the host says, and
// knows that address for the day that he no longer is; the API says it alone.
func TestSignIn(t *testing.T) {
	const at = "https://login.example.com/?next=desk&x=1"
	w := newWorld(t, func(c *desk.Config) { c.SignIn = at })
	for _, path := range []string{"", "board", "c/1.c"} {
		got := w.call("stranger", http.MethodGet, path, nil)
		assert.Equal(t, http.StatusSeeOther, got.status, path)
		assert.Equal(t, at, got.header.Get("Location"), path)
	}
	got := w.call("stranger", http.MethodGet, "api/snapshot", nil)
	assert.Equal(t, http.StatusUnauthorized, got.status)
	assert.Equal(t, "sign_in", got.body["code"])
	assert.Empty(t, got.header.Get("Location"))
	_, link, _ := strings.Cut(w.call("agent", http.MethodGet, "", nil).raw, `"signIn":"`)
	link, _, _ = strings.Cut(link, `"`)
	assert.Equal(t, at, strings.ReplaceAll(link, `\u0026`, "&"))

	w = newWorld(t)
	assert.Equal(t, http.StatusUnauthorized, w.call("stranger", http.MethodGet, "", nil).status, "nowhere to send him")
}
