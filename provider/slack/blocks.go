package slack

// A block is a part of a message in Slack's Block Kit, as far as we need it.
type block struct {
	Type     string    `json:"type"`
	ID       string    `json:"block_id,omitempty"`
	Text     *text     `json:"text,omitempty"`
	Elements []element `json:"elements,omitempty"`
}

type element struct {
	Type   string `json:"type"`
	Text   *text  `json:"text"`
	Action string `json:"action_id"`
	Value  string `json:"value,omitempty"`
	Style  string `json:"style,omitempty"`
}

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// The actions of the buttons.
const (
	actionTake    = "handoff_take"
	actionRelease = "handoff_release"
	actionReturn  = "handoff_return"
	actionEnd     = "handoff_end"
)

func plainText(s string) *text { return &text{Type: "plain_text", Text: s} }

// head is the first message of a thread, with its buttons.
func head(title string) []block {
	button := func(label, action, style string) element {
		return element{Type: "button", Text: plainText(label), Action: action, Style: style}
	}
	return []block{
		section(title),
		{Type: "actions", ID: "handoff", Elements: []element{
			button("Take", actionTake, "primary"), button("Release", actionRelease, ""), button("Return to bot", actionReturn, ""), button("End", actionEnd, "danger"),
		}},
	}
}

// section is one paragraph; Slack takes 3,000 characters.
func section(s string) block { return block{Type: "section", Text: plainText(s)} }
