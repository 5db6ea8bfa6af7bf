// Package trigger decides when a conversation should leave the bot: what was
// said (signals), what has been going on (state), and what to do about it
// (policy), each on its own.
//
// # Words
//
// A Turn is one message or event of the conversation. A Detector looks at one
// turn and reports Signals; every signal names the rule that fired and, when it
// came from text, the byte span in the original text. A State is the small,
// serialisable memory of one conversation: counters, never text. A Policy turns
// signals and state into a Decision: none, offer, transfer, or transfer now.
// What was seen but not acted on is in Decision.Suppressed with the reason.
//
// # Use
//
//	eng, err := trigger.New(trigger.Config{})
//	...
//	d, state := eng.Evaluate(ctx, state, trigger.Turn{Role: trigger.RoleUser, Text: text, Lang: "en", At: now})
//	if d.Action >= trigger.Transfer { ... }
//
// The host keeps State beside the conversation and passes it back. Engine is
// immutable and safe for concurrent use; State and Decision are plain values.
//
// # Languages
//
// Packs for English, Spanish, Portuguese, French, German, Italian and Chinese
// are built in as data. A host adds words ([Pack.With]), rules, phrases, or a
// whole language ([ParsePack]). A turn whose language has no pack is answered
// by the host's phrases and by nothing else, and says so.
//
// # What rules cannot do
//
// They read words, not minds: an unseen way of asking is missed, and polite
// dissatisfaction is invisible. [Classifier] is the place for a model; it runs
// only when the rules did not already decide, under a time limit, and its
// failure leaves the rules in charge.
//
// The package uses the standard library alone.
package trigger
