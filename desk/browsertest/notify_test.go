package browsertest

import (
	"testing"
	"time"

	browsers "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// permit sets whether an origin may show notifications, in the page's context.
func (p *page) permit(origin string, how browsers.PermissionSetting) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, browsers.SetPermission, browsers.SetPermissionParams{
		Permission: &browsers.PermissionDescriptor{Name: "notifications"}, Setting: how, Origin: origin,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	require.NoError(p.t, err)
}

// rings records the page's notifications and sounds.
const rings = `(() => {
	self.shown = []; self.tones = 0;
	const N = Notification;
	self.Notification = class extends N { constructor(title, o) { super(title, o); shown.push({ title, body: o.body, n: this }); } };
	const make = AudioContext.prototype.createOscillator;
	AudioContext.prototype.createOscillator = function () { tones++; return make.call(this); };
	return true;
})()`

// TestDesk41Notifications: what the settings say of each permission; that sound
// is blocked, until it is not; that one page of a browser tells, and only who is
// not looking and not away; and that a click opens the conversation.
func TestDesk41Notifications(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	p := w.as("ann")
	for how, words := range map[browsers.PermissionSetting]string{
		browsers.PermissionSettingPrompt: "The browser will ask you.",
		browsers.PermissionSettingDenied: "The browser has blocked them.",
	} {
		p.permit(w.server.URL, how)
		p.open("settings").live()
		p.sees(words)
		p.axe()
	}
	p.permit(w.server.URL, browsers.PermissionSettingGranted)
	p.open("settings").live()
	js[bool](p, rings)
	other := tab(p.ctx, t, p.url).open("").live() // another tab of hers: it stays silent
	js[bool](other, rings)

	p.sees("Switch sound on")
	w.asks("jo", "billing")
	other.sees("Jo Bright")
	wait(500 * time.Millisecond) // a burst is waited for
	assert.Zero(t, js[int](p, `tones`), "a browser that blocks sounds is not asked for one")
	p.click("Switch sound on")
	p.until("it was tried", `tones > 0`)
	p.click("Show notifications while this page is not in front")
	p.until("they are on: all but the repeat", `document.querySelectorAll('.switch input:checked').length === 7`)

	told := func() int { return js[int](p, `shown.length`) + js[int](other, `shown.length`) }
	wait(1500 * time.Millisecond) // sounds closer together are one
	js[bool](p, `(self.tones = 0, true)`)
	w.asks("lee", "billing")
	p.until("it is heard", `tones > 0`)
	assert.Zero(t, told(), "who looks at the page needs no notification")
	for _, x := range []*page{p, other} {
		js[bool](x, `(document.hasFocus = () => false, true)`)
	}
	w.says("lee", "Is anybody there?") // is not hers
	maria := w.asks("maria", "billing")
	p.until("it is shown", `shown.length === 1`)
	assert.Equal(t, "Maria Keller is waiting", js[string](p, `shown[0].title`))
	assert.Equal(t, 1, told(), "once for the browser")
	js[bool](p, `(shown[0].n.onclick(), true)`)
	p.sees("Nobody has taken this yet.")
	assert.Contains(t, js[string](p, `location.pathname`), token(maria))

	p.clickOn(".menu button.presence")
	p.click("Lunch")
	p.until("she is away", `document.querySelector('.button.presence').textContent.includes('Lunch')`)
	js[bool](p, `(self.tones = 0, true)`)
	w.asks("quiet", "billing")
	other.until("the list has it", `[...document.querySelectorAll('a.row')].length === 4`)
	wait(500 * time.Millisecond)
	assert.Zero(t, js[int](p, `tones`))
	assert.Equal(t, 1, told(), "who is away is not told")
}

// TestDesk41SoundButtonKeepsTheFocus: whoever comes to the button by keyboard
// has thereby allowed sound. It stays for as long as he is on it, and a
// connection that is lost takes it away from nobody either.
func TestDesk41SoundButtonKeepsTheFocus(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	p := w.at("ann", "")
	p.until("sound is blocked", `document.querySelector('.muteds')`)
	onIt := `document.activeElement?.classList.contains('muteds')`
	js[bool](p, `(document.querySelector('.muteds').focus(), true)`)
	p.key(kb.ArrowDown) // any key allows sound
	require.True(t, js[bool](p, `navigator.userActivation.hasBeenActive && `+onIt))
	w.asks("jo", "billing") // the page shows something new
	p.sees("Jo Bright")
	js[bool](p, `new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`)
	assert.True(t, js[bool](p, onIt), "the focus is where it was: %s", js[string](p, `document.activeElement.outerHTML.slice(0, 200)`))
	p.key(kb.Enter)
	p.sees("Sound is on.")
	assert.True(t, js[bool](p, onIt), "pressed, it says so and stays")
	p.axe()
	p.key(kb.Tab)
	p.until("it goes with the focus", `!document.querySelector('.muteds') && document.activeElement !== document.body`)
}
