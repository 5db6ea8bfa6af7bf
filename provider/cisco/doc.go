// Package cisco connects an engine with web chat of Cisco Unified Contact Center
// Express (UCCX), through Cisco Customer Collaboration Platform (CCP), formerly
// SocialMiner. Each handoff is a chat of its own there, and the adapter is its
// customer. docs/providers/cisco.md says how to set it up.
//
// CCP pushes nothing: each chat is read every few seconds (Config.Poll). A chat
// has no password but the cookies that the answer to its opening set; they are
// the session's secret state.
//
// The calls are those of https://developer.cisco.com/docs/contact-center-express
// (create-a-chat-feed-post, get-events, get-events-parameters, put-update,
// put-events, put-leave-chat, as read on 2026-11-25) and, where those are silent,
// of Cisco's samples (https://github.com/CiscoDevNet/socialminer-sample-code):
// the statuses chat_request_rejected_by_agent and chat_timedout_waiting_for_agent,
// the field ccxqueuetag, the prefix h_ of hidden fields, reading at least every
// five seconds, and a root element in lower case. The following is in neither:
//
//	what                                      where             if it is otherwise
//	who joins or leaves is an agent: the      presence          the customer's own entry counts as an agent's
//	  customer is not told of himself
//	a transfer has the next agent in the      presence          the handoff ends as resolved between the two, unless
//	  room before the last one leaves, or                         Config.Linger waits for him
//	  both in one reading
//	messages that come before an agent has    Send              what the user says while he waits is not seen;
//	  joined are shown to him                                     what he said before is in the field Note
//	a session that is over is answered with   Stream            400, 404 and 410 without that word count after two
//	  the error notFound                                          minutes; after other statuses the queue's time
//	                                                              limits end the handoff
//	events stay for as long as the session,   Stream            after a restart of the host an agent is taken for
//	  and are told again from eventid=0                           the only one when he leaves
//	typing is counted with the other events   Stream            it is shown twice, or not
//	from is URL-encoded as body is            events            a plus sign or a percent sign in an agent's name is
//	                                                              misread
//	all=false leaves out our messages, and    Send              a message whose answer was lost is shown twice
//	  nothing but them
//	leaving before an agent has joined takes  Close             an agent gets a chat without a customer, and CCP ends
//	  the chat out of the queue                                   it after its time limit
//	400 on leaving is a chat that is over     Close             the chat stays until CCP ends it
//	a description without a type is text      Ticket            it is shown as HTML: line breaks are lost
//	the cookies stay what they are            Open              the chat is lost when CCP changes them
//	a message may have 4,000 bytes, a field   Info, Open        longer ones are refused, or cut
//	  8,000
//
// What a user left is a social contact of a push feed, by the pages push-feed,
// social-contact-api-commands-post and api-authentication (as read on
// 2026-11-26). Its call-back interface needs Unified CCE, by its page.
//
// CCP tells neither place nor wait nor whether anybody is there, takes no files
// and no notes, and names its agents without ids. A chat whose opening got no
// answer cannot be found: it has no cookies. It ends by CCP's time limit.
//
// CCP cannot tell repeats, and its messages have no room for a mark. A message
// that may have been sent before is taken for sent if the customer's last one
// has the same text: they come one after the other. Of two equal messages in a
// row whose second got no answer, CCP may thus have one.
package cisco
