// The user's chat: what he sees comes from FollowUser, so that a page that was
// loaded again shows the same. Text is text: nothing is ever read as HTML.
const saved = JSON.parse(localStorage.getItem('webchat') ?? 'null');
const names = ['Maria Keller', 'Lee Wong', 'Jo Bright', 'Amina Diallo'];
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(36).padStart(2, '0')).join('').slice(0, 24);
const me = saved ?? { id: 'web-' + random(), name: names[Math.floor(Math.random() * names.length)] };
const remember = () => localStorage.setItem('webchat', JSON.stringify(me));
remember();
const $ = (id) => document.getElementById(id);
const log = $('log'), text = $('text');
const post = (verb, body) => fetch(`chat/api/${me.id}/${verb}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: me.name, ...body }) });
const waiting = new Map();

// Who reads the end stays there, whatever comes and however small the page becomes.
// Who has not scrolled since it became so is still at the end.
let stick = true, room = '';
const toEnd = () => { if (stick) log.scrollTop = log.scrollHeight; };
const size = () => log.clientWidth + ' ' + log.clientHeight;
log.addEventListener('scroll', () => { if (room === size()) stick = log.scrollHeight - log.scrollTop - log.clientHeight < 80; });
new ResizeObserver(() => { room = size(); toEnd(); }).observe(log);

function add(kind, words, who, files = [], id = '') {
  const p = document.createElement('div');
  p.className = `m ${kind}`;
  p.dir = 'auto';
  if (who) { const b = document.createElement('b'); b.textContent = who; p.append(b); }
  p.append(words);
  for (const f of files) {
    const a = document.createElement(f.url ? 'a' : 'span');
    a.textContent = `📎 ${f.name}`;
    if (f.url) { a.href = new URL(f.url).pathname; }
    p.append(a);
  }
  if (id) p.dataset.id = id;
  log.append(p);
  toEnd();
  return p;
}

// say tells what stands in the way; nothing, when it is gone.
const say = (words) => { if ($('status').textContent !== words) $('status').textContent = words; };

// Whom nobody can help may be asked for a message: then he waits for nobody.
let leaves = false;

function control(m) {
  const k = m.notice;
  if (k) leaves = k === 'offline' || leaves && (k === 'question' || k === 'invalid');
  if (m.role === 'agent' && !k) $('with').textContent = m.name;
  const person = k === 'joined' || k === 'take_over' || k === 'resumed';
  const waits = ['waiting', 'place', 'requeued', 'transferred', 'connecting', 'question'].includes(k);
  const bot = ['returned', 'ended', 'missed', 'cancelled', 'failed', 'offline', 'message_left'].includes(k);
  if (person) { $('with').textContent = m.text; $('person').hidden = true; $('cancel').hidden = false; $('cancel').textContent = 'End chat'; asked = ''; showRate(); }
  else if (waits) { $('with').textContent = leaves ? 'Leave a message' : 'Waiting for a person'; $('person').hidden = true; $('cancel').hidden = false; $('cancel').textContent = 'Cancel'; }
  else if (bot) { $('with').textContent = 'Assistant'; $('person').hidden = false; $('cancel').hidden = true; }
  if (k === 'rate') { asked = m.id; showRate(); }
}

// What was rated is not asked again, here or in another tab.
let asked = '';
const showRate = () => { $('rate').hidden = !asked || me.rated === asked; };
addEventListener('storage', (e) => {
  if (e.key !== 'webchat' || !e.newValue) return;
  me.rated = JSON.parse(e.newValue).rated;
  showRate();
});

// Who writes is shown until his message comes, or for as long as he may have stopped.
let ends = 0;
function writing(name) {
  clearTimeout(ends);
  const words = name && `${name} is writing…`;
  if ($('typing').textContent !== words) $('typing').textContent = words;
  if (name) ends = setTimeout(writing, 6000, '');
}

const seen = new Set();
const lost = 'There is no connection. What you write is sent when it is back.';
let events;
// A browser gives up where it is answered with an error: the page does not.
function connect() {
  events = new EventSource(`chat/api/${me.id}/events`);
  events.onopen = () => { if ($('status').textContent === lost) say(''); };
  events.onerror = () => { say(lost); if (events.readyState === EventSource.CLOSED) setTimeout(connect, 3000); };
  events.onmessage = heard;
  events.addEventListener('typing', (e) => writing(JSON.parse(e.data)));
}
function heard(e) {
  const m = JSON.parse(e.data);
  if (seen.has(m.id)) return;
  seen.add(m.id);
  control(m);
  if (m.role !== 'user') writing('');
  if (m.role === 'user') {
    for (const [id, p] of waiting) if (m.id.includes(id)) { p.remove(); waiting.delete(id); }
    add('user', m.text, '', m.files ?? []);
  } else if (m.notice) add('notice', m.text);
  else add(m.role, m.text, m.role === 'bot' ? 'Assistant' : m.name, m.files ?? []);
}
connect();

// What could not be sent is sent until it is, and says so where it is refused.
async function send(words, id = random()) {
  const p = add('user wait', words);
  waiting.set(id, p);
  for (let wait = 500; waiting.has(id); wait = Math.min(wait * 2, 10000)) {
    try {
      const r = await post('messages', { id, text: words });
      if (r.ok) return;
      if (r.status < 500) { waiting.delete(id); refused(p, 'This was not sent.', () => send(words, id)); return; }
    } catch { /* again */ }
    await new Promise((f) => setTimeout(f, wait));
  }
}

// refused says at a message that it did not go, and what can be done.
function refused(p, why, again) {
  p.className = 'm user bad';
  const line = document.createElement('small'), b = document.createElement('button');
  line.textContent = why;
  line.setAttribute('role', 'alert');
  b.type = 'button';
  b.textContent = again ? 'Try again' : 'Remove';
  b.addEventListener('click', () => { p.remove(); again?.(); text.focus(); });
  p.append(line, b);
  toEnd();
}
$('form').addEventListener('submit', (e) => {
  e.preventDefault();
  const words = text.value.trim();
  if (words) { if ($('status').textContent !== lost) say(''); send(words); text.value = ''; typed = 0; types(false); }
});
let typed = 0;
const types = (on) => post('typing', { on }).catch(() => {});
text.addEventListener('input', () => { if (Date.now() - typed > 3000) { typed = Date.now(); types(true); } });
text.addEventListener('keydown', (e) => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); $('form').requestSubmit(); } });
// press does what a button is for, once at a time, and says when it could not.
const press = async (button, verb, body, why) => {
  button.disabled = true;
  let ok = false;
  try { ok = (await post(verb, body)).ok; } catch { /* no connection */ }
  button.disabled = false;
  say(ok ? '' : why);
  return ok;
};
$('person').addEventListener('click', () => {
  const about = [...log.querySelectorAll('.m.user')].map((x) => x.textContent).join(' ');
  press($('person'), 'person', { queue: /charg|refund|money|invoice|paid/i.test(about) ? 'billing' : 'support' }, 'Nobody can be asked right now.');
});
$('cancel').addEventListener('click', () => press($('cancel'), 'cancel', {}, 'That did not work. Please try again.'));

const most = 2 << 20;
async function upload(f) {
  const p = add('user wait', '', '', [{ name: f.name }]);
  const big = `A file may have at most ${most >> 20} MB.`;
  if (f.size > most) { refused(p, big); return; }
  let status = 0;
  try { status = (await fetch(`chat/api/${me.id}/files?name=${encodeURIComponent(f.name)}&user=${encodeURIComponent(me.name)}`, { method: 'POST', body: f })).status; } catch { /* no connection */ }
  if (status >= 200 && status < 300) p.remove();
  else if (status === 413) refused(p, f.size ? big : 'This file is empty.');
  else refused(p, 'This file was not sent.', () => upload(f));
}
$('file').addEventListener('change', async () => {
  const list = [...$('file').files];
  $('file').value = '';
  for (const f of list) await upload(f);
});
for (let n = 1; n <= 5; n++) {
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = '★';
  b.setAttribute('aria-label', `${n} of 5`);
  b.addEventListener('click', async () => {
    const of = asked;
    if (!await press(b, 'rate', { score: n }, 'Your rating was not stored. Please try again.')) return;
    me.rated = of;
    remember();
    showRate();
    add('notice', 'Thank you for rating.');
    text.focus();
  });
  $('rate').append(b);
}
