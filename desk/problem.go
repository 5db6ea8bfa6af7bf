package desk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A problem is an answer that says why something did not happen: RFC 9457,
// with a code that pages turn into words.
type problem struct {
	Status  int     `json:"status"`
	Code    string  `json:"code"`
	Title   string  `json:"title,omitempty"`
	Field   string  `json:"field,omitempty"`
	Why     string  `json:"why,omitempty"`
	Fields  []wrong `json:"fields,omitempty"` // all that is wrong, Field and Why first
	Opens   int64   `json:"opens,omitempty"`
	Current *row    `json:"current,omitempty"` // the handoff as it is now
	Now     any     `json:"now,omitempty"`     // what was to be replaced, as it is now
	cause   error
}

func (p *problem) Error() string { return p.Code }

// errHandled says that the answer was written already.
var errHandled = errors.New("desk: answered")

var (
	errNotFound   = &problem{Status: http.StatusNotFound, Code: "not_found"}
	errForbidden  = &problem{Status: http.StatusForbidden, Code: "forbidden"}
	errNotRunning = &problem{Status: http.StatusServiceUnavailable, Code: "not_running"} // before Run has read what there is
	errNoStream   = &problem{Status: http.StatusNotImplemented, Code: "no_stream"}       // the page polls
)

func invalid(field, why string) *problem {
	return invalidAll([]wrong{{Field: field, Why: why}})
}

// invalidAll says all that is wrong at once, each with its field.
func invalidAll(list []wrong) *problem {
	for i := range list {
		list[i] = list[i].coded()
	}
	return &problem{Status: http.StatusUnprocessableEntity, Code: "invalid", Field: list[0].Field, Why: list[0].Why, Fields: list}
}

// explain turns an error of the engine into a problem.
func explain(err error, now *handoff.Handoff, me *Actor) *problem {
	var p *problem
	var bad *handoff.InvalidError
	var gone *handoff.UnavailableError
	var state *handoff.StateError
	taken := func(code string) string {
		if now != nil && now.Agent != "" && now.Agent != me.ID {
			return "taken"
		}
		return code
	}
	conflict := func(code string) *problem { return &problem{Status: http.StatusConflict, Code: code, cause: err} }
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &bad):
		if all := wrongs(err); len(all) > 0 {
			return invalidAll(all)
		}
		return invalid(bad.Field, bad.Why)
	case errors.As(err, &gone):
		p = conflict("unavailable")
		p.Why, p.Opens = string(gone.Why), millis(gone.Opens)
		return p
	case errors.Is(err, handoff.ErrNotFound):
		return errNotFound
	case errors.Is(err, handoff.ErrWithdrawn):
		return conflict(taken("withdrawn"))
	case errors.Is(err, handoff.ErrExpired):
		return conflict("expired")
	case errors.Is(err, handoff.ErrFull):
		return conflict("full")
	case errors.Is(err, handoff.ErrNotHolder):
		return conflict("not_owner")
	case errors.As(err, &state):
		p = conflict("state")
		if state.Command == "accept" {
			p.Code = taken("state")
		}
		return p
	case errors.Is(err, handoff.ErrConflict), errors.Is(err, handoff.ErrDuplicate), errors.Is(err, handoff.ErrOpen):
		return conflict("busy")
	case errors.Is(err, handoff.ErrUnknown), errors.Is(err, context.DeadlineExceeded):
		return &problem{Status: http.StatusServiceUnavailable, Code: "unknown", cause: err}
	default:
		return &problem{Status: http.StatusInternalServerError, Code: "internal", cause: err}
	}
}

// fail writes a problem.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, p *problem) {
	if p.Status >= http.StatusInternalServerError && p.cause != nil && r.Context().Err() == nil {
		h.log.WarnContext(r.Context(), "the desk could not answer", "code", p.Code, "error", p.cause)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	out := *p
	out.Title = http.StatusText(p.Status)
	writeJSON(w, &out)
}

func writeJSON(w http.ResponseWriter, v any) {
	// An error here is a page that has gone.
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // all types are ours
}

// answer writes a result.
func answer(w http.ResponseWriter, v any) {
	if v == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	writeJSON(w, v)
}

// serverTime is what a page counts from: its clock may be wrong, ours is told.
func serverTime() int64 { return time.Now().UnixMilli() }
