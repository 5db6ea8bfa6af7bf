package spectest_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/seed-2a427302/handoff/provider/spectest"
)

// The validator itself: it knows valid requests from invalid ones.
func TestSpecTellsRightFromWrong(t *testing.T) {
	check := spectest.Spec{Name: "zendesk", File: "zendesk-sunco/openapi.yaml"}.Load(t)
	post := func(path, body string) error {
		r, err := http.NewRequest(http.MethodPost, "https://double"+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		return check(r, []byte(body))
	}
	const c = "/v2/apps/a/conversations/c"
	for _, good := range [][2]string{
		{c + "/passControl", `{"switchboardIntegration":"next"}`},
		{c + "/messages", `{"author":{"type":"user","userExternalId":"u"},"content":{"type":"text","text":"hello"}}`},
	} {
		if err := post(good[0], good[1]); err != nil {
			t.Errorf("%s %s: %v", good[0], good[1], err)
		}
	}
	for _, bad := range [][2]string{
		{c + "/passControl", `{}`},
		{c + "/messages", `{"content":{"type":"text","text":"hello"}}`},
		{c + "/messages", `{"author":{"type":"robot"},"content":{"type":"text","text":"hello"}}`},
		{c + "/messages", `{"author":"user","content":{"type":"text","text":"hello"}}`},
		{c + "/nothing", `{}`},
	} {
		if err := post(bad[0], bad[1]); err == nil {
			t.Errorf("%s %s is taken", bad[0], bad[1])
		}
	}
}
