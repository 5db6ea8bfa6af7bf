// Package handoff moves a conversation from a bot to a person, and back.
//
// # The tour
//
// A host has users on a channel and a bot. It makes one [Engine] of a [Config],
// keeps [Engine.Run] going in at least one process, and calls verbs.
//
//   - Talk. Each message of a user goes through [Engine.Receive]. If the [Turn]
//     is open, the bot answers with [Engine.Reply], bit by bit with
//     [Engine.Stream], or not at all with [Engine.Done]. A turn that is over is
//     refused with [ErrStale], and nothing was shown.
//   - Request. [Engine.Request] asks for a person in a queue. The user is told
//     so after it is stored. A queue that cannot take anybody says why in an
//     [UnavailableError].
//   - Wait. A [Need] asks for skills at levels, a language, a mode. The user is
//     told place and wait when they change; [Engine.Place] tells them at any
//     time (package estimate says where they come from), [Engine.Explain] says
//     why somebody still waits. The queue's [Rung] list says what is asked for
//     less, who else may help, and what happens if nobody comes.
//   - Accept. An agent who is online, has the skills and a free seat is offered
//     it. He reads [Engine.Log] and takes it with [Engine.Accept]; exactly one
//     can.
//   - Serve. [Engine.Send] speaks to the user, [Engine.Note] to colleagues.
//     [Engine.Hold], [Engine.Transfer], [Engine.Requeue] and
//     [Engine.TakeOver] do what their names say.
//   - Return. [Engine.Return] gives the user back to the bot, [Engine.End]
//     ends it as the queue says. The [Bot] is called with the outcome, what was
//     said, and the messages that nobody has answered.
//
// A conversation has one handoff after the other, numbered 1, 2, 3 …; at most
// one is open. A [Handoff] is a plain value. What happens is an [Entry] of its
// log: read it with [Engine.Log] and [Engine.Follow], many at once with
// [Engine.Feed] or a [Sink], and what the user may see with
// [Engine.FollowUser].
//
// Every verb is idempotent by an id that the caller gives or that follows from
// the command, and returns a typed error that says what stands in the way. Any
// number of engines may share one [Store]; they need no other connection.
//
// # A whole service
//
// What stands around that is configured, and checked by [New]; the example
// "Service" has it in one piece.
//
//   - When a person is needed: [Config.Escalation] (package trigger).
//   - Before: [Queue.Intake] (or in it: [Form.WhileWaiting]), [Queue.Hours],
//     [Queue.MaxWaiting].
//   - Words: [Config.Notices] (package notices), [Queue.Alias].
//   - Nobody can help: [Queue.Offline], [Queue.Tickets], [Queue.Divert],
//     [Queue.Ladder], [Engine.CallBack].
//   - Video: [Config.Rooms], [Queue.Modes], [Engine.Video].
//   - After: [Queue.AskRating], [Queue.Reopen], [Queue.StayOut].
//   - By rule: package automate, in [Config.Sinks]. For agents: package canned,
//     [Config.CRM], [Config.Suggester], [Config.Summariser].
//   - What was kept: package history lists, exports and erases it, package
//     analytics adds it up, [Config.Redact] says what it may be. [Config.Hooks]
//     has live counters; module otelhandoff has metrics and traces.
//
// # What a host implements
//
// [Channel] shows text to users, [Bot] is called back. Everything else has a
// default: [Store] (package memstore), [Directory] and [Presence] ([Staff], or
// package memstore), [Router] ([MostSpecialised]), [Notices] ([English]),
// [Hours] ([Weekly]); a [Provider], [History], [CRM], [Redactor] and [Sink] are
// needed only by who has one. The comment of each interface is its contract; storetest,
// presencetest and providertest prove one, and handofftest runs an engine in a
// host's own unit tests.
//
// Optional abilities are found by type assertion:
//
//   - of a Store, also through its method Unwrap() Store: [Listener],
//     [AheadCounter], [Counter], [Searcher], [BatchCommitter];
//   - of a Channel: [ChannelDescriber], [ChunkShower], [TypingShower];
//   - of a Directory: [DirectoryWriter]; of a Presence: [Sessions];
//   - of a Provider: [Receiver] or [Streamer], of which one is required, and
//     [Finder], [StateReader], [AvailabilityChecker], [Typist], [Noter],
//     [Ticketer], [BotReturner], [Refresher].
package handoff
