// Package zendesk connects an engine with Zendesk's Agent Workspace, by
// Sunshine Conversations. With a [Provider] the bot stays outside: each handoff
// is a conversation of its own, and the switchboard passes it to the agents and
// back. With a [Switchboard] the bot is within: users write in Zendesk's
// channels, and the conversation that is there is passed.
// docs/providers/zendesk.md says how to set it up.
//
// What the OpenAPI document of Sunshine Conversations says is proved in
// provider/spectest. The switchboard does not tell who has a conversation: a
// trigger of Zendesk Support does, with a body of our own. The following no
// document at hand confirms:
//
//	what                                        where              if it is otherwise
//	dataCapture.ticketField.<number> and        Open               agents see no note; nobody is told as joined but by
//	  dataCapture.systemField.tags set what                          a first message, and an end by the switchboard alone
//	  the ticket has
//	placeholders of the trigger's body          joined, left,      as above
//	                                              ended
//	X-Zendesk-Webhook-Invocation-Id is the      joined, left,      the same change is told twice, without effect
//	  same when a webhook is sent again           ended
//	authors of messages have displayName and    messages           the agent has no name until the trigger tells it
//	  userId in webhooks
//	the user's own messages go to the agents    Send               the agent sees them late or not at all
//	  under control of the Agent Workspace
//	409 for a user who exists                   Open               an opening that was interrupted fails
//	search.json finds a ticket by               state, notes       the state stays unknown, notes are given up
//	  custom_field_<number> soon
//	after_cursor of agent_availabilities        availability       only the first hundred agents count
//	conversation:typing tells that an agent     messages           that an agent is writing is not shown; the
//	  writes, as it does of a user                                   capabilities do not promise it
//	what a bot within Zendesk writes by the     Switchboard        it is taken for an agent's message
//	  interface has a source that begins
//	  with api
//
// A conversation carries no id of ours that can be searched for. So each
// attempt has a user of its own there, under an external id made from the
// attempt's; name and mail are those of the host's user.
package zendesk
