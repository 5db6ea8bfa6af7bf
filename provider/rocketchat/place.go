package rocketchat

import (
	"context"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff/provider"
)

// A Sorting is the order in which Rocket.Chat serves who waits: its setting
// Omnichannel → Queue management → Sorting mechanism.
type Sorting string

// The sortings, as Rocket.Chat names them. All but the first are of its
// enterprise edition.
const (
	SortTimestamp Sorting = "Timestamp"
	SortPriority  Sorting = "Priority"
	SortSLAs      Sorting = "SLAs"
)

// query is what sorts the list of who waits likewise; empty: there is no such
// sorting.
func (s Sorting) query() string {
	switch s {
	case SortTimestamp:
		return `{"ts":1}`
	case SortPriority:
		return `{"priorityWeight":1,"ts":1}`
	case SortSLAs:
		return `{"estimatedWaitingTimeQueue":1,"ts":1}`
	}
	return ""
}

// DefaultPoll is how often the list of who waits is read. Rocket.Chat takes ten
// requests a minute to an endpoint unless its administrator changes that.
const DefaultPoll = 20 * time.Second

// How much of the list is read: pages of the size that Rocket.Chat gives at
// most, as many as fit into its limit of requests. Who is further back has no
// place yet.
const (
	pageSize  = 100
	pagesMost = 3
)

// line is who waits, as it was last read, for all rooms together.
type line struct {
	mu     sync.Mutex
	places map[string]int // by room
	at     time.Time      // since when it is being read, or was
}

// place is that of a room in the queue of its department; 0 is unknown. The list
// is read if it was not for Config.Poll.
func (p *Provider) place(ctx context.Context, room string) int {
	l := &p.line
	l.mu.Lock()
	old := time.Since(l.at) >= p.cfg.Poll
	if old {
		l.at = time.Now() // by this one, and nobody else
	}
	l.mu.Unlock()
	if old {
		places, err := p.waiting(ctx)
		l.mu.Lock()
		l.places = places // none of them is known after an error
		if err != nil && ctx.Err() != nil {
			l.at = time.Time{} // who read it is gone: let another one
		}
		l.mu.Unlock()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.places[room]
}

// waiting reads who waits, in the order in which they are served, each counted
// among those of the same department.
func (p *Provider) waiting(ctx context.Context) (map[string]int, error) {
	places, ahead, seen := map[string]int{}, map[string]int{}, 0
	for range pagesMost {
		var got struct {
			Inquiries []struct {
				Room       string `json:"rid"`
				Department string `json:"department"` // missing: the public queue
			} `json:"inquiries"`
			Total int `json:"total"`
		}
		query := url.Values{"sort": {p.cfg.Sorting.query()}, "count": {strconv.Itoa(pageSize)}, "offset": {strconv.Itoa(seen)}}
		if err := p.api.Do(ctx, provider.Call{Op: "place", Path: api + "inquiries.list", Query: query}, &got); err != nil {
			return nil, err
		}
		for _, q := range got.Inquiries {
			if places[q.Room] == 0 { // who moved up meanwhile comes twice
				ahead[q.Department]++
				places[q.Room] = ahead[q.Department]
			}
		}
		if seen += len(got.Inquiries); len(got.Inquiries) == 0 || seen >= got.Total {
			break
		}
	}
	return places, nil
}
