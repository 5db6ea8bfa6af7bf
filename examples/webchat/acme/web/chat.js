// The user's chat: what he sees comes from FollowUser, so that a page that was
// loaded again shows the same. Text is text: nothing is ever read as HTML.
const saved = JSON.parse(localStorage.getItem('webchat') ?? 'null');
const names = ['Maria Keller', 'Lee Wong', 'Jo Bright', 'Amina Diallo'];
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(36).padStart(2, '0')).join('').slice(0, 24);
const me = saved ?? { id: 'web-' + random(), name: names[Math.floor(Math.random() * names.length)] };
localStorage.setItem('webchat', JSON.stringify(me));
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

function control(m) {
  const k = m.notice;
  if (m.role === 'agent' && !k) $('with').textContent = m.name;
  const person = k === 'joined' || k === 'take_over' || k === 'resumed';
  const waits = ['waiting', 'place', 'requeued', 'transferred', 'connecting', 'question'].includes(k);
  const bot = ['returned', 'ended', 'missed', 'cancelled', 'failed', 'offline', 'message_left'].includes(k);
  if (person) { $('with').textContent = m.text; $('person').hidden = true; $('cancel').hidden = false; $('cancel').textContent = 'End chat'; $('rate').hidden = true; }
  else if (waits) { $('with').textContent = 'Waiting for a person'; $('person').hidden = true; $('cancel').hidden = false; $('cancel').textContent = 'Cancel'; }
  else if (bot) { $('with').textContent = 'Assistant'; $('person').hidden = false; $('cancel').hidden = true; }
  if (k === 'rate') $('rate').hidden = false;
}

// Who writes is shown until his message comes, or for as long as he may have stopped.
let ends = 0;
function writing(name) {
  clearTimeout(ends);
  const words = name && `${name} is writing…`;
  if ($('typing').textContent !== words) $('typing').textContent = words;
  if (name) ends = setTimeout(writing, 6000, '');
}

const seen = new Set();
const events = new EventSource(`chat/api/${me.id}/events`);
events.onmessage = (e) => {
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
};

events.addEventListener('typing', (e) => writing(JSON.parse(e.data)));

async function send(words) {
  const id = random();
  const p = add('user wait', words);
  waiting.set(id, p);
  for (let wait = 500; ; wait = Math.min(wait * 2, 10000)) {
    try { const r = await post('messages', { id, text: words }); if (r.ok || r.status < 500) return; } catch { /* again */ }
    await new Promise((f) => setTimeout(f, wait));
  }
}
$('form').addEventListener('submit', (e) => {
  e.preventDefault();
  const words = text.value.trim();
  if (words) { send(words); text.value = ''; typed = 0; post('typing', { on: false }); }
});
let typed = 0;
text.addEventListener('input', () => { if (Date.now() - typed > 3000) { typed = Date.now(); post('typing', { on: true }); } });
text.addEventListener('keydown', (e) => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); $('form').requestSubmit(); } });
$('person').addEventListener('click', async () => {
  const about = [...log.querySelectorAll('.m.user')].map((x) => x.textContent).join(' ');
  const r = await post('person', { queue: /charg|refund|money|invoice|paid/i.test(about) ? 'billing' : 'support' });
  if (!r.ok) $('status').textContent = 'Nobody can be asked right now.';
});
$('cancel').addEventListener('click', () => post('cancel', {}));
$('file').addEventListener('change', async () => {
  const f = $('file').files[0];
  if (f) await fetch(`chat/api/${me.id}/files?name=${encodeURIComponent(f.name)}&user=${encodeURIComponent(me.name)}`, { method: 'POST', body: f });
  $('file').value = '';
});
for (let n = 1; n <= 5; n++) {
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = '★';
  b.setAttribute('aria-label', `${n} of 5`);
  b.addEventListener('click', async () => { await post('rate', { score: n }); $('rate').hidden = true; add('notice', 'Thank you for rating.'); });
  $('rate').append(b);
}
