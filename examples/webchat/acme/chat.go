package acme

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

func isStale(err error) bool { return errors.Is(err, handoff.ErrStale) }

// A file is what a user sent. The engine keeps a reference; the bytes are ours.
type file struct {
	name, kind string
	bytes      []byte
}

const (
	maxFile  = 2 << 20
	maxFiles = 50
)

// conversations of this chat are random names made by the user's browser: who
// knows the name is the user. A real host has its own sessions.
var conversationName = regexp.MustCompile(`^web-[a-z0-9]{16,40}$`)

func (h *host) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /chat/api/{c}/events", h.events)
	mux.HandleFunc("POST /chat/api/{c}/{verb}", h.verb)
	mux.HandleFunc("POST /chat/api/{c}/files", h.upload)
	mux.HandleFunc("GET /files/{id}", h.download)
}

// events shows a user what he may see, from the beginning, and what comes.
func (h *host) events(w http.ResponseWriter, r *http.Request) {
	c := r.PathValue("c")
	if !conversationName.MatchString(c) {
		http.Error(w, "no such conversation", http.StatusNotFound)
		return
	}
	var after handoff.UserCursor
	if last := r.Header.Get("Last-Event-ID"); last != "" && json.Unmarshal([]byte(last), &after) != nil {
		after = handoff.UserCursor{}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	var one sync.Mutex // what is said and who is writing come from two sides
	say := func(event string, a ...any) bool {
		one.Lock()
		defer one.Unlock()
		_ = rc.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, err := fmt.Fprintf(w, event, a...)
		return err == nil && rc.Flush() == nil
	}
	if !say("retry: 1000\n\n") {
		return
	}
	page, leave := h.wire.enter(c)
	defer leave()
	var done sync.WaitGroup
	defer done.Wait()
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case name := <-page:
				if data, err := json.Marshal(name); err != nil || !say("event: typing\ndata: %s\n\n", data) {
					return
				}
			}
		}
	})
	for m, err := range h.FollowUser(ctx, c, after) {
		if err != nil {
			return
		}
		cursor, err := json.Marshal(m.Cursor)
		if err != nil {
			return
		}
		data, err := json.Marshal(shown{m.ID, m.From.Role, m.From.Name, m.Text, m.Notice, m.At.UnixMilli(), m.Files})
		if err != nil {
			return
		}
		if !say("id: %s\ndata: %s\n\n", cursor, data) {
			return
		}
	}
}

// shown is a message as the user's page gets it.
type shown struct {
	ID     string         `json:"id"`
	Role   handoff.Role   `json:"role"`
	Name   string         `json:"name"`
	Text   string         `json:"text"`
	Notice string         `json:"notice"`
	At     int64          `json:"at"`
	Files  []handoff.File `json:"files"`
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*`)

// language is what the user's browser asks for first: the engine's notices, form
// errors among them, come in it. The bot and the page speak English only.
func language(r *http.Request) string {
	tag := languageTag.FindString(r.Header.Get("Accept-Language"))
	if tag == "" || len(tag) > 35 {
		return "en"
	}
	return tag
}

// verb is what a user can do.
func (h *host) verb(w http.ResponseWriter, r *http.Request) {
	c := r.PathValue("c")
	var in struct {
		ID    string `json:"id"`
		Text  string `json:"text"`
		Name  string `json:"name"`
		Queue string `json:"queue"`
		Score int    `json:"score"`
		On    bool   `json:"on"`
	}
	if !conversationName.MatchString(c) || json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in) != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	ctx := r.Context()
	user := &handoff.Contact{ID: c, Name: in.Name}
	var err error
	switch r.PathValue("verb") {
	case "messages":
		err = h.receive(ctx, handoff.Incoming{Conversation: c, ID: in.ID, Text: in.Text, User: user, Channel: "web chat", Language: language(r)})
	case "person":
		var asked handoff.Requested
		asked, err = h.Request(ctx, handoff.Request{Conversation: c, Queue: in.Queue, User: user, Channel: "web chat"})
		if fields, next := asked.Handoff.Form(); next < len(fields) && errors.Is(err, handoff.ErrUnavailable) {
			err = nil // nobody is there, and he is told so and asked for a message
		}
		err = h.sayWhy(ctx, c, language(r), err)
	case "cancel":
		_, err = h.Cancel(ctx, c, false)
	case "typing":
		h.wire.desk.UserTyping(c, in.On)
	case "rate":
		err = h.rate(r, c, in.Score)
	default:
		http.NotFound(w, r)
		return
	}
	var away *handoff.UnavailableError
	switch {
	case errors.As(err, &away), errors.Is(err, handoff.ErrState), errors.Is(err, handoff.ErrStale):
		http.Error(w, err.Error(), http.StatusConflict)
	case errors.Is(err, handoff.ErrInvalid), errors.Is(err, handoff.ErrNotFound):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case err != nil:
		http.Error(w, "try again", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// sayWhy lets the bot, which goes on, say why nobody can be asked.
func (h *host) sayWhy(ctx context.Context, conversation, language string, err error) error {
	var away *handoff.UnavailableError
	if !errors.As(err, &away) {
		return err
	}
	notice := handoff.Notice{Key: handoff.NoticeOffline, Language: language, Data: map[string]string{"why": string(away.Why)}}
	if !away.Opens.IsZero() {
		notice.Data["opens"] = away.Opens.Format(time.RFC3339)
	}
	if _, said := h.Say(ctx, conversation, handoff.Message{Text: h.notices.Text(notice)}); ignoreStale(said) != nil {
		return said
	}
	return err
}

// rate stores what the user thought of the last human stretch.
func (h *host) rate(r *http.Request, conversation string, score int) error {
	now, err := h.Latest(r.Context(), conversation)
	for err == nil && !now.Attended && now.ID.Number > 1 {
		now, err = h.Get(r.Context(), handoff.ID{Conversation: conversation, Number: now.ID.Number - 1})
	}
	if err == nil {
		_, err = h.Rate(r.Context(), now.ID, score, "")
	}
	return err
}

// upload keeps a file and gives it to whoever has the user.
func (h *host) upload(w http.ResponseWriter, r *http.Request) {
	c := r.PathValue("c")
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFile))
	if err != nil || len(b) == 0 || !conversationName.MatchString(c) {
		http.Error(w, "a file of at most 2 MiB", http.StatusRequestEntityTooLarge)
		return
	}
	id := rand.Text()
	f := file{name: filepath.Base(r.URL.Query().Get("name")), kind: http.DetectContentType(b), bytes: b}
	h.mu.Lock()
	full := len(h.files) >= maxFiles
	if !full {
		h.files[id] = f
	}
	h.mu.Unlock()
	if full {
		http.Error(w, "no more files", http.StatusInsufficientStorage)
		return
	}
	err = h.receive(r.Context(), handoff.Incoming{
		Conversation: c, ID: "file-" + id, Channel: "web chat", Language: language(r), User: &handoff.Contact{ID: c, Name: r.URL.Query().Get("user")},
		Files: []handoff.File{{Name: f.name, Type: f.kind, Size: int64(len(b)), URL: "http://" + r.Host + "/files/" + id}},
	})
	if err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// download gives a file as what it is not: never as a page.
func (h *host) download(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	f, ok := h.files[r.PathValue("id")]
	h.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
	_, _ = w.Write(f.bytes) // an error is a browser that has gone
}
