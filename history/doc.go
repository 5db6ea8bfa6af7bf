// Package history lists, exports and erases what an engine has kept. It is a
// client of the engine's public API and works the same on every store.
//
// [List] gives pages for people, newest first; [All] walks everything, oldest
// first. Both take a [Filter]. [Export.Write] streams transcripts as text, JSON
// Lines, HTML or CSV, and goes on where an earlier one stopped. [Erase] removes
// users, conversations or what is old, and reports what it could not remove,
// and why.
//
// Everything here is staff side, except an export for [User].
package history
