// Package genesys connects an engine with Genesys Cloud by Open Messaging.
// Each handoff is a conversation of its own there, of a customer of its own.
// docs/providers/genesys.md says how to set it up.
//
// Messages of agents and their typing come as webhooks. Who joins, leaves and
// ends a conversation does not: it is read every few seconds (Config.Poll), within
// the 300 requests a minute that a token has; a failed read is tried again with the
// time between, or when a 429 says. Genesys Cloud's notification topics would tell
// it sooner, by a websocket. They are not used: a channel lives 24 hours, unless it
// is renewed, and what was missed while it was down is lost (by reports of others, not seen
// on a page of Genesys), so that the reads would have to stay, and the root module
// has no websocket library.
//
// The calls are those of Genesys Cloud's Platform API, the webhooks those of
// its pages on Open Messaging. Where the API's Swagger document is at hand,
// provider/spectest proves every request by it. The following is in neither:
//
//	what                                      where             if it is otherwise
//	channel.metadata.customAttributes become  Open              the Architect flow does not know queue, skills and
//	  participant data                                            flags; all messages go where it sends them by default
//	a message with a known messageId and      Open              a repeat after a lost answer shows the opening twice
//	  time is taken once
//	addressFrom of an analytics query         Find              a chat whose opening got no answer is closed by the
//	  is the id of the sender                                     timeout of Genesys only
//	a conversation is over when only its      end               a flow that works after the agent keeps the handoff
//	  customer is left, after an agent                            until it is done
//	a message after the end opens another     Send              it waits there for an agent; the next read of the
//	  conversation, or this one again                             state shows it
//	a message may have 4,000 bytes            Info              longer ones are refused: each is cut into parts
//	a work item can be queried as soon as     Ticket            a repeat after a lost answer makes a second one
//	  it is made
//	a query that finds no work item may       Ticket            after an answer {} that says nothing of it a repeat
//	  answer {}                                                   makes a second one
//	oOnQueueUsers counts who could take       Available         offline is said where somebody is there
//	  a message
//
// Genesys Cloud tells no place in a queue, has no notes that an outsider can
// write, and takes no transcript: what was said so far is the first message.
package genesys
