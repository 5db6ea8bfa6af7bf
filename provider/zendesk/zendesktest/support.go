package zendesktest

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// support adds what Zendesk Support has: tickets, their comments, users, and
// who is available.
func (d *Double) support() {
	d.Handle("GET /api/v2/search.json", func(in *vendortest.In) vendortest.Out {
		list := []fields{}
		_, value, _ := strings.Cut(in.URL.Query().Get("query"), "custom_field_11:")
		if c := d.Find(strings.Trim(value, `"`)); c != nil && c.Data["ticket"] != "" {
			list = append(list, fields{"id": number(c.Data["ticket"]), "result_type": "ticket", "status": "new", "assignee_id": nil}) // it is always late
		}
		return vendortest.Out{JSON: fields{"results": list, "count": len(list)}}
	})
	d.Handle("GET /api/v2/tickets/{ticket}", d.onTicket(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		t := fields{"id": number(c.Data["ticket"]), "status": c.Data["status"], "assignee_id": nil}
		if c.Agent.ID != "" {
			t["assignee_id"] = number(c.Agent.ID)
		}
		return vendortest.Out{JSON: fields{"ticket": t}}
	}))
	d.Handle("PUT /api/v2/tickets/{ticket}", d.onTicket(func(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
		var body struct {
			Ticket struct{ Comment struct{ Body string } }
		}
		in.Into(&body)
		text, id := body.Ticket.Comment.Body, c.Data["ticket"]
		c.Internal = append(c.Internal, text)
		d.comments[id] = append(d.comments[id], fields{"id": number(d.NextID()), "plain_body": text, "public": false, "created_at": now()})
		return vendortest.Out{JSON: fields{"ticket": fields{"id": number(id)}}}
	}))
	d.Handle("GET /api/v2/tickets/{ticket}/comments", d.onTicket(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		return vendortest.Out{JSON: fields{"comments": append([]fields{}, d.comments[c.Data["ticket"]]...)}}
	}))
	d.Handle("GET /api/v2/users/{user}", func(in *vendortest.In) vendortest.Out {
		id := in.PathValue("user")
		return vendortest.Out{JSON: fields{"user": fields{"id": number(id), "name": d.names[id]}}}
	})
	d.Handle("GET /api/v2/agent_availabilities", func(*vendortest.In) vendortest.Out {
		channel := func(agent, name, status string) fields {
			return fields{"id": agent + "|channels|" + name, "type": "channels", "attributes": fields{"name": name, "status": status, "work_item_count": 0}}
		}
		return vendortest.Out{JSON: fields{
			"data": []fields{{
				"id": "agent_availabilities|7", "type": "agent_availabilities", "attributes": fields{"agent_id": 7, "agent_status": fields{"id": 1, "name": "online"}},
			}},
			"included": []fields{channel("7", "support", "offline"), channel("7", "messaging", "online")},
			"meta":     fields{"has_more": false},
		}}
	})
}

// number is an id as Support writes it.
func number(id string) json.Number { return json.Number(id) }

func (d *Double) onTicket(h func(in *vendortest.In, c *vendortest.Chat) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		c := d.Search(func(c *vendortest.Chat) bool { return c.Data["ticket"] == in.PathValue("ticket") })
		if c == nil {
			return vendortest.Out{Status: http.StatusNotFound, JSON: fields{"error": "RecordNotFound"}}
		}
		return h(in, c)
	}
}
