package livechat

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// upload passes a file on. It returns its address there, or "" if it cannot be
// passed on.
func (p *Provider) upload(ctx context.Context, token string, f handoff.File) (string, error) {
	const most = 10 << 20
	body, typ, err := provider.Fetch(ctx, p.cfg.Files, f.URL, most)
	var pe *handoff.ProviderError
	if errors.As(err, &pe) {
		if pe.Retryable {
			return "", reopen("send", err)
		}
		return "", nil
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
	var got struct {
		URL string `json:"url"`
	}
	err = p.api.Do(ctx, provider.Call{
		Op: "send", Method: http.MethodPost, Path: "/customer/action/upload_file", Query: url.Values{"organization_id": {p.cfg.Organization}},
		Header: http.Header{"Authorization": {"Bearer " + token}}, Body: b.Bytes(), Type: w.FormDataContentType(),
		Repeatable: true, // a file that no event names is dropped after a day
	}, &got)
	if isCode(err, "entity_too_large", "http_413", "validation") {
		return "", nil
	}
	if err == nil && got.URL == "" {
		err = provider.AnswerLacks("send")
	}
	return got.URL, err
}
