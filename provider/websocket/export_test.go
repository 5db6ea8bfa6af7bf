package websocket

import "github.com/seed-2a427302/handoff/provider"

// Reading reports whether somebody is in Read.
func Reading(c provider.Conn) bool { return c.(*conn).reading.Load() }
