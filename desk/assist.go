package desk

import (
	"errors"
	"net/http"
	"slices"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
)

// suggestions asks the host's model for replies. They are for the agent to read
// and change; nothing is sent.
func (h *Handler) suggestions(c *call) (any, error) {
	list, err := h.engine.Suggest(c.ctx(), c.h.ID)
	if err != nil {
		return nil, &problem{Status: http.StatusBadGateway, Code: "suggestions", cause: err}
	}
	out := []string{}
	for _, s := range list[:min(len(list), 5)] {
		out = append(out, clip(s, maxDraft))
	}
	return map[string]any{"suggestions": out}, nil
}

// summary says in a few words what it is about, also where nobody has said so
// yet: in a conversation that the bot has.
func (h *Handler) summary(c *call) (any, error) {
	s, err := h.engine.Summary(c.ctx(), c.h.ID)
	if err != nil {
		return nil, err
	}
	return map[string]string{"summary": s}, nil
}

// buttons are the rules that an actor may run here.
func (h *Handler) buttons(c *call) []automate.Button {
	may := c.actor.may(Work, &c.facts) || c.actor.may(Direct, &c.facts)
	if h.cfg.Automations == nil || h.cfg.ReadOnly || !may {
		return nil
	}
	return h.cfg.Automations.Buttons(c.ctx(), *c.h)
}

// run is an agent who presses a button.
func (h *Handler) run(c *call) (any, error) {
	var in struct {
		opBody
		Rule string `json:"rule"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	if h.cfg.Automations == nil {
		return nil, invalid("rule", "is not one")
	}
	a, p := c.by(in.Op)
	if p != nil {
		return nil, p
	}
	err := h.cfg.Automations.Run(c.ctx(), in.Rule, c.h.ID, a)
	switch {
	case errors.Is(err, handoff.ErrNotFound):
		return nil, invalid("rule", "has no button here")
	case err != nil:
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "rule.run", in.Rule+" "+c.h.ID.String())
	now, err := h.engine.Get(c.ctx(), c.h.ID)
	return h.done(c, now, err)
}

// rules lists what is done by rule, for those who manage.
func (h *Handler) rules(c *call) (any, error) {
	type line struct {
		automate.Rule
		Fixed bool `json:"fixed"`
	}
	type leftOut struct {
		line
		Why []wrong `json:"why"`
	}
	a, out, left := h.cfg.Automations, []line{}, []leftOut{}
	if a == nil {
		return map[string]any{"rules": out, "left": left, "writable": false}, nil
	}
	list, err := a.List(c.ctx())
	if err != nil {
		return nil, err
	}
	for i := range list {
		out = append(out, line{list[i], a.Fixed(list[i].Name)})
	}
	not, err := a.LeftOut(c.ctx())
	if err != nil {
		return nil, err
	}
	for i := range not {
		why := wrongs(not[i].Why)
		for j := range why {
			why[j] = why[j].coded()
		}
		left = append(left, leftOut{line{not[i].Rule, a.Fixed(not[i].Rule.Name)}, why})
	}
	return map[string]any{"rules": out, "left": left, "writable": a.Editable()}, nil
}

func (h *Handler) putRule(c *call) (any, error) {
	var body struct {
		automate.Rule
		before
	}
	if p := c.decode(&body); p != nil {
		return nil, p
	}
	in := body.Rule
	in.Name = c.name
	if h.cfg.Automations == nil {
		return nil, errFixedRule
	}
	if h.cfg.Automations.Fixed(in.Name) || !h.cfg.Automations.Editable() {
		return nil, errFixedRule
	}
	list := wrongs(h.cfg.Automations.Validate(in))
	if slices.ContainsFunc(in.If.Queues, func(q string) bool { _, ok := h.queues[q]; return !ok }) {
		list = append(list, wrong{Field: "Rule.If.Queues", Why: "has one that does not exist"})
	}
	if len(list) > 0 {
		return nil, invalidAll(list)
	}
	all, err := h.cfg.Automations.List(c.ctx())
	if err != nil {
		return nil, err
	}
	var now *automate.Rule
	if i := slices.IndexFunc(all, func(r automate.Rule) bool { return r.Name == in.Name }); i >= 0 {
		now = &all[i]
	}
	if err := unchanged(body.Was, now); err != nil {
		return nil, err
	}
	if err := h.cfg.Automations.Put(c.ctx(), in); err != nil {
		return nil, fixedRule(err)
	}
	h.edited("rules", Manage, "")
	h.audit(c.ctx(), c.actor, "rule.put", c.name)
	return in, nil
}

func (h *Handler) deleteRule(c *call) (any, error) {
	if h.cfg.Automations == nil {
		return nil, errFixedRule
	}
	if err := h.cfg.Automations.Delete(c.ctx(), c.name); err != nil {
		return nil, fixedRule(err)
	}
	h.edited("rules", Manage, "")
	h.audit(c.ctx(), c.actor, "rule.delete", c.name)
	return nil, c.ctx().Err()
}

var errFixedRule = &problem{Status: http.StatusConflict, Code: "rule_fixed"}

func fixedRule(err error) error {
	if errors.Is(err, automate.ErrFixed) {
		return errFixedRule
	}
	return err
}
