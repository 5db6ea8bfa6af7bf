// Package livechat connects an engine with LiveChat (text.com), by version 3.6
// of its interfaces. Each handoff is a chat of its own there, of a customer of
// its own: the adapter acts for customers in the Customer Chat API, with tokens
// that an app may have for them, and reads chats in the Agent Chat API.
// docs/providers/livechat.md says how to set it up.
//
// LiveChat publishes no document that requests could be checked against; calls,
// answers and webhooks are those of its documentation (platform.text.com/docs).
// The following is not said there:
//
//	what                                        where             if it is otherwise
//	agents see an event that a customer sends   Open, Note, what  agents do not see the note
//	  with recipients "agents"                    the bot says
//	list_chats finds a chat by a property       Find              a chat whose creation was not answered is opened
//	  moments after it was made                                     again; the first one ends by inactivity
//	user_added_to_chat and user_removed_...     joined, left      told by the first message, or by a state read within
//	  are sent when LiveChat itself assigns                         a minute
//	  and transfers, too
//	an empty sneak peek takes the last away     user types        it goes with the next message
//	get_chat has all events of a long thread    Send, Note        a repeat after a lost answer is shown twice
//	a continuous chat waits for an agent        Ticket            what a user left ends with LiveChat's time limit, unread
//	  when nobody is there
//	errors of a chat that is not there are      Close             closing it is tried again for a while
//	  404 or not_found
//	a customer may be connected to the RTM    socket            the connection is refused, and tried again minutes later:
//	  API from each replica, and is not told                      neither writing nor later places are told
//	  apart by agents while he is
//	repeats of incoming_typing_indicator       agent types       the channel shows him writing for as long as it likes
//	  while an agent goes on
//
// Webhooks carry their secret in the body, not a signature: whoever sees one
// can make others. Those about people have neither an id nor a time, and come
// in any order, so that the adapter then asks who is in the chat.
//
// A continuous chat needs nobody who is online, by the page of start_chat: it is
// what a user left. LiveChat's own tickets are those of HelpDesk, another product.
//
// LiveChat tells the place in its queue when a chat begins and when it is
// transferred, and later ones only on a socket, as it does that an agent writes: by
// the page on the RTM API the Web API has no webhook for it, and none of those that
// the page on webhooks lists is one (read on 2026-11-26). With Config.Dial the adapter
// opens that of the Customer Chat API for each chat, in the name of its customer: his
// pushes are of his chats alone, and an agent who logged in to the other one would
// count as there. That the user writes goes by send_sneak_peek, which the Customer Chat
// API takes by HTTP, too; send_typing_indicator is for agents.
package livechat
