// Package intercom connects an engine with Intercom. Each handoff is a
// conversation of its own there, begun by the user as a contact.
// docs/providers/intercom.md says how to set it up.
//
// What Intercom's OpenAPI document (version 2.16) says is proved in
// provider/spectest. The webhooks are those of its documentation. The
// following is neither:
//
//	what                                       where               if it is otherwise
//	a search by source.body finds a word of    Find                a conversation whose creation was not answered is
//	  a conversation made moments ago                                opened again; the first one stays without anybody
//	created_at of a reply comes back with      Send, Note          a repeat after a lost answer is shown twice
//	  its part
//	409 for a contact whose address another    Open                opening fails; the next platform is tried
//	  one has
//	the body of a contact's reply is text      Send                markup that a user types is rendered to the agent
//	assigned_to of an assignment is the        joined, left        joining is told by the first message or by a state
//	  teammate or the team                                           read, within a minute
//
// The bodies of webhooks are HTML in older versions and plain text since 2.15;
// the version is that which the app has in the Developer Hub. The adapter takes
// both: what begins and ends with a tag is HTML.
//
// Intercom tells no repeats. After a lost answer a message is looked for by its
// author, its second and its words, so that the same words twice in a second
// are then shown once.
//
// Intercom has no place in a queue, no estimate, and no way to tell that the
// user writes. "Available" says that a teammate is not away: Intercom does not
// tell who is there.
package intercom
