package rocketchat

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs: the visitor's token, which is a secret, and the name
// that Rocket.Chat gave him.
type state struct {
	Token string `json:"token"`
	Name  string `json:"name,omitempty"`
}

// name is what the agents see of who writes.
func (s state) name() string { return cmp.Or(s.Name, "guest") }

type room struct {
	ID       string `json:"_id"`
	Open     bool   `json:"open"`
	ServedBy *agent `json:"servedBy"`
	Visitor  struct {
		Username string `json:"username"`
	} `json:"v"`
}

// session is that of the visitor who has a token.
func (r *room) session(token string) handoff.Session {
	b, _ := json.Marshal(state{Token: token, Name: provider.Name(r.Visitor.Username)}) //nolint:errchkjson // strings
	return handoff.Session{Reference: r.ID, State: b}
}

type agent struct {
	ID       string `json:"_id"`
	Username string `json:"username"`
	Name     string `json:"name"`
	At       string `json:"ts"`
}

func (a *agent) party() handoff.Party {
	name := a.Name
	if name == "" {
		name = a.Username
	}
	return provider.Agent(a.ID, name)
}

// judge reads Rocket.Chat's own codes: a refusal is a 400 with the code in
// square brackets, or alone. Whatever it did has "success": true; another answer
// with 200 is none of Rocket.Chat's, and nobody knows what was done.
func judge(a provider.Answer) *handoff.ProviderError {
	var body struct {
		Success bool   `json:"success"`
		Error   string `json:"error"`
		Type    string `json:"errorType"`
	}
	err := json.Unmarshal(a.Body, &body)
	pe := provider.Judge(a)
	switch {
	case pe == nil && (err != nil || !body.Success):
		pe = provider.AnswerLacks("")
		pe.Status, pe.Ambiguous = a.Status, true
		return pe
	case pe == nil || a.Status != http.StatusBadRequest:
		return pe
	}
	if err == nil {
		code := body.Type
		if i := strings.LastIndexByte(body.Error, '['); code == "" && i >= 0 {
			code = strings.TrimSuffix(body.Error[i+1:], "]")
		}
		if code == "" && !strings.Contains(body.Error, " ") {
			code = body.Error
		}
		if code = provider.Code(code); code != "" {
			pe.Code = code
		}
	}
	return pe
}

func isCode(err error, codes ...string) bool {
	var pe *handoff.ProviderError
	return errors.As(err, &pe) && slices.Contains(codes, pe.Code)
}

const api = "/api/v1/livechat/"

// visitor is the token of an attempt's visitor: the same each time, and
// unguessable, since it opens the room.
func (p *Provider) visitor(attempt string) string {
	return hex.EncodeToString(provider.MAC(sha256.New, p.cfg.Token, []byte("handoff "+attempt)))[:40]
}

// messageID names a message in Rocket.Chat, where ids are of the workspace.
func messageID(token, id string) string {
	return hex.EncodeToString(provider.MAC(sha256.New, token, []byte("message "+id)))[:24]
}

func stateOf(op string, s handoff.Session) (state, error) {
	var st state
	if json.Unmarshal(s.State, &st) != nil || st.Token == "" {
		return state{}, &handoff.ProviderError{Op: op, Code: "session"}
	}
	return st, nil
}

func tokenOf(op string, s handoff.Session) (string, error) {
	st, err := stateOf(op, s)
	return st.Token, err
}

// Open implements [handoff.Provider]. The first message comes last: a room that
// has it is complete.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	token := p.visitor(o.Attempt)
	v := map[string]any{"token": token, "name": "Visitor"}
	if u := o.Handoff.User; u != nil {
		for field, value := range map[string]string{"name": u.Name, "email": u.Mail, "phone": u.Phone} {
			if value != "" {
				v[field] = value
			}
		}
	}
	if d := p.cfg.Departments[o.Handoff.Need.Queue]; d != "" {
		v["department"] = d
	}
	call := provider.Call{Op: "open", Method: http.MethodPost, Path: api + "visitor", JSON: map[string]any{"visitor": v}, Repeatable: true}
	if err := p.api.Do(ctx, call, nil); err != nil {
		return handoff.Session{}, err
	}
	r, err := p.roomOf(ctx, "open", token)
	if err != nil {
		return handoff.Session{}, err
	}
	s := r.session(token)
	note := provider.Renderer{Redact: p.cfg.Redact}.Note(o, MaxBytes-100)
	if note == "" {
		note = "—"
	}
	return s, p.say(ctx, "open", s.Reference, token, messageID(token, "opening"), note, true)
}

// roomOf returns the open room of a visitor, made if there is none.
func (p *Provider) roomOf(ctx context.Context, op, token string) (room, error) {
	var got struct {
		Room room `json:"room"`
	}
	err := p.api.Do(ctx, provider.Call{Op: op, Path: api + "room", Query: url.Values{"token": {token}}}, &got)
	if err == nil && got.Room.ID == "" {
		err = &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Err: errors.New("the room has no id")}
	}
	return got.Room, err
}

// say writes a message of the visitor under our id. One that may be there is
// looked for.
func (p *Provider) say(ctx context.Context, op, reference, token, id, text string, again bool) error {
	return provider.Once(ctx, handoff.ProviderMessage{Again: again},
		func(ctx context.Context) (bool, error) { return p.has(ctx, op, reference, token, id) },
		func(ctx context.Context) error {
			return p.api.Do(ctx, provider.Call{
				Op: op, Method: http.MethodPost, Path: api + "message",
				JSON: map[string]string{"token": token, "rid": reference, "msg": text, "_id": id},
			}, nil)
		})
}

// has reports whether a room has a message under our id.
func (p *Provider) has(ctx context.Context, op, reference, token, id string) (bool, error) {
	var got struct {
		Message struct {
			ID string `json:"_id"`
		} `json:"message"`
	}
	err := p.api.Do(ctx, provider.Call{
		Op: op, Path: api + "message/" + url.PathEscape(id), Query: url.Values{"token": {token}, "rid": {reference}},
	}, &got)
	switch {
	case isCode(err, "invalid-message", "http_404"):
		return false, nil
	case err == nil && got.Message.ID != id: // taken for yes, the message would be lost
		return false, provider.AnswerLacks(op)
	}
	return err == nil, err
}

// Find implements [handoff.Finder]. A visitor without a room gets one.
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	token := p.visitor(attempt)
	err := p.api.Do(ctx, provider.Call{Op: "find", Path: api + "visitor/" + url.PathEscape(token)}, nil)
	if isCode(err, "invalid-token", "http_404") {
		return handoff.Session{}, false, nil
	}
	if err != nil {
		return handoff.Session{}, false, err
	}
	r, err := p.roomOf(ctx, "find", token)
	if err != nil {
		return handoff.Session{}, false, err
	}
	s := r.session(token)
	there, err := p.has(ctx, "find", r.ID, token, messageID(token, "opening"))
	s.Partial = !there
	return s, err == nil, err
}

// Send implements [handoff.Provider]. What the bot says comes from the visitor,
// too, and says so: Rocket.Chat's agents are people.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	token, err := tokenOf("send", s)
	if err != nil {
		return err
	}
	text, id := m.Text, messageID(token, m.ID)
	if m.From.Role == handoff.RoleBot {
		text = "[bot] " + text
	}
	if m.Again {
		if there, err := p.has(ctx, "send", s.Reference, token, id); there || err != nil {
			return err
		}
	}
	// The files first: the message under our id says that all of it is there.
	for _, f := range m.Files {
		more, err := p.upload(ctx, s.Reference, token, f)
		if err != nil {
			return err
		}
		text = strings.TrimSpace(text + "\n" + more)
	}
	return p.say(ctx, "send", s.Reference, token, id, text, false)
}

// upload passes a file on. It returns what the message says of it: its name,
// and its address if it cannot be had.
func (p *Provider) upload(ctx context.Context, reference, token string, f handoff.File) (string, error) {
	const most = 100 << 20
	body, typ, err := provider.Fetch(ctx, p.cfg.Files, f.URL, most)
	var pe *handoff.ProviderError
	if errors.As(err, &pe) {
		if pe.Retryable {
			return "", err
		}
		return strings.TrimSpace(f.Name + " " + f.URL), nil
	}
	name := f.Name
	if name == "" {
		name = "file"
	}
	if f.Type != "" {
		typ = f.Type
	}
	if typ == "" {
		typ = "application/octet-stream"
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", multipart.FileContentDisposition("file", name))
	h.Set("Content-Type", typ)
	part, _ := w.CreatePart(h) // into memory
	_, _ = part.Write(body)
	_ = w.Close()
	return name, p.api.Do(ctx, provider.Call{
		Op: "send", Method: http.MethodPost, Path: api + "upload/" + url.PathEscape(reference), Body: b.Bytes(), Type: w.FormDataContentType(),
		Header: http.Header{"X-Visitor-Token": {token}},
	}, nil)
}

// Close implements [handoff.Provider].
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	token, err := tokenOf("close", s)
	if err != nil {
		return err
	}
	err = p.api.Do(ctx, provider.Call{
		Op: "close", Method: http.MethodPost, Path: api + "room.close", JSON: map[string]string{"rid": s.Reference, "token": token}, Repeatable: true,
	}, nil)
	if isCode(err, "room-closed", "error-room-already-closed", "invalid-room", "http_404") {
		return nil
	}
	return err
}

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	var got struct {
		Room room `json:"room"`
	}
	err := p.api.Do(ctx, provider.Call{Op: "state", Path: "/api/v1/rooms.info", Query: url.Values{"roomId": {s.Reference}}}, &got)
	switch {
	case err != nil:
		return handoff.SessionUnknown, handoff.Party{}, err
	case got.Room.ID != s.Reference: // taken for the room, it would be a closed one
		return handoff.SessionUnknown, handoff.Party{}, provider.AnswerLacks("state")
	case !got.Room.Open:
		return handoff.SessionEnded, handoff.Party{}, nil
	case got.Room.ServedBy != nil && got.Room.ServedBy.ID != "":
		return handoff.SessionActive, got.Room.ServedBy.party(), nil
	}
	return handoff.SessionQueued, handoff.Party{}, nil
}

// Available implements [handoff.AvailabilityChecker]: whether the omnichannel,
// or the queue's department, is online.
func (p *Provider) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	var got struct {
		Config struct {
			Enabled *bool `json:"enabled"` // all that is told of an omnichannel that is off
			Online  *bool `json:"online"`
		} `json:"config"`
	}
	query := url.Values{}
	if d := p.cfg.Departments[n.Queue]; d != "" {
		query.Set("department", d)
	}
	if err := p.api.Do(ctx, provider.Call{Op: "availability", Path: api + "config", Query: query}, &got); err != nil {
		return handoff.Unknown, err
	}
	switch {
	case got.Config.Enabled == nil && got.Config.Online == nil:
		return handoff.Unknown, provider.AnswerLacks("availability")
	case got.Config.Online != nil && *got.Config.Online:
		return handoff.Online, nil
	}
	return handoff.Offline, nil
}
