package genesys

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Workitems say what work items are made of that users leave.
type Workitems struct {
	Type string // id of the worktype
	Bin  string // id of the workbin; empty: that of the worktype
}

// A Suite is a [Provider] that makes work items of what users leave. They go to
// the queue of Config.Queues, or where the worktype says.
type Suite struct {
	*Provider

	work Workitems
}

var (
	_ handoff.Provider = (*Suite)(nil)
	_ handoff.Ticketer = (*Suite)(nil)
)

// NewSuite returns a provider with tickets. It does no I/O. What cannot work is
// a *[handoff.InvalidError].
func NewSuite(c Config, w Workitems) (*Suite, error) {
	p, err := New(c)
	switch {
	case err != nil:
		return nil, err
	case !isID(w.Type):
		return nil, &handoff.InvalidError{Field: "Workitems.Type", Why: "is no id"}
	case w.Bin != "" && !isID(w.Bin):
		return nil, &handoff.InvalidError{Field: "Workitems.Bin", Why: "is no id"}
	}
	return &Suite{Provider: p, work: w}, nil
}

// Info implements [handoff.Provider].
func (s *Suite) Info() handoff.ProviderInfo {
	info := s.Provider.Info()
	info.Can.Ticket = true
	return info
}

// The limits of a work item: of its name and its description, in characters,
// and how many the adapter makes of one message. What is longer is cut; the
// engine keeps all of it.
const (
	mostName  = 256
	mostWords = 512
	mostItems = 8
)

type workitem struct {
	ID    string `json:"id,omitempty"` // of the answer
	Name  string `json:"name"`
	Type  string `json:"typeId"`
	Bin   string `json:"workbinId,omitempty"`
	Queue string `json:"queueId,omitempty"`
	Words string `json:"description"`
	Tag   string `json:"externalTag"`
}

// Ticket implements [handoff.Ticketer]. A work item has room for 512 characters:
// a longer message is several, of which the first is the reference. Each has a tag
// of ours, by which it is looked for before it is made.
func (s *Suite) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	who := "conversation " + h.ID.Conversation
	if u := h.User; u != nil {
		if known := strings.Join(strings.Fields(u.Name+" "+u.Mail+" "+u.Phone), " "); known != "" {
			who, text = known, known+"\n"+text
		}
	}
	parts := provider.Parts(provider.Cut(text, mostItems*mostWords*3/4), mostWords)
	tag := "handoff-" + hex.EncodeToString(provider.MAC(sha256.New, s.cfg.Secret, []byte("handoff ticket "+id)))[:32]
	reference := ""
	for i, part := range parts {
		item := workitem{
			Name: provider.Cut("Message from "+provider.Name(who), mostName-len(" 8/8")), Type: s.work.Type, Bin: s.work.Bin,
			Queue: s.cfg.Queues[h.Need.Queue], Words: part, Tag: tag + "-" + strconv.Itoa(i+1),
		}
		if len(parts) > 1 {
			item.Name += " " + strconv.Itoa(i+1) + "/" + strconv.Itoa(len(parts))
		}
		made, err := s.item(ctx, &item)
		if err != nil {
			return "", err
		}
		if reference == "" {
			reference = made
		}
	}
	return reference, nil
}

const workitems = "/api/v2/taskmanagement/workitems"

// item returns the id of the work item with a tag, which it makes if there is
// none.
func (s *Suite) item(ctx context.Context, item *workitem) (string, error) {
	is := func(name, value string) fields {
		return fields{"name": name, "type": "String", "operator": "EQ", "values": []string{value}}
	}
	var list *struct { // without entities for none: what it answers then was not seen
		Entities []workitem `json:"entities"`
	}
	err := s.api.Do(ctx, provider.Call{
		Op: "ticket", Method: http.MethodPost, Path: workitems + "/query", Repeatable: true,
		JSON: fields{"pageSize": 25, "filters": []fields{is("typeId", item.Type), is("externalTag", item.Tag)}},
	}, &list)
	if err == nil && list == nil { // taken for none, there would be two
		err = provider.AnswerLacks("ticket")
	}
	if err != nil {
		return "", err
	}
	for i := range list.Entities {
		if found := &list.Entities[i]; found.Tag == item.Tag && found.ID != "" {
			return found.ID, nil
		}
	}
	var made workitem
	err = s.api.Do(ctx, provider.Call{Op: "ticket", Method: http.MethodPost, Path: workitems, JSON: item}, &made)
	if err == nil && made.ID == "" {
		err = &handoff.ProviderError{Op: "ticket", Code: "answer", Retryable: true, Ambiguous: true, Err: errors.New("the work item has no id")}
	}
	return made.ID, err
}
