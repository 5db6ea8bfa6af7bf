package spectest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-2a427302/handoff/provider/slack"
	"github.com/seed-2a427302/handoff/provider/slack/slacktest"
	"github.com/seed-2a427302/handoff/provider/spectest"
	"github.com/seed-2a427302/handoff/providertest"
)

// withoutAnswers leaves out what a document of Swagger 2 says about answers:
// Slack's has lists of schemas there, which Swagger does not know.
func withoutAnswers(t *testing.T, text []byte) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "definitions")
	for _, item := range doc["paths"].(map[string]any) {
		for _, op := range item.(map[string]any) {
			op.(map[string]any)["responses"] = map[string]any{"200": map[string]string{"description": "an answer"}}
		}
	}
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Every request of the whole suite, by Slack's document of 2021, as far as it
// has the method.
func TestSlack(t *testing.T) {
	check := spectest.Spec{
		Name: "slack", File: "slack/slack_web_openapi_v2_without_examples.json", Prefix: "/api",
		// The document wants a token in a header or query of that name; Slack
		// takes, and advises, Authorization.
		Optional: []string{"token"},
		Repair:   func(text []byte) []byte { return withoutAnswers(t, text) },
	}.Load(t)
	bad, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://slack.example/api/chat.postMessage", nil)
	if err != nil {
		t.Fatal(err)
	}
	bad.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if check(bad, []byte("text=without+a+channel")) == nil {
		t.Fatal("the document takes a message without a channel")
	}
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := slacktest.New(t)
		d.Validate(func(r *http.Request, body []byte) error {
			if strings.HasPrefix(r.URL.Path, "/upload/") || strings.HasPrefix(r.URL.Path, "/api/files.") {
				return nil // newer than the document
			}
			return check(r, body)
		})
		files := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "slack.example" || r.URL.Host == "slack.example" {
				d.ServeHTTP(w, r)
				return
			}
			_, _ = w.Write([]byte("%PDF"))
		})
		p, err := slack.New(slack.Config{
			URL: slacktest.URL, Token: slacktest.Token, Secrets: []string{slacktest.Secret}, Channel: slacktest.Channel,
			Agents: map[string]string{"7": "Ann", "8": "Bob"}, HTTP: providertest.Client(d), Files: providertest.Client(files),
		})
		if err != nil {
			t.Fatal(err)
		}
		return providertest.Harness{Provider: p, Vendor: d}
	})
}
