package providertest_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/inmem"
	"github.com/seed-2a427302/handoff/providertest"
)

// planted names the wrong providers with the rule that each breaks. wrong_test.go
// has what is wrong with them.
var planted = []struct {
	bug, rule string
	options   inmem.Options
}{
	{bug: "info changes", rule: "Info does no I/O and always says the same"},
	{bug: "no name", rule: "a provider has a name and a custody"},
	{bug: "MaxBytes of two", rule: "MaxBytes is a limit that a character fits in"},
	{bug: "ability not declared", rule: "a declared capability and the ability that provides it come together"},
	{bug: "declared only", rule: "a declared capability and the ability that provides it come together"},
	{bug: "deaf", rule: "something has to tell what the agents do"},

	{bug: "no reference", rule: "Open starts a chat and returns the platform's name for it"},
	{bug: "transcript forgotten", rule: "the agent sees what was said so far"},
	{bug: "transcript reversed", rule: "the agent sees what was said so far"},
	{bug: "transcript twice", rule: "the agent sees what was said so far"},
	{bug: "opening note shown", rule: "the note is internal"},
	{bug: "opening note forgotten", rule: "the note is internal"},
	{bug: "opens again", rule: "Open repeated with the same attempt returns the chat that is there"},
	{bug: "one chat for all", rule: "another attempt of another conversation is another chat"},
	{bug: "finds anything", rule: "and nothing for other attempts"},
	{bug: "finds nothing", rule: "Find returns the chat that an attempt opened"},
	{bug: "finds by prefix", rule: "and nothing for other attempts"},

	{bug: "drops a message", rule: "every message arrives as it is, once, in the order of the calls"},
	{bug: "one message late", rule: "every message arrives as it is, once, in the order of the calls"},
	{bug: "trims", rule: "every message arrives as it is"},
	{bug: "escapes", rule: "every message arrives as it is"},
	{bug: "cuts", rule: "every message arrives as it is"},
	{bug: "formats", rule: "every message arrives as it is"},
	{bug: "files lost", rule: "a file that a message refers to arrives with it"},
	{bug: "ids lost", rule: "a message repeated under its id is not shown again"},
	{bug: "same text is a repeat", rule: "a message repeated under its id is not shown again"},
	{bug: "last chat", rule: "nothing gets into another chat"},

	{bug: "over is busy", rule: "a message for a chat that is over there is refused for good"},
	{bug: "over opens another", rule: "no chat is left that nobody knows of"},
	{bug: "over is taken", rule: "a message for a chat that is over there is refused for good, or opens the chat again"},
	{bug: "ended reads active", rule: "what is written after a lost end is seen by the agents of a chat that goes on, or is the bot's to answer"},

	{bug: "close does nothing", rule: "Close ends the chat on the platform"},
	{bug: "close twice fails", rule: "closing one that is closed or unknown is no error"},
	{bug: "close unknown fails", rule: "closing one that is closed or unknown is no error"},
	{bug: "session in memory", rule: "a session can be stored"},
	{bug: "always queued", rule: "ReadState tells how a session stands"},
	{bug: "agent unread", rule: "ReadState tells how a session stands, and who has it"},
	{bug: "ended reads active", rule: "ReadState tells how a session stands"},

	{bug: "refusal is retryable", rule: "what the platform refuses for good"},
	{bug: "plain errors", rule: "what the platform refuses for good is a *ProviderError"},
	{bug: "no op", rule: "what the platform refuses for good"},
	{bug: "failure is success", rule: "what the platform refuses for good"},
	{bug: "busy is for good", rule: "what the platform asks to try again"},
	{bug: "busy is ambiguous", rule: "what the platform asks to try again"},
	{bug: "lost is certain", rule: "what may have happened is Ambiguous"},
	{bug: "no deadline", rule: "a call ends with its context"},
	{bug: "timeout is for good", rule: "a call ends with its context, and its failure is not for good"},
	{bug: "secret in error", rule: "errors hold no secrets and no content"},
	{bug: "secret in cause", rule: "errors hold no secrets and no content"},
	{bug: "text in error", rule: "errors hold no secrets and no content"},
	{bug: "failed check is online", rule: "a check that fails is an error, never online"},
	{bug: "other availability", rule: "an availability is online, offline or unknown"},

	{bug: "other reference", rule: "with the reference of the session"},
	{bug: "left is ended", rule: "told as an event of its kind"},
	{bug: "end untold", rule: "told as an event of its kind"},
	{bug: "position lost", rule: "a capability that is declared is one that the platform shows"},
	{bug: "wait lost", rule: "a capability that is declared is one that the platform shows"},
	{bug: "wait not declared", rule: "what is not declared is not told"},
	{bug: "typing not declared", rule: "what is not declared is not told"},
	{bug: "transfer not declared", rule: "what is not declared is not told"},
	{bug: "transfer untold", rule: "a capability that is declared is one that the platform shows"},
	{bug: "availability unknown", rule: "a capability that is declared is one that the platform shows"},
	{bug: "one reference all the same", rule: "a capability that is declared is one that the platform shows", options: inmem.Options{OneReference: true}},
	{bug: "agent unnamed", rule: "told as an event of its kind"},
	{bug: "agent numbered", rule: "told as an event of its kind", options: inmem.Options{NamesOnly: true}},
	{bug: "typing untold", rule: "told as an event of its kind"},
	{bug: "agent's text trimmed", rule: "what an agent writes is told as it is, in order"},
	{bug: "echo told", rule: "echoes are dropped"},
	{bug: "echo by text", rule: "echoes are dropped"},
	{bug: "agent's note told", rule: "an agent's internal note is never told as a message"},
	{bug: "random event ids", rule: "the same event has the same id each time it is told"},
	{bug: "one event id", rule: "the same event has the same id each time it is told, and another one another"},
	{bug: "no event ids", rule: "the same event has the same id each time it is told"},
	{bug: "no signature", rule: "Receive verifies the raw bytes"},
	{bug: "no time window", rule: "Receive verifies the raw bytes"},
	{bug: "garbage panics", rule: "Receive of garbage is an error or nothing, never a panic"},
	{bug: "note is a message", rule: "a note is internal, and the same note again is no second one"},
	{bug: "note twice", rule: "a note is internal, and the same note again is no second one"},
	{bug: "two tickets", rule: "the same one again is no second ticket"},
	{bug: "one ticket", rule: "the same one again is no second ticket"},
	{bug: "typing lost", rule: "while the user writes the agents see it"},
	{bug: "refresh does nothing", rule: "a session is renewed before it ends", options: inmem.Options{TokenLife: 10 * time.Minute}},
	{bug: "refresh tells no end", rule: "a session is renewed before it ends", options: inmem.Options{TokenLife: 10 * time.Minute}},
	{bug: "notes refused", rule: "a note of ours is seen by the platform's agents"},
	{bug: "return does nothing", rule: "ReturnToBot gives the conversation back"},
	{bug: "return twice fails", rule: "once more is no error"},
	{bug: "return is an end", rule: "told as such and as nothing else"},
	{bug: "returned is closed there", rule: "with whether it is still open there", options: inmem.Options{ReturnWord: provider.DefaultReturn}},

	{bug: "user's id lost", rule: "with the id of his message", options: inmem.Options{Custody: handoff.CustodyConversation}},
	{bug: "conversation lost", rule: "is told with the host's conversation", options: inmem.Options{Custody: handoff.CustodyConversation}},
	{bug: "relays all the same", rule: "the engine neither relays nor shows anything", options: inmem.Options{Custody: handoff.CustodyConversation}},
	{bug: "agent's files lost within", rule: "and the bot goes on and knows all of it", options: inmem.Options{Custody: handoff.CustodyConversation}},
	{bug: "agent's files lost", rule: "messages and files both ways, transfer, a note that stays inside, end, and the bot goes on"},
	{bug: "reads from now on", rule: "what happens on the platform is told", options: inmem.Options{Streams: true}},
	{bug: "reads one event", rule: "what happens on the platform is told", options: inmem.Options{Streams: true}},
	{bug: "reads with new ids", rule: "the same event has the same id each time", options: inmem.Options{Streams: true}},
}

const bugVariable = "HANDOFF_PLANTED_PROVIDER"

// Each wrong provider is caught, with the rule that it breaks. The suite fails
// the test that it runs in, so it runs in another process.
func TestPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the suite once for each wrong provider")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	try := func(bug string) (string, error) {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestSuiteOnPlanted$", "-test.timeout=2m", "-test.short")
		cmd.Env = append(os.Environ(), bugVariable+"="+bug)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := try("none")
	require.NoError(t, err, "without a bug nothing is found: %s", out)
	for _, p := range planted {
		t.Run(p.bug, func(t *testing.T) {
			out, err := try(p.bug)
			require.Error(t, err, "the suite misses it")
			assert.Contains(t, out, p.rule)
		})
	}
}

func TestSuiteOnPlanted(t *testing.T) {
	bug, ok := os.LookupEnv(bugVariable)
	if !ok {
		t.Skip("TestPlanted calls it")
	}
	var options inmem.Options
	for _, p := range planted {
		if p.bug == bug {
			options = p.options
		}
	}
	providertest.Run(t, func(*testing.T) providertest.Harness {
		desk := inmem.New(options)
		return providertest.Harness{
			Provider: newWrong(desk, bug), Vendor: vendor{desk},
			Again: func() handoff.Provider { return newWrong(desk, bug) },
		}
	})
}
