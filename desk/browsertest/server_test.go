package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestDesk12ServerRestart while an agent types, and while he sends: when the
// answer is lost and when the message is, it is sent once.
func TestDesk12ServerRestart(t *testing.T) {
	const request, answer = 1, 2
	var lose atomic.Int32
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/messages") {
				next.ServeHTTP(rw, r)
				return
			}
			switch lose.Swap(0) {
			case request:
				panic(http.ErrAbortHandler)
			case answer:
				next.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(rw, r)
		})
	}})
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("ERR_", "503")
	p.clickOn(".composer textarea")
	p.write("half")
	w.restart()
	p.live()
	p.write(" done")
	p.key(kb.Enter)
	want := []string{"half done"}
	sent := func() {
		t.Helper()
		p.until("nothing is on its way", `!document.querySelector('.pending')`)
		w.until("it was sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) >= len(want) })
		assert.Equal(t, want, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
	}
	sent()
	for text, what := range map[string]int32{"the answer is lost": answer, "the message is lost": request} {
		lose.Store(what)
		p.reply(text)
		w.until("it was lost", func() bool { return lose.Load() == 0 })
		w.restart()
		want = append(want, text)
		sent()
		p.live()
	}
	w.says("maria", "and afterwards")
	p.sees("and afterwards")
	p.until("each is shown once", `[...document.querySelectorAll('.entry.agent .text')].length === 3`)
}

// A proxy stands before a world and holds back what a server says until it has
// a block of it, as nginx does by default. Where it heeds, it does not for an
// answer with X-Accel-Buffering: no.
// https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
type proxy struct {
	*httptest.Server
	heeds, passes atomic.Bool
}

func newProxy(w *world) *proxy {
	w.t.Helper()
	to, err := url.Parse(w.server.URL)
	require.NoError(w.t, err)
	p := &proxy{}
	p.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		FlushInterval: -1,
		ModifyResponse: func(res *http.Response) error {
			if asked := res.Header.Get("X-Accel-Buffering") == "no"; !p.passes.Load() && (!asked || !p.heeds.Load()) {
				res.Body = &held{ReadCloser: res.Body}
			}
			return nil
		},
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) },
	})
	w.t.Cleanup(func() {
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

// held gives nothing away before it is full or complete.
type held struct {
	io.ReadCloser
	block []byte
	done  error
}

func (h *held) Read(b []byte) (int, error) {
	for h.done == nil && len(h.block) < 64<<10 {
		buf := make([]byte, 8<<10)
		n, err := h.ReadCloser.Read(buf)
		h.block, h.done = append(h.block, buf[:n]...), err
	}
	n := copy(b, h.block)
	h.block = h.block[n:]
	if len(h.block) == 0 && h.done != nil {
		return n, h.done
	}
	return n, nil
}

// TestDesk15BufferingProxy: a proxy that holds answers back lets the stream pass,
// since its header says so; behind one that does not heed it the page polls, and
// takes the stream again when it comes through.
func TestDesk15BufferingProxy(t *testing.T) {
	w := newWorld(t, leased(time.Minute))
	w.available("ann")
	front := newProxy(w)
	front.heeds.Store(true)
	p := w.as("ann")
	p.url = front.URL + "/ann/"
	began := time.Now()
	p.open("").live()
	t.Logf("live %v after the page was asked for", time.Since(began).Round(10*time.Millisecond))
	const how = `document.querySelector('.live').innerText.trim()`
	assert.Equal(t, "Live", js[string](p, how))
	w.asks("maria", "billing")
	p.sees("Maria Keller")

	front.heeds.Store(false)
	p.open("").live()
	assert.Equal(t, "Live (polling)", js[string](p, how))
	t.Logf("live by polling %v after the page was asked for", time.Since(began).Round(10*time.Millisecond))
	h := w.asks("lee", "shop")
	p.sees("This is for you")
	p.click("Accept")
	p.until("she has it", `document.querySelector('.composer.reply')`)
	w.says("lee", "by polling")
	p.sees("by polling")
	assert.Equal(t, "ann", w.now(h.ID).Agent)
	i := 0
	assert.Equal(t, []handoff.Availability{handoff.Online}, w.stays("ann", longer, func() { // and always something to tell
		w.says("lee", fmt.Sprintf("message %d", i))
		p.sees(fmt.Sprintf("message %d", i))
		i++
	}))
	p.axe()

	front.passes.Store(true)
	js[bool](p, `dispatchEvent(new Event('online'))`) // another network: the page need not wait before it tries
	p.until("it streams", how+` === 'Live'`)
	w.says("lee", "by stream")
	p.sees("by stream")
}
