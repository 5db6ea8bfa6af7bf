// Package vendortest holds what the doubles of platforms share: the doubles
// that adapters are tested with. A [Double] is an http.Handler with the state
// of a help desk (chats, agents, messages, webhooks that wait to be sent), with
// failures that a test scripts, and with a check of every request against a
// small JSON Schema of what the platform's document allows.
//
// Each adapter has its double in a folder of its own (chatwoot/chatwoottest),
// for its own tests and for those of hosts. A double embeds a *Double, adds a
// handler for each endpoint and the platform's webhooks, and is then a
// providertest.Vendor:
//
//	type Desk struct{ *vendortest.Double }
//
//	func New(t testing.TB) *Desk {
//		d := &Desk{vendortest.New(t, schema)}
//		d.Handle("POST /chats", d.open)
//		return d
//	}
//
// It is no copy of the platform: it is what the platform's documentation says,
// as far as the adapter depends on it.
package vendortest
