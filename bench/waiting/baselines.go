package waiting

import (
	"github.com/seed-2a427302/handoff/bench/world"
)

// baselines are the estimators others use, on the same history.
type baselines struct {
	les    float64 // wait of the last who entered service
	moving float64 // waits, moving average with weight 1/4 (Asterisk)
	chats  []float64
	chatAt int
	sum    float64
}

// Names of the baselines, in the order of baselines.of.
func baselineNames() []string { return []string{"LES", "moving", "Rocket.Chat"} }

func (b *baselines) started(p *world.Person) {
	wait := p.Started - p.Arrived
	b.les = wait
	b.moving += (wait - b.moving) / 4
}

// recent is Rocket.Chat's "number of most recent chats".
const recent = 100

func (b *baselines) finished(w *world.World, p *world.Person) {
	d := w.Now - p.Started
	if len(b.chats) < recent {
		b.chats = append(b.chats, d)
		b.sum += d
		return
	}
	b.sum += d - b.chats[b.chatAt]
	b.chats[b.chatAt] = d
	b.chatAt = (b.chatAt + 1) % recent
}

// of returns the estimates for somebody with this many ahead.
func (b *baselines) of(ahead int) []float64 {
	chat := 0.0
	if len(b.chats) > 0 {
		chat = b.sum / float64(len(b.chats))
	}
	return []float64{b.les, b.moving, (float64(ahead)/recent + 1) * chat}
}

// truth is QL with true parameters: position times true mean handle time over
// seats that are there. Position is the rank among all who wait.
func truth(w *world.World, ahead int) float64 {
	seats := 0
	for _, d := range w.Desks {
		if d.There {
			seats += d.Seats
		}
	}
	return float64(ahead+1) * w.Mean(w.Now) / float64(max(seats, 1))
}
