package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/axe.min.js
var axe string

// browser is one Chromium for all tests; each agent gets a context of his own
// in it, with his own storage.
var browser = struct {
	sync.Once
	ctx context.Context
	err error
}{}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.ctx != nil {
		ctx, cancel := context.WithTimeout(browser.ctx, 10*time.Second)
		_ = chromedp.Cancel(ctx)
		cancel()
	}
	os.Exit(code)
}

// start returns the browser, or skips the test loudly where there is none.
func start(t *testing.T) context.Context {
	t.Helper()
	if underRace && t.Name() != "TestDesk02RaceToAccept" {
		t.Skip("SKIPPED under the race detector: only two agents who race; the run without it has all of them")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("HANDOFF_TEST_REQUIRE") == "1" {
			t.Fatal("no Chromium is installed")
		}
		t.Skip("SKIPPED: the desk was NOT tested in a browser, since no Chromium is installed (apt-get install chromium)")
	}
	browser.Do(func() {
		dir, err := os.MkdirTemp("", "desk-browser-") //nolint:usetesting // it outlives the test that starts the browser
		if err != nil {
			browser.err = err
			return
		}
		// Not chromedp's own list: that keeps hidden pages awake.
		alloc, _ := chromedp.NewExecAllocator(context.Background(),
			chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
			chromedp.UserDataDir(dir), chromedp.WindowSize(1280, 800),
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true), chromedp.Flag("disable-extensions", true), chromedp.Flag("mute-audio", true), chromedp.Flag("hide-scrollbars", true),
		)
		browser.ctx, _ = chromedp.NewContext(alloc) //nolint:fatcontext // one for all tests
		browser.err = chromedp.Do(browser.ctx)
	})
	require.NoError(t, browser.err)
	return browser.ctx
}

// patience is how long a test waits for what should happen at once, before it
// says that it does not happen. It is no promise about speed: on a busy machine
// a keystroke can take a second.
const patience = 2 * time.Minute

// A page is a tab.
type page struct {
	t   *testing.T
	ctx context.Context
	url string // of the desk of its agent

	mu       sync.Mutex
	problems []string
	allow    []string
	late     func(problem string) bool // excuses what was asked before the news came
	spared   string                    // why axe does not look at what it shows in the end
}

// tab opens a tab in a context; its own storage if fresh. When its test ends, the
// console has had no complaint, and axe has none of what the page shows then.
func tab(parent context.Context, t *testing.T, url string, options ...chromedp.ContextOption) *page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	p := &page{t: t, ctx: ctx, url: url}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800)))
	p.focused(true)
	done := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == "error" || m.Type == "assert" || m.IsException() {
				p.mu.Lock()
				p.problems = append(p.problems, fmt.Sprintf("%s %s %s", m.Source, m, m.URL))
				p.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		defer func() {
			if t.Failed() {
				p.keep("failed")
			}
			cancel()
			<-done
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, m := range p.problems {
				if !p.allowed(m) && (p.late == nil || !p.late(m)) {
					t.Errorf("the console says: %s", m)
				}
			}
		}()
		if t.Failed() || p.spared != "" {
			return
		}
		require.True(t, strings.HasPrefix(js[string](p, `location.href`), p.url), "a page of ours, or spared with a reason")
		p.axe()
	})
	return p
}

// spare keeps axe from what the page shows when its test ends, and says why.
func (p *page) spare(why string) { p.spared = why }

// focused makes a page believe that it has the focus, whatever other tests do.
func (p *page) focused(on bool) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: on})
	require.NoError(p.t, err)
}

var refusal = regexp.MustCompile(`the server responded with a status of (\d{3})\b`)

// complains reports whether a message of the console is one that has a part.
// Three digits are the status of an answer, and stand for no other digits.
func complains(message, part string) bool {
	if number.MatchString(part) {
		status := refusal.FindStringSubmatch(message)
		return status != nil && status[1] == part
	}
	return strings.Contains(message, part)
}

var number = regexp.MustCompile(`^\d{3}$`)

// allowed reports whether a message was expected. An answer with an error is only
// by its status, or where everything is.
func (p *page) allowed(m string) bool {
	return slices.ContainsFunc(p.allow, func(part string) bool {
		return complains(m, part) && (part == "" || number.MatchString(part) || !refusal.MatchString(m))
	})
}

// expects says that console messages are part of what is tested: by the status of
// an answer, or by words.
func (p *page) expects(parts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allow = append(p.allow, parts...)
}

// heard reports whether the console has said so.
func (p *page) heard(part string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.problems, func(m string) bool { return complains(m, part) })
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, steps...))
}

func (p *page) open(path string) *page {
	p.t.Helper()
	p.do(chromedp.Navigate(p.url + path))
	return p
}

// js evaluates an expression of any JSON type.
func js[T any](p *page, expression string, args ...any) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](format(expression, args...), chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expression)
	return v
}

// format puts arguments into an expression as JSON.
func format(expression string, args ...any) string {
	for _, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			panic(err)
		}
		expression = strings.Replace(expression, "§", string(b), 1)
	}
	return expression
}

// until waits for an expression to become true.
func (p *page) until(what, expression string, args ...any) {
	p.t.Helper()
	e := format(expression, args...)
	limit := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+e+")"))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(limit) {
			require.Fail(p.t, "did not happen: "+what, "%s\n%v\n%s\n%s", e, err, p.text("body"), js[string](p, `JSON.stringify([document.querySelector(".composer textarea")?.value, Object.entries(localStorage)])`))
		}
		wait(20 * time.Millisecond)
	}
}

func wait(d time.Duration) {
	t := time.NewTimer(d)
	<-t.C
}

// find is the element that a person would call by these words.
const find = `((words, scope) => {
  const seen = (e) => e.checkVisibility?.({ visibilityProperty: true }) && e.getClientRects().length;
  const name = (e) => (e.getAttribute('aria-label') || e.innerText || e.value || '').replace(/\s+/g, ' ').trim();
  const all = [...(document.querySelector('dialog[open]') ?? document).querySelectorAll(scope || 'button, a[href], label, summary, [role=menuitem], [role=menuitemradio], [role=option]')].filter(seen);
  return all.find((e) => name(e) === words) ?? all.find((e) => name(e).startsWith(words)) ?? all.find((e) => name(e).includes(words)) ?? null;
})`

// click clicks with the mouse on what the words name.
func (p *page) click(words string) {
	p.t.Helper()
	p.until("there is “"+words+"”", find+`(§)`, words)
	p.at(format(find+`(§)`, words))
}

// clickOn clicks on what a selector names.
func (p *page) clickOn(selector string) {
	p.t.Helper()
	p.until("there is "+selector, `document.querySelector(§)?.checkVisibility()`, selector)
	p.at(format(`document.querySelector(§)`, selector))
}

// at clicks on an element.
func (p *page) at(element string) {
	p.t.Helper()
	x, y := p.place(element)
	p.do(chromedp.MouseClickXY(x, y))
}

// place is the middle of an element that stays: between a look and a click a page
// may show something else.
func (p *page) place(element string) (x, y float64) {
	p.t.Helper()
	for limit := time.Now().Add(patience); ; wait(20 * time.Millisecond) {
		at := js[[]float64](p, `(async () => { for (let i = 0; i < 2; i++) { const e = `+element+`; if (!e) return []; e.scrollIntoView({ block: 'nearest', inline: 'nearest' }); if (i) { const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; } await new Promise((f) => setTimeout(f, 60)); } })()`)
		if len(at) == 2 {
			return at[0], at[1]
		}
		require.True(p.t, time.Now().Before(limit), "it does not stay: %s", element)
	}
}

// write types into what has the focus.
func (p *page) write(text string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(text))
}

// insert puts a text in at once, as pasting does: typing sends three messages
// for each letter.
func (p *page) insert(text string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, input.InsertText, input.InsertTextParams{Text: text})
	require.NoError(p.t, err)
}

func (p *page) key(keys string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	if keys == kb.Enter { // one event, as a keyboard makes it: what prevents it prevents the line break
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
			e := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}
			for _, m := range modifiers {
				e.Modifiers |= int64(m)
			}
			if kind == input.DispatchKeyEventTypeKeyDown {
				e.Text = "\r"
			}
			_, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, e)
			require.NoError(p.t, err)
		}
		return
	}
	p.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// reply writes into the composer and sends.
func (p *page) reply(text string) {
	p.t.Helper()
	p.clickOn(".composer textarea")
	p.write(text)
	p.key(kb.Enter)
}

func (p *page) text(selector string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[string](format(`document.querySelector(§)?.innerText ?? ''`, selector)))
	if err != nil {
		return err.Error()
	}
	return v
}

// sees waits until a text is on the page.
func (p *page) sees(text string) {
	p.t.Helper()
	p.until("the page shows “"+text+"”", `document.body.innerText.includes(§)`, text)
}

// live waits until the page is connected and has its lists.
func (p *page) live() *page {
	p.t.Helper()
	p.until("the page is live", `document.querySelector('.live.live') && !document.querySelector('.loading')`)
	return p
}

// axe checks the page as it is for what makes it hard to use.
func (p *page) axe() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void]("if (!self.axe) { "+axe+" }; undefined"))
	require.NoError(p.t, err)
	list, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished.catch(() => {}))).then(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] })).then((r) =>
		r.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target + ' ' + n.failureSummary + ' ' + n.html.slice(0, 200))))`, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err)
	require.Empty(p.t, list, "axe: %s", strings.Join(list, "\n"))
}

// wide is how far the page scrolls sideways, in pixels.
func (p *page) wide() int {
	return js[int](p, `Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('main, .pane, .list, .page, .transcript')].map((e) => e.scrollWidth - e.clientWidth))`)
}

func (p *page) size(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
}

// media sets features such as prefers-color-scheme.
func (p *page) media(pairs ...string) {
	p.t.Helper()
	var list []*emulation.MediaFeature
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, &emulation.MediaFeature{Name: pairs[i], Value: pairs[i+1]})
	}
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: list})
	require.NoError(p.t, err)
}

// keep stores a picture of the page where a reviewer finds it.
func (p *page) keep(name string) {
	dir := os.Getenv("HANDOFF_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return
	}
	_ = os.MkdirAll(dir, 0o755)
	_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(p.t.Name(), "/", "_")+"_"+name+".png"), b, 0o600)
}
