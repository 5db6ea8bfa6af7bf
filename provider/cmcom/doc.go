// Package cmcom connects an engine with Mobile Service Cloud of CM.com, whose
// desk is called Agent Inbox (and was called ROBIN). Each handoff is a chat of
// its own in CM.com's Conversational Router, of a client of its own: the adapter
// is a channel there, a TwoWay adapter, and a mutation of the chat's rules hands
// it over to Agent Inbox, with the skill as context. docs/providers/cmcom.md says
// how to set it up.
//
// Messages of agents come as webhooks. Who has a chat and when it is over is not
// told by any: Agent Inbox is asked for the conversation every few seconds
// (Config.Poll), by the customer's mail address.
//
// CM.com signs nothing. The strongest that it offers is a secret of the host's
// own: in a header of the requests to the message and the handover endpoint, and
// in the address of the event endpoint, whose form has no headers. It is compared
// in constant time. Whoever sees a request can make others: let proxies log no
// addresses, and let only CM.com's networks in where that is possible.
//
// The calls are those of https://developers.cm.com/mobile-service-cloud/docs
// (integration, twoway-format, control-routing, presence, conversations-retrieval,
// as stored copies of these pages had them on 2026-11-26). Those copies end before
// the lists of message types and event types. That a message of the host's side is
// ClientTerminated, and that the id of a chat is made of channel, client and host,
// is on CM.com's page on TwoWay (www.cm.com/app/docs, Router and Scripted Bot API
// 1.0); that CXWebConversations is a channel, on twoway-format. What follows is on
// no page of CM.com that could be read; "bridge" marks what the published bridge of
// a shop, Dutchtoysgroup/zipchat-cm-bridge on GitHub, says it found at the live
// router:
//
//	what                                      where             if it is otherwise
//	$type of a text is "text", in lower       Open, Send        400 for every message (bridge: "Text" is refused so)
//	  case (bridge)
//	an own web chat may use the channel       Config.Channel    400 for every message
//	  CXWebConversations (bridge)
//	the id of a chat in a request is ignored, Open              webhooks name a chat that nobody knows
//	  the one of the answer counts (bridge)
//	an agent's message has the chat's id      webhook           it is not shown
//	  (bridge)
//	the secret may be a header (bridge)       webhook           put it into all three addresses
//	a ruleMutation hands a chat over at       Open, Close       no agent sees the chat; the queue's time limits end the
//	  api.conversational.cm.com, as all                           handoff: another Config.URL may do
//	  pages but one have it (bridge: there,
//	  with disableComponent)
//	the context's keys are RoutingKeywords,   Open              the skill, the web store or the customer's address are
//	  WebStoreReferrer and CustomerInfo,                          not known there: Config.Context adds others
//	  JSON in a string (bridge)
//	Agent Inbox keeps CustomerInfo.email as   Stream, ReadState the chat is not found there: agents have no name, and
//	  the relation's address (bridge sends it)                    it ends with the router's session
//	what came before the handover may not be  Open              agents see Config.Title as a message of its own
//	  shown to agents
//	$type of a file is "media", with          Send, webhook     refused with 400, and then sent as a link; an agent's
//	  mediaUri, mediaName and mimeType                            file is not shown
//	RouterSessionEnded ends the chat; the     webhook           the chat ends when Agent Inbox archives it, or with the
//	  event has no other name (bridge)                            queue's time limits
//	a conversation that nobody has, has an    Stream, ReadState the chat counts as taken, or never does
//	  owner of another type than "User"
//	archived and hidden are over, snoozed is  Stream, ReadState the handoff ends too early, or with the queue's limits
//	  not
//	handing back archives the conversation    Close             it stays in the inbox until an agent archives it
//	credentials of Agent Inbox are Basic      Stream, ReadState 401, with the same effect as not being found
//	a chat that is handed over while nobody   Ticket            what a user left is closed or refused there, unread
//	  is there stays in the inbox
//	a message may have 4,000 bytes            Info, Open        longer ones are refused
//	a message for a chat that is not handed   Send              it is refused, and noted as undelivered
//	  over is taken all the same
//	a message with a known id is not told     Send              it is shown twice after a lost answer; the adapter does
//	  from another                                                not rely on more
//
// A chat whose opening got no answer cannot be found. Such a chat has no agent
// unless the handover itself was applied without an answer.
//
// Custody is that of the queue only. By CM.com's pages (adapters, control-routing)
// a bot may also be an adapter behind one of CM.com's own channels, which then has
// the conversation. But no page that could be read (control-routing in both of its
// editions, central-services/docs/routing-control, which is the same with its one
// misprint mended, and the beginning of the Router and Scripted Bot API 1.0, whose
// hand-back is a mutation, too) says that an adapter is told what others say once
// its links are disabled, nor how it learns that an agent is done; without either
// an engine can neither follow nor take back a conversation.
//
// No page has a call that makes a conversation in Agent Inbox, a ticket or a mail
// (conversations-retrieval and developers.robinhq.com read alone): what a user
// left goes through the router, as a chat of its own.
//
// The router tells neither place nor wait for written channels and takes no notes;
// whether it tells that somebody writes is among the lists that could not be read.
package cmcom
