package desk

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-2a427302/handoff/desk/internal/lean"
)

//go:embed web i18n
var files embed.FS

// web is what browsers load: the files of the folder web, without their comments.
type web struct {
	hash   string // of all files: it is in their address, so that they can be kept for ever
	assets map[string][]byte
	needs  map[string][]string // page → modules that it loads at once
}

// views are the modules of pages that are loaded when they are first shown. The
// others are the inbox alone.
var views = map[string][]string{
	"c": {"chat.js", "details.js"}, "board": {"board.js"}, "bots": {"board.js"}, "history": {"history.js"}, "stats": {"stats.js"},
	"settings": {"settings.js"}, "admin": {"admin.js"},
}

var imports = regexp.MustCompile(`(?m)^import [^(]*? from '\./([^']+)';`)

// loads adds what a module imports, and what that imports.
func (w *web) loads(name string, seen []string) []string {
	if slices.Contains(seen, name) {
		return seen
	}
	seen = append(seen, name)
	for _, m := range imports.FindAllSubmatch(w.assets[name], -1) {
		seen = w.loads(string(m[1]), seen)
	}
	return seen
}

// types are the only ones that are served. Nothing is sniffed.
var types = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

func loadWeb() (*web, error) {
	w := &web{assets: map[string][]byte{}}
	sum := sha256.New()
	err := fs.WalkDir(files, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		b = lean.File(name, b)
		w.assets[strings.TrimPrefix(name, "web/")] = b
		sum.Write([]byte(name))
		sum.Write(b)
		return nil
	})
	w.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	first := w.loads("desk.js", nil)
	w.needs = map[string][]string{"": first}
	for page, modules := range views {
		w.needs[page] = slices.Clone(first)
		for _, m := range modules {
			w.needs[page] = w.loads(m, w.needs[page])
		}
	}
	return w, err
}

// policy is the Content-Security-Policy of everything that is served. Nothing
// inline runs, nothing comes from elsewhere, and nothing turns text into HTML.
func policy(ancestors []string) string {
	who := "'none'"
	if len(ancestors) > 0 {
		who = strings.Join(ancestors, " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors " + who + "; require-trusted-types-for 'script'; trusted-types 'none'"
}

// headers sets what every answer carries.
func (h *Handler) headers(head http.Header) {
	head.Set("Content-Security-Policy", h.policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	head.Set("Cache-Control", "no-store")
}

// A lastWord asks the host about the headers before the first of them is written.
type lastWord struct {
	http.ResponseWriter
	say  func(http.Header)
	said bool
}

func (w *lastWord) begin() {
	if !w.said {
		w.said = true
		w.say(w.Header())
	}
}

func (w *lastWord) WriteHeader(status int) {
	w.begin()
	w.ResponseWriter.WriteHeader(status)
}

func (w *lastWord) Write(b []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController. Nothing is flushed before it is written.
func (w *lastWord) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// asset serves a file. An address with another hash is one of another build: it
// gets what there is now, and does not keep it.
func (h *Handler) asset(w http.ResponseWriter, r *http.Request, name string) {
	hash, name, _ := strings.Cut(name, "/")
	b, ok := h.web.assets[name]
	kind := types[path.Ext(name)]
	if !ok || kind == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.fail(w, r, errNotFound)
		return
	}
	w.Header().Set("Content-Type", kind)
	if hash == h.web.hash {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(b) // an error is a browser that has gone
	}
}

// pages are the addresses that all get the same page: it decides what to show.
var pages = []string{"", "c/{id}", "board", "bots", "history", "stats", "settings", "admin"}

var shell = template.Must(template.New("shell").Parse(`<!doctype html>
<html lang="{{.Language}}" dir="{{.Dir}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<link rel="icon" href="{{.Root}}assets/{{.Hash}}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{.Root}}assets/{{.Hash}}/desk.css">
{{range .Modules}}<link rel="modulepreload" href="{{$.Root}}assets/{{$.Hash}}/{{.}}">
{{end}}<script type="module" src="{{.Root}}assets/{{.Hash}}/desk.js"></script>
</head>
<body>
<div id="desk"><header class="top"><span class="brand"><span class="mark"></span><bdi class="title">{{.Title}}</bdi></span></header><noscript>{{.NoScript}}</noscript></div>
<script type="application/json" id="boot">{{.Boot}}</script>
</body>
</html>
`))

var sorry = template.Must(template.New("sorry").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Text}} · {{.Title}}</title>
<link rel="icon" href="{{.Root}}assets/{{.Hash}}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{.Root}}assets/{{.Hash}}/desk.css">
</head>
<body><main class="empty"><p>{{.Title}}</p><h1>{{.Text}}</h1></main></body>
</html>
`))

// page serves the shell.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, name string) {
	known := false
	for _, p := range pages {
		if _, ok := match(p, name); ok {
			known = true
		}
	}
	switch {
	case !known:
		h.plainPage(w, r, http.StatusNotFound, "Not found")
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		h.plainPage(w, r, http.StatusMethodNotAllowed, "Method not allowed")
		return
	}
	actor, p := h.who(r)
	switch {
	case p != nil && p.Code == "sign_in" && h.cfg.SignIn != "":
		http.Redirect(w, r, h.cfg.SignIn, http.StatusSeeOther)
		return
	case p != nil && p.Code == "sign_in":
		h.plainPage(w, r, p.Status, "Please sign in")
		return
	case p != nil:
		h.plainPage(w, r, p.Status, http.StatusText(p.Status))
		return
	}
	language := h.language(&actor)
	words := h.words[language]
	boot, err := json.Marshal(map[string]any{
		"me": h.me(&actor), "build": h.web.hash, "title": h.cfg.Title, "language": language, "languages": h.languages(), "words": words,
		"tags": h.cfg.Tags, "dealt": h.cfg.Dealt, "video": h.cfg.Video, "suggestions": h.cfg.Suggestions, "readOnly": h.cfg.ReadOnly,
		"signIn": h.cfg.SignIn, "now": serverTime(), "ping": h.ping().Milliseconds(), "queues": h.queueNames(&actor),
	})
	if err != nil {
		h.plainPage(w, r, http.StatusInternalServerError, "Internal error")
		return
	}
	root := "./" + strings.Repeat("../", strings.Count(name, "/"))
	view, _, _ := strings.Cut(name, "/")
	modules := h.web.needs[view]
	var out bytes.Buffer
	err = shell.Execute(&out, map[string]any{
		"Language": language, "Dir": direction(language), "Title": h.cfg.Title, "Root": root, "Hash": h.web.hash, "Modules": modules,
		"Boot": template.JS(boot), "NoScript": words["noscript"], //nolint:gosec // encoding/json escapes <, > and &
	})
	if err != nil {
		h.plainPage(w, r, http.StatusInternalServerError, "Internal error")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.Method == http.MethodGet {
		_, _ = w.Write(out.Bytes()) // an error is a browser that has gone
	}
}

// plainPage says why there is none, in the desk's own look.
func (h *Handler) plainPage(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = sorry.Execute(w, map[string]any{ // an error is a browser that has gone
		"Title": h.cfg.Title, "Text": text, "Hash": h.web.hash, "Root": "./" + strings.Repeat("../", max(0, strings.Count(r.URL.Path, "/")-1)),
	})
}

// toSlash sends /desk to /desk/, wherever that is: the desk does not know its
// own prefix, the browser does.
func (h *Handler) toSlash(w http.ResponseWriter, r *http.Request) {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || path.Base(u.EscapedPath()) == "/" {
		h.plainPage(w, r, http.StatusNotFound, "Not found")
		return
	}
	w.Header().Set("Location", "./"+path.Base(u.EscapedPath())+"/")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// me is what a page knows about its actor.
func (h *Handler) me(a *Actor) map[string]any {
	can := []Permission{}
	for _, p := range Permissions() {
		if a.has(p) {
			can = append(can, p)
		}
	}
	_, presence := h.sessions()
	return map[string]any{
		"id": a.ID, "name": a.Name, "role": a.Role.String(), "queues": a.Queues, "can": can,
		"presence": presence == nil && a.has(Present),
	}
}

// lists are those of an actor's queues that pages offer: they change with his
// rights.
func (h *Handler) lists(a *Actor) map[string]any {
	return map[string]any{"queues": h.queueNames(a)}
}

func (h *Handler) hello(a *Actor) any {
	return map[string]any{"boot": h.view.boot, "now": serverTime(), "me": h.me(a), "build": h.web.hash, "ping": h.ping().Milliseconds()}
}

// reasons is how a handoff of a queue may be closed, where that says so. It goes
// with the handoff: a colleague may have it who does not serve its queue.
func (h *Handler) reasons(queue string) any {
	q, ok := h.queues[queue]
	if !ok || len(q.CloseReasons) == 0 && !q.NeedReason {
		return nil
	}
	return map[string]any{"list": q.CloseReasons, "need": q.NeedReason}
}

func (h *Handler) queueNames(a *Actor) []string {
	out := []string{}
	for _, q := range h.engine.Queues() {
		if a.may(Figures, &facts{queue: q.Name}) {
			out = append(out, q.Name)
		}
	}
	return out
}
