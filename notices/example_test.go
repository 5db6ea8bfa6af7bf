package notices_test

import (
	"fmt"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/notices"
)

func Example() {
	words, err := notices.New(notices.Options{
		Queues: map[string]map[string]notices.Words{
			"billing": {"en": {handoff.NoticeJoined: "{agent} from billing is here."}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, lang := range []string{"en", "de-AT"} {
		fmt.Println(words.Text(handoff.Notice{
			Key: handoff.NoticeJoined, Language: lang, Queue: "billing", Data: map[string]string{"agent": "Ann"},
		}))
	}
	// Output:
	// Ann from billing is here.
	// Ann ist jetzt im Gespräch.
}
