// Package notices has the engine's words for users in English, Spanish,
// German, French and Portuguese, as templates that a host replaces, adds to
// and overrides for a queue or a channel.
//
// # Templates
//
// A template is text with placeholders in braces, a part of ICU MessageFormat:
//
//	{agent} has joined.
//	{ahead, plural, =0 {You are next.} one {# person is ahead.} other {# people are ahead.}}
//	{why, select, closed {We are closed.} other {Nobody is there.}}
//
// The plural of a language decides between zero, one, two, few, many and other;
// "none" is taken when there is no number. A select takes the first case that
// is the value, or one of the parts of a value joined by "+". Each needs other.
// Which placeholders a notice has is said where its key is declared in package
// handoff; another one is an error of [New], as is a missing key.
//
// {opens} is a sentence of its own, with a space before it, or nothing when
// nobody knows the time. An agent without a name is the language's word for a
// colleague. A template that is empty says nothing.
//
// Values are put in without control characters, and isolated where they or the
// language run from right to left, so that a name cannot turn a sentence round.
//
// # The host's own words
//
// [Options.Keys] adds notices: one that a Tell rung shows ([handoff.Rung]), one
// that a rule or [handoff.Engine.Notify] does. A form's questions are in other
// languages by the name of the field:
//
//	{field, select, order {¿Cuál es su pedido?} other {{label}}}
//
// So are their choices, with the key "choice", by the name of the field and the
// number of the choice; what users write is understood in these words, too:
//
//	{field, select, topic {{number, select, 1 {Factura} other {Otra cosa}}} other {{choice}}}
package notices
