package handoff

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// lead asks to be the one sender for a cursor.
func (e *Engine) lead(ctx context.Context, id ID, cursor string) (l Lead, err error) {
	err = e.call(ctx, "lead", id, func(ctx context.Context) error {
		l, err = e.store.Lead(ctx, id, cursor, now(), e.cfg.SendTimeout+e.cfg.Lease)
		return err
	})
	return l, err
}

// ack reports progress. It outlives its caller: what was sent was sent.
func (e *Engine) ack(ctx context.Context, a Ack) error {
	return e.call(background(ctx), "ack", a.ID, func(ctx context.Context) error { return e.store.Ack(ctx, a) })
}

// send delivers what one receiver is owed of one handoff: under a lead, from
// the cursor, one entry at a time, each acknowledged after it was sent. Then
// it gives the lead back and looks once more, since whoever committed in
// between may have seen the lead and gone away.
func (e *Engine) send(ctx context.Context, t task) error {
	_, err := e.sendAll(ctx, t)
	return err
}

// sendAll does what send does, and reports whether the receiver has everything.
func (e *Engine) sendAll(ctx context.Context, t task) (done bool, err error) {
	if until := e.stuckUntil(t.id); t.pool == sinkChannel && !until.IsZero() {
		e.work.after(t, until)
		return false, nil
	}
	for ctx.Err() == nil {
		h, err := e.get(ctx, t.id)
		if err != nil {
			return errors.Is(err, ErrNotFound), ignore(err, ErrNotFound)
		}
		upTo := h.owedSeq(t.name)
		b, wait := h.sendable(t)
		if upTo == 0 || wait {
			return upTo == 0, nil
		}
		if e.hasReached(t.id, t.name, upTo) {
			return true, nil
		}
		if t.pool == sinkChannel {
			if again, err := e.shownBefore(ctx, t.id); err != nil || !again.IsZero() {
				e.putOff(t, again)
				return false, err
			}
		}
		lead, err := e.lead(ctx, t.id, t.name)
		if err != nil {
			return false, ignore(err, ErrLeased)
		}
		cursor := lead.Seq
		if b != nil {
			lead.Seq = max(lead.Seq, b.From)
		}
		at, until, err := e.deliverAll(ctx, h, t, b, lead, upTo)
		if b != nil && (err != nil || !until.IsZero()) {
			at = cursor // where it stands, so that the store counts this try
		}
		if err == nil && at >= upTo {
			at = max(at, h.Seq) // what follows is not for this receiver: to pass it over is no try
		}
		if aerr := e.ack(ctx, Ack{ID: t.id, Cursor: t.name, Seq: at, Term: lead.Term, Until: until}); aerr != nil && err == nil {
			err = aerr
		}
		if !until.IsZero() {
			e.putOff(t, until)
		}
		if err != nil || !until.IsZero() {
			return false, err
		}
		h, err = e.get(ctx, t.id)
		if err != nil {
			return errors.Is(err, ErrNotFound), ignore(err, ErrNotFound)
		}
		if h.owedSeq(t.name) <= at {
			e.reached.put(receiver{t.id, t.name}, at)
			if t.pool == sinkChannel && !h.IsOpen() {
				e.unblock(t.id)
			}
			return true, nil
		}
	}
	return false, nil
}

// sendable returns the binding that a provider's cursor belongs to, and
// whether the chat is still being opened.
func (h *Handoff) sendable(t task) (*Binding, bool) {
	if !strings.HasPrefix(t.pool, sinkProvider) {
		return nil, false
	}
	for i := range h.own.Bindings {
		if b := &h.own.Bindings[i]; b.cursor() == t.name {
			return b, b.Status == BindOpening
		}
	}
	return nil, true
}

// deliverAll sends the entries up to upTo, and returns how far it got and, if
// it has to stop, when to go on.
func (e *Engine) deliverAll(ctx context.Context, h *Handoff, t task, b *Binding, lead Lead, upTo int64) (at int64, until time.Time, err error) {
	at = lead.Seq
	for try := lead.Tries; at < upTo; {
		page, err := e.legible(ctx, h.ID, at, 100)
		if err != nil {
			return at, now().Add(time.Second), err
		}
		if len(page) == 0 {
			return upTo, time.Time{}, nil // erased, or removed
		}
		for i := range page {
			en := &page[i]
			if en.Seq > upTo {
				return at, time.Time{}, nil
			}
			if ctx.Err() != nil {
				return at, time.Time{}, nil //nolint:nilerr // stopped: what was sent is acknowledged
			}
			if !e.wants(t, en, b) {
				at = en.Seq
				continue
			}
			stop, err := e.deliverOne(ctx, h, t, b, en, min(try, mostTries(en)), lead.Tries > 1)
			if err != nil || !stop.IsZero() {
				return at, stop, err
			}
			at, try = en.Seq, 1
			if b != nil {
				// A lead for each message to a platform: the store then counts
				// the tries of each, and a first try is known to be one.
				return at, time.Time{}, nil
			}
			if at < upTo {
				until := now().Add(e.cfg.SendTimeout + e.cfg.Lease)
				if err := e.ack(ctx, Ack{ID: h.ID, Cursor: t.name, Seq: at, Term: lead.Term, Until: until}); err != nil {
					return at, time.Time{}, err
				}
			}
		}
	}
	return at, time.Time{}, nil
}

// wants reports whether a receiver gets an entry.
func (e *Engine) wants(t task, en *Entry, b *Binding) bool {
	switch t.pool {
	case sinkChannel:
		return en.ForUser() && !en.Past && en.From.Role != RoleUser
	case sinkBot:
		return en.Kind == KindJoined || en.Kind == KindCalled && en.Call != ""
	case sinkPacket:
		return en.Kind == KindCarried || en.Kind == KindCalled
	}
	if b != nil {
		return b.Session.Reference != "" && e.rules.relays(b.Provider, en) && en.Seq > b.From && (b.To == 0 || en.Seq <= b.To)
	}
	if strings.HasPrefix(t.pool, sinkTicket) {
		return en.wantsTicket()
	}
	return en.Kind != KindTimer
}

// deliverOne sends one entry. It returns when to try again, if that is later,
// and nothing when the entry is settled: sent, or given up with an entry that
// says so.
func (e *Engine) deliverOne(ctx context.Context, h *Handoff, t task, b *Binding, en *Entry, try int, again bool) (time.Time, error) {
	start := now()
	var err error
	if try > e.cfg.SendTries {
		// Whoever tried before us may have died of it.
		err = &DeliveryError{Permanent: true, Code: "too_many_tries", Err: errors.New("given up")}
	} else {
		err = e.deliver(ctx, h, t, b, en, again)
	}
	if ctx.Err() != nil && err != nil {
		return start, nil //nolint:nilerr // stopped: nothing is known about the receiver
	}
	perm, after := permanent(err)
	code := "gave_up"
	var de *DeliveryError
	if errors.As(err, &de) {
		code = de.Code
	}
	unsure := !perm || try > e.cfg.SendTries // nobody said that it was not shown
	if err != nil && (try >= e.cfg.SendTries || e.cfg.SendFor > 0 && start.Sub(en.At) > e.cfg.SendFor) {
		perm = true
	}
	if e.cfg.Hooks.Delivered != nil {
		e.cfg.Hooks.Delivered(ctx, Delivered{ID: h.ID, Sink: t.pool, Seq: en.Seq, Try: try, Took: now().Sub(start), Err: err, Permanent: perm})
	}
	switch {
	case err == nil:
		return time.Time{}, nil
	case !perm:
		e.log.InfoContext(ctx, "delivery failed", "sink", t.pool, "seq", en.Seq, "try", try, "permanent", false)
		wait := max(after, retryIn(try))
		if e.cfg.SendFor > 0 { // whoever asks for more than that would never be given up
			wait = min(wait, max(retryIn(try), en.At.Add(e.cfg.SendFor).Sub(start)+time.Second))
		}
		return now().Add(wait), nil
	}
	e.log.WarnContext(ctx, "delivery given up", "sink", t.pool, "seq", en.Seq, "try", try, "code", code)
	if en.Kind == KindUndelivered || en.Kind == KindGaveUp {
		return time.Time{}, nil // passed over, without another entry about it
	}
	op := "undelivered/" + t.name + "/" + strconv.FormatInt(en.Seq, 10)
	if _, err = e.do(background(ctx), h.ID, op, func(*Handoff) (command, error) {
		return cUndelivered{sink: t.name, entry: en.Seq, code: code, unsure: unsure}, nil
	}); err != nil {
		return now().Add(time.Second), err // with a time, so that the store counts this try
	}
	return time.Time{}, nil
}

// mostTries is how often an entry of that age can have been tried. Leads that
// lapsed are counted, and whoever died in one may have had nothing to send.
func mostTries(en *Entry) int { return 1 + int(max(0, now().Sub(en.At)/(500*time.Millisecond))) }

// retryIn is the back-off after a number of tries, with jitter: a second at
// first, five minutes at most.
func retryIn(try int) time.Duration {
	d := min(time.Second<<min(max(try-1, 0), 10), 5*time.Minute)
	return d/2 + time.Duration(rand.Int64N(int64(d/2)+1))
}

// deliver hands an entry to its receiver. A receiver that panics has failed.
func (e *Engine) deliver(ctx context.Context, h *Handoff, t task, b *Binding, en *Entry, again bool) (err error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	ctx, end := e.cfg.Hooks.span(ctx, "deliver."+t.pool, h.ID)
	defer func() { end(err) }()
	defer func() {
		if p := recover(); p != nil {
			err = &DeliveryError{Code: "panic", Err: errors.New("the receiver panicked")}
		}
	}()
	switch {
	case t.pool == sinkChannel:
		return e.show(ctx, h, en)
	case t.pool == sinkBot:
		return e.callBot(ctx, h, en)
	case t.pool == sinkPacket:
		return e.deliverPacket(ctx, h, en)
	case b != nil:
		return e.relay(ctx, b, en, again)
	case strings.HasPrefix(t.pool, sinkTicket):
		return e.ticket(ctx, h, en, strings.TrimPrefix(t.pool, sinkTicket))
	}
	return e.cfg.Sinks[strings.TrimPrefix(t.pool, sinkNamed)].Handle(ctx, h, en)
}

// userMessage returns what the user may see of an entry.
func userMessage(en *Entry) UserMessage {
	m := UserMessage{
		ID: en.ID, From: Party{Role: en.From.Role, Name: en.From.Name}, Text: en.Text, Files: en.Files,
		Notice: en.Notice, At: en.At, Payload: en.Payload, Ask: en.Ask, Cursor: UserCursor{Number: en.Handoff.Number, Seq: en.Seq},
	}
	switch m.From.Role {
	case RoleBot, RoleUser:
		m.From.ID = en.From.ID
		return m
	case RoleSupervisor:
		m.From.Role = RoleAgent
	case RoleAgent, RoleEngine:
	}
	// The entry's own id may name an agent. Its number alone comes again, for
	// something else, where a store lost its last commits.
	m.ID = "n/" + itoa(en.Seq) + "-" + strconv.FormatInt(en.At.UnixMilli(), 36)
	return m
}

// show shows an entry to the user, as far as the channel can.
func (e *Engine) show(ctx context.Context, h *Handoff, en *Entry) error {
	m := userMessage(en)
	m.ID = strconv.FormatInt(en.Handoff.Number, 10) + "/" + m.ID
	if d, ok := e.cfg.Channel.(ChannelDescriber); ok {
		info := d.Describe(ctx, h.ID.Conversation)
		if info.ReplyWindow > 0 && !h.LastUser.IsZero() && now().Sub(h.LastUser) > info.ReplyWindow {
			return &DeliveryError{Permanent: true, Code: "reply_window", Err: errors.New("the user's last message is too old")}
		}
		return e.showParts(ctx, h.ID.Conversation, m, info)
	}
	return e.cfg.Channel.Show(ctx, h.ID.Conversation, m)
}

func (e *Engine) showParts(ctx context.Context, conversation string, m UserMessage, info ChannelInfo) error {
	if info.NoButtons {
		m.Payload = nil
	}
	if info.NoFiles && len(m.Files) > 0 {
		m.Text, m.Files = withLinks(m.Text, m.Files), nil
	}
	parts := split(m.Text, info.MaxBytes)
	for i, text := range parts {
		p := m
		p.Text = text
		if i > 0 {
			p.ID = fmt.Sprintf("%s/%d", m.ID, i)
		}
		if i < len(parts)-1 {
			p.Files, p.Payload = nil, nil
		}
		if err := e.cfg.Channel.Show(ctx, conversation, p); err != nil {
			return err
		}
	}
	return nil
}

func withLinks(text string, files []File) string {
	var b strings.Builder
	b.WriteString(text)
	for i := range files {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.TrimSpace(files[i].Name + " " + files[i].URL))
	}
	return b.String()
}

// split cuts a text into parts of at most limit bytes, at a space if there is one
// in the last quarter, and never inside a character.
func split(text string, limit int) []string {
	if limit <= 0 || len(text) <= limit {
		return []string{text}
	}
	limit = max(limit, utf8.UTFMax)
	var parts []string
	for len(text) > limit {
		n := limit
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		if i := strings.LastIndexByte(text[:n], ' '); i > n*3/4 {
			n = i
		}
		if n == 0 {
			n = limit // not UTF-8
		}
		parts = append(parts, text[:n])
		text = strings.TrimPrefix(text[n:], " ")
	}
	if text != "" {
		parts = append(parts, text)
	}
	return parts
}

// callBot tells the bot that a human stretch began, or that messages wait.
func (e *Engine) callBot(ctx context.Context, h *Handoff, en *Entry) error {
	c := BotCall{ID: h.ID.String() + "/" + en.ID, Kind: BotStarted, Handoff: *h}
	if en.Kind == KindCalled {
		c.Kind = BotResume
		t, err := e.turn(ctx, h, en.Call)
		if err != nil {
			return err
		}
		if !t.Open() {
			return nil // answered, or control has moved
		}
		c.Turn = t
	}
	return e.cfg.Bot.Call(ctx, c)
}

// deliverPacket tells the bot what became of the handoff before this one. Its
// turn is read now: if the bot no longer has control, there is none.
func (e *Engine) deliverPacket(ctx context.Context, h *Handoff, en *Entry) error {
	if h.own.Packet == nil || en.Kind == KindCarried && !h.StayOut.IsZero() {
		return nil
	}
	if en.Kind == KindCarried && h.owedSeq(sinkPacket) > en.Seq {
		// A stay-out ended since: the packet goes with that entry.
		if later, err := e.hasCalled(ctx, h, en.Seq); err != nil || later {
			return err
		}
	}
	prev, err := e.get(ctx, ID{Conversation: h.ID.Conversation, Number: h.own.Packet.Number})
	if errors.Is(err, ErrNotFound) {
		prev, err = &Handoff{ID: ID{Conversation: h.ID.Conversation, Number: h.own.Packet.Number}, Outcome: h.own.Packet.Outcome}, nil
	}
	if err != nil {
		return err
	}
	c := BotCall{
		ID: h.ID.String() + "/packet", Kind: BotEnded, Handoff: *prev, Outcome: h.own.Packet.Outcome,
	}
	if c.Human, c.Note, err = e.stretch(ctx, prev.ID); err != nil {
		return err
	}
	c.Summary = e.summaryOf(ctx, prev, c.Note, c.Human)
	if h.own.Packet.Call != "" {
		if c.Turn, err = e.turn(ctx, h, h.own.Packet.Call); err != nil {
			return err
		}
	}
	if h.own.Packet.Quiet && len(c.Turn.Messages) == 0 {
		c.Turn.Call = ""
	}
	return e.cfg.Bot.Call(ctx, c)
}

func (e *Engine) hasCalled(ctx context.Context, h *Handoff, after int64) (bool, error) {
	page, err := e.page(ctx, h.ID, after, 1000)
	for i := range page {
		if page[i].Kind == KindCalled && page[i].Call == "" {
			return true, err
		}
	}
	return false, err
}

// stretch returns what was said while the bot had no control, and what the
// agent wrote when he gave the user back.
func (e *Engine) stretch(ctx context.Context, id ID) (said []Entry, note string, err error) {
	for after := int64(0); ; {
		page, err := e.page(ctx, id, after, 200)
		if err != nil || len(page) == 0 {
			return said, note, err
		}
		for i := range page {
			switch en := &page[i]; {
			case en.Kind == KindReturned && en.Text != "":
				note = en.Text
			case en.Kind == KindMessage && en.State != StateBot && (!en.Past || en.Seen > 0):
				// An agent's message on a platform that carries the user's has
				// both: the user has seen it, and it was said in this stretch.
				said = append(said, *en)
			}
		}
		after = page[len(page)-1].Seq
	}
}

// summary says in a few words what happened.
func summary(h *Handoff, note string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Outcome: %s.", h.Outcome)
	if h.Attended && h.AgentName != "" {
		fmt.Fprintf(&b, " Agent: %s.", h.AgentName)
	}
	if h.Closing != "" {
		fmt.Fprintf(&b, " Closed as: %s.", h.Closing)
	}
	for _, s := range []string{h.Summary, note} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	return b.String()
}
