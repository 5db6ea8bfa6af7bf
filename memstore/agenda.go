package memstore

// An agenda says what must be looked at next. It is a heap that is repaired
// late: an entry may be too early, and may be out of date. Who takes an entry
// out decides by the record itself and puts it back if it was early. So moving
// a deadline further away, which is what most commits do, costs nothing.
type agenda struct {
	entries []appointment
	stale   int // how many entries are out of date
}

// An appointment is valid while its number is that of its mark.
type appointment struct {
	at     int64
	number uint64
	mark   *mark
}

// A mark is the membership of a slot or a cursor in at most one agenda.
type mark struct {
	in     *agenda
	at     int64
	number uint64
	slot   *slot
	cursor *cursor // nil for the mark of the slot itself
}

// put makes sure that m is looked at in a, at the time at or earlier.
func (a *agenda) put(m *mark, at int64) {
	if m.in == a && m.at <= at {
		return
	}
	m.drop()
	m.in, m.at = a, at
	a.entries = append(a.entries, appointment{at, m.number, m})
	a.up(len(a.entries) - 1)
}

// drop takes m out of its agenda.
func (m *mark) drop() {
	a := m.in
	if a == nil {
		return
	}
	m.in = nil
	m.number++
	// An entry keeps its record alive; so the stale ones are swept when they
	// are a good part.
	if a.stale++; a.stale > 64 && a.stale > len(a.entries)/4 {
		a.sweep()
	}
}

// next takes out the mark with the earliest time if that is not after now.
func (a *agenda) next(now int64) *mark {
	for len(a.entries) > 0 {
		e := a.entries[0]
		valid := e.mark.in == a && e.mark.number == e.number
		if valid && e.at > now {
			return nil
		}
		last := len(a.entries) - 1
		a.entries[0] = a.entries[last]
		a.entries[last] = appointment{}
		a.entries = a.entries[:last]
		a.shrink()
		a.down(0)
		if valid {
			e.mark.in = nil
			e.mark.number++
			return e.mark
		}
		a.stale--
	}
	return nil
}

// shrink gives memory back.
func (a *agenda) shrink() {
	if n := len(a.entries); cap(a.entries) > 1024 && n < cap(a.entries)/4 {
		a.entries = append(make([]appointment, 0, 2*n), a.entries...)
	}
}

func (a *agenda) sweep() {
	valid := a.entries[:0]
	for _, e := range a.entries {
		if e.mark.in == a && e.mark.number == e.number {
			valid = append(valid, e)
		}
	}
	clear(a.entries[len(valid):])
	a.entries, a.stale = valid, 0
	a.shrink()
	for i := len(a.entries) / 2; i >= 0; i-- {
		a.down(i)
	}
}

func (a *agenda) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if a.entries[parent].at <= a.entries[i].at {
			return
		}
		a.entries[parent], a.entries[i] = a.entries[i], a.entries[parent]
		i = parent
	}
}

func (a *agenda) down(i int) {
	for {
		kid := 2*i + 1
		if kid >= len(a.entries) {
			return
		}
		if kid+1 < len(a.entries) && a.entries[kid+1].at < a.entries[kid].at {
			kid++
		}
		if a.entries[i].at <= a.entries[kid].at {
			return
		}
		a.entries[i], a.entries[kid] = a.entries[kid], a.entries[i]
		i = kid
	}
}
