package spectest_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/spectest"
	"github.com/seed-2a427302/handoff/providertest"
)

// Every request of the whole suite, by Rocket.Chat's OpenAPI documents
// (github.com/RocketChat/Rocket.Chat-Open-API: omnichannel.yaml, rooms.yaml). They
// have no licence, so that the folder of documents may lack them.
func TestRocketChat(t *testing.T) {
	omnichannel := spectest.Spec{Name: "rocketchat", File: "rocketchat/omnichannel.yaml", MayLack: true}.Load(t)
	rooms := spectest.Spec{Name: "rocketchat", File: "rocketchat/rooms.yaml", MayLack: true}.Load(t)
	openapi3filter.RegisterBodyDecoder("application/pdf", openapi3filter.FileBodyDecoder) // it knows some types of files only
	defer openapi3filter.UnregisterBodyDecoder("application/pdf")
	bad, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://double/api/v1/livechat/offline.message", nil)
	if err != nil {
		t.Fatal(err)
	}
	bad.Header.Set("Content-Type", "application/json")
	if err := omnichannel(bad, []byte(`{"name":"x","message":"y"}`)); err == nil || errors.Is(err, spectest.ErrNoOperation) {
		t.Fatalf("the document takes an offline message without an address: %v", err)
	}
	files := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("%PDF")) })
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := rocketchattest.New(t)
		d.Validate(func(r *http.Request, body []byte) error {
			if r.URL.Path == "/api/v1/rooms.info" {
				return rooms(r, body)
			}
			if query := r.URL.Query(); query.Has("sort") { // its schema has no type: the validator takes every value for none
				query.Del("sort")
				r.URL.RawQuery = query.Encode()
			}
			return omnichannel(r, body)
		})
		p, err := rocketchat.New(rocketchat.Config{
			URL: rocketchattest.URL, User: rocketchattest.User, Token: rocketchattest.Token, Secrets: []string{rocketchattest.Secret},
			Departments: map[string]string{"support": "dep1"}, HTTP: providertest.Client(d), Files: providertest.Client(files),
		})
		if err != nil {
			t.Fatal(err)
		}
		return providertest.Harness{Provider: p, Vendor: d}
	})
}
