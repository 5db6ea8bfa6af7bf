// Package freshchat connects an engine with Freshchat (Freshdesk Messaging,
// Freshworks Customer Service Suite). Each handoff is a conversation of its own
// there, of a user of its own. A [Suite] also makes tickets in Freshdesk.
// docs/providers/freshchat.md says how to set it up.
//
// Freshworks publishes no document that requests could be checked against. The
// calls are those of developers.freshchat.com and of Freshworks' own library
// (freshworks/jaya-lib, packages/freshchat-api), the webhooks those of its page
// "Freshchat webhooks: payload structure and authentication". The following is
// neither, or was not seen there in full:
//
//	what                                        where              if it is otherwise
//	signatures are RSASSA-PKCS1-v1_5 with       every webhook      webhooks are refused; a webhook of 2019 with its
//	  SHA-256 over the raw body                                     signature and key is among the tests
//	users with the same mail are not merged     Open               two handoffs of a user are one conversation there
//	a user is found by reference_id, and his    Find               a conversation whose creation was not answered is
//	  conversations, moments after they were                         opened again; the first one stays without anybody
//	  made
//	assigned_group_id is taken when a           routing            conversations go to nobody in particular
//	  conversation is made
//	image and file parts may have an address    files              the message is refused, and comes as undelivered
//	  outside of Freshchat
//	from_time leaves out older messages         Send, Note         more pages are read, up to a thousand messages
//	a list of all messages of a conversation    Open, Send, Note   what was interrupted is not written, and comes as
//	  has the field messages                                        undelivered
//	data.assignment of a webhook has            joined, left       joining is told by the first message or by a state
//	  from_agent_id and to_agent_id                                  read, within a minute
//	longest message: 5000 bytes                 Send               a message is refused, and comes as undelivered
//	tickets can be listed by                    Ticket             a repeat after a lost answer makes a second ticket
//	  unique_external_id
//
// Freshchat tells no repeats. After a lost answer a message is looked for by
// its author and its words: of two messages in a row with the same words, said
// within a minute, one may then be shown once.
//
// Freshchat tells no place in a queue, has no way to tell that the user writes,
// and does not tell that an agent does. Its metrics have an average wait of the
// past by group, which is no estimate for somebody who waits now.
package freshchat
