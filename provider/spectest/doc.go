// Package spectest puts the doubles of platforms behind the platforms' own
// OpenAPI documents: every request that an adapter makes has to be valid by
// them. The documents are not part of this repository; they are read from the
// folder that HANDOFF_SPECS names. Without it the tests skip, with one line, and so
// does one whose document nobody may pass on (Rocket.Chat, Genesys Cloud) where
// the folder lacks it.
//
// It is a module of its own since it needs a library that reads OpenAPI.
package spectest
