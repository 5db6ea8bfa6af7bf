// Package slack lets people answer in Slack: each handoff is a thread in a
// channel, with buttons to take it, to release it, to give it back to the bot
// and to end it. docs/providers/slack.md says how to set it up.
//
// Signatures are checked against the vector of Slack's documentation, and
// requests against its OpenAPI document (archived in 2021) in
// provider/spectest, as far as that has the methods. The following is in
// neither, or rests on the documentation alone:
//
//	what                                     where                if it is otherwise
//	metadata of a message comes back with    Find, repeats of     an opening or a message whose answer was lost is
//	  include_all_metadata                     messages, tickets    there twice
//	files.getUploadURLExternal and           files of users       the address of the file is shown
//	  files.completeUploadExternal
//	a file has no metadata                   files of users       a file whose answer was lost may be there twice
//	text of agents is escaped (&, <, >) and  Receive              marks are shown as Slack sends them
//	  addresses stand in angle brackets
//	a message may have 40,000 characters;    MaxBytes             –
//	  4,000 are advised
//
// Slack has no queue. Who is in the channel may take a thread.
package slack
