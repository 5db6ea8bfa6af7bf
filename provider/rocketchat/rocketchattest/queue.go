package rocketchattest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// upper is the longest page of a list.
const upper = 100

// list is who waits: the rooms without an agent, each behind the strangers of its
// department that a script has put there, and behind as many of other departments.
func (d *Double) list(in *vendortest.In) vendortest.Out {
	q := in.URL.Query()
	var all []fields
	add := func(room, department string) {
		f := fields{"_id": "i" + room, "rid": room, "name": "Visitor", "ts": stamp(), "status": "queued"}
		if department != "" {
			f["department"] = department
		}
		all = append(all, f)
	}
	for _, room := range d.rooms {
		c := d.Find(room)
		if !c.Open || c.Agent.ID != "" {
			continue
		}
		for i := range d.ahead[room] {
			add(fmt.Sprintf("%s-other-%d", room, i), "elsewhere")
			add(fmt.Sprintf("%s-before-%d", room, i), c.Data["department"])
		}
		add(room, c.Data["department"])
	}
	if q.Get("sort") != d.Sort {
		slices.Reverse(all) // in another order than that of the queue
	}
	count, offset := number(q.Get("count"), upper/2), number(q.Get("offset"), 0)
	page := all[min(offset, len(all)):]
	page = page[:min(count, upper, len(page))]
	return ok(fields{"inquiries": page, "offset": offset, "count": len(page), "total": len(all)})
}

func number(text string, or int) int {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return n
	}
	return or
}
