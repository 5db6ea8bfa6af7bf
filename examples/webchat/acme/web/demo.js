// One frame for each desk that was opened: a hidden desk stays an open one.
const desks = document.getElementById('desks');
const frames = new Map();
function show(id) {
  if (!frames.has(id)) {
    const f = document.createElement('iframe');
    f.src = `desk/${id}/`;
    f.title = `The desk of ${id}`;
    frames.set(id, f);
    desks.append(f);
  }
  for (const [name, f] of frames) f.hidden = name !== id;
  for (const b of document.querySelectorAll('[data-agent]')) b.setAttribute('aria-pressed', String(b.dataset.agent === id));
}
for (const b of document.querySelectorAll('[data-agent]')) b.addEventListener('click', () => show(b.dataset.agent));
for (const b of document.querySelectorAll('[data-n]')) b.addEventListener('click', () => fetch(`customers/${b.dataset.n}`, { method: 'POST' }));
document.getElementById('fresh').addEventListener('click', () => {
  localStorage.removeItem('webchat');
  document.getElementById('chat').contentWindow.location.reload();
});
show('ann');
