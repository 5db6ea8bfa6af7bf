// Package chatwoot connects an engine with Chatwoot, self-hosted or in the
// cloud, through an inbox of the kind API. Each handoff is a conversation of
// its own there. docs/providers/chatwoot.md says how to set it up.
//
// What Chatwoot's OpenAPI document says is proved in provider/spectest; the
// webhooks are those of its documentation and of its source
// (app/models/message.rb, app/presenters/conversations). The following is
// neither, or differs between versions:
//
//	what                                     where                 if it is otherwise
//	source_id of a message is kept and       Send, Note, echoes    repeats after a lost answer are shown twice, and
//	  returned (in the source, not in the                            what the bot says comes back as an agent's
//	  document)
//	changed_attributes of                    joined, left,         joining is told by the first message or by a
//	  conversation_updated                     transferred           state read, within a minute
//	updated_at of a conversation             ids of events         the delivery's id is used; an event told by two
//	                                                                 webhooks then counts as two, without effect
//	a contact that is made is answered       Open                  nothing can be opened
//	  as payload.contact (not in the
//	  document)
//	custom_attributes of a conversation      finding an attempt    events are found by the conversation's id, once
//	  in webhooks                              by an early event     the opening is stored
//	multipart with source_id                 files                 as for messages
//	webhooks of API inboxes are signed from  Receive               unsigned ones are refused
//	  v4.13, those of accounts from v4.11.2
//
// Chatwoot has no place in a queue and no estimate.
package chatwoot
