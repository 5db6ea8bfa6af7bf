// Package analytics says how a service does: how much the bot contains, how
// long people wait, how many give up, how long agents take. It is a client of
// the engine's public API. [Compute] reads the records of a time, in bounded
// memory; [Tally] adds up handoffs that a host has already; [Now] looks at a
// queue as it is; [Counters] count while the engine works.
//
// # Definitions
//
// There is one for each figure, and the store does not matter. A handoff
// belongs to the time in which it was created. It is asked for when somebody
// or something wanted a person (it has a Reason), over when it has an outcome,
// and ended when the wrap-up is over too. Times come from the record
// ([handoff.Stretch]), are exact to the millisecond, and are those of ended
// handoffs, save that FirstWait and FirstReply count as soon as they are known.
//
// Volume.
//   - Handoffs: all but the silent ones. Silent: the bot has the user back or
//     goes on being watched, and he wrote nothing; they count nowhere else.
//   - Asked: a person was asked for. Queued: it got into a queue, ours or a
//     platform's. Refused: turned away at the door at least once. Attended: an
//     agent had it. Open: not over. Outcomes: those that are over, by outcome.
//   - Contained: over, nobody was asked for, and no other bot either.
//   - Missed: asked for, over, not attended, and the user did not take it back:
//     he left, or nobody came, or nobody was there.
//   - Abandoned: queued, over, not attended, and the user cancelled or left.
//   - Transferred and Requeued: attended ones that changed agents, or went back
//     to a queue, at least once. Transfers and Requeues: how often in all.
//   - Reopened: asked for within 24 hours (Options.Reopen) after an attended
//     handoff of the same conversation was over. It counts in the time of the
//     later one.
//   - LeftMessage: the user left a message or wants to be called back.
//
// Ratios.
//   - Containment: Contained, of Contained and those asked for that are over.
//     Escalation: Asked of all.
//   - MissedRate: Missed of those asked for that are over. AbandonRate:
//     Abandoned of those queued that were attended or are over.
//   - ServiceLevel: attended after waiting at most 20 seconds
//     (Options.Target), of those queued that were attended or are over.
//   - ReopenRate: Reopened of Asked. TransferRate: Transferred of Attended.
//   - Occupancy: seat-time in use, of Options.Staffed.
//
// Times, split into the bot's, the queue's and the human stretch.
//   - Bot: the bot answered and the engine watched. Intake: the form.
//   - Wait: in queues, all in all, of those queued. FirstWait: before the first
//     accept, of those queued and attended. AbandonedWait: Wait of the Abandoned.
//   - FirstReply: from the first accept to an agent's first message.
//   - Human: an agent had it and it was not held. Held. Wrapup.
//   - Handle: Human, Held and Wrapup together, of those attended.
//   - SeatTime: Handle times the seats that the handoff takes.
//
// Rating is the mean of the scores from 1 to 5, one for each human stretch that
// was rated.
//
// Records that the engine no longer keeps are not counted: what the bot
// contained is gone after Config.KeepContained, what was erased at once. Keep
// them longer than the time that you report, or store the reports.
package analytics
