package storetest

// The sentences of the contract in the package handoff's store.go, word for
// word. A failing check quotes the one that was broken; a test of this package
// holds them against the file.
//
//nolint:lll // a sentence that is broken over lines cannot be found
const (
	// The words and the general part.
	ruleKnowsNothing = "It compares, appends and indexes; it knows no states, no agents and no skills."
	ruleNamed        = "A record is named by its conversation and its number."
	ruleNumbered     = "Its log is a list of entries numbered 1, 2, 3 … without gaps."
	ruleDue          = `"Due" means that Wake is set and not after now.`
	ruleConcurrent   = "All methods may be called concurrently."
	ruleTimes        = "Times have millisecond precision and come as arguments; only Claim may read the store's own clock."
	ruleNames        = "Names (ids, queues, keys, cursors, entry ids) are compared as bytes; any valid UTF-8 without NUL must work, and no two names may be mixed up."
	ruleAnswers      = "ErrNotFound, ErrConflict, *HeldError and ErrDuplicate are answers."
	ruleUnknown      = "Any other error means that the outcome is unknown: the engine then reads the record again, looks for its entry id, and only then decides."
	ruleContext      = "A call whose context ended before it may fail with the context's error, and has changed nothing then."
	ruleKeeps        = "The engine computes every field; a store keeps them, finds records by them, and chooses none."

	// Commit.
	ruleCommit    = "Commit saves r as version r.Version+1 and appends the entries, all or nothing."
	ruleInsert    = "r.Version 0 inserts."
	ruleEntries   = "There is at least one entry; they carry the numbers up to r.Seq without a gap."
	ruleOrder     = "It fails, in this order, with"
	ruleConflict  = "ErrConflict when the stored version is not r.Version; inserting a record that exists is a conflict too;"
	ruleHeld      = "a *HeldError when a key would exceed its maximum;"
	ruleDuplicate = "ErrDuplicate when the record's log has an entry with one of the ids."
	ruleCompared  = "Keys are compared by name with those that the stored record holds."
	ruleTaking    = "More units under a name is a taking of the difference and is checked against the Max given here: the sum over all holders must not exceed it."
	ruleGiving    = "Fewer is a giving back, unchanged is never checked, and a name that is absent from r.Keys is free afterwards."
	ruleEndsClaim = "A commit ends a running claim."

	// Reading.
	ruleGet       = "Get returns a record, or ErrNotFound."
	ruleLatest    = "Latest returns the record of a conversation with the highest number, or ErrNotFound."
	ruleFresh     = "It sees every commit that returned before it was called."
	ruleHolders   = "Holders returns who holds the named keys, in the order of the names and then of the ids."
	ruleNobody    = "A key that nobody holds yields nothing."
	ruleList      = "List returns the records that match q, in q's order."
	ruleLines     = "Lines returns the distinct lines of a queue in which at least one record stands, sorted."
	ruleLog       = "Log returns up to limit entries of a record's log numbered above after, oldest first; none for a record that does not exist."
	ruleEntry     = "Entry returns the entry with that id in the record's log, or ErrNotFound."
	ruleStands    = "A record stands in its queue, at its rank, while Line is not empty."
	ruleMatch     = "Zero fields select everything; set fields must all match."
	ruleSpan      = "created in [From, To)"
	ruleByRank    = "ByRank orders by priority (high first), Since, then ID: the order in which a queue is served."
	ruleByCreated = "Otherwise the order is Created (old first), then ID."
	ruleAfter     = "continue behind this one; zero starts at the beginning"
	ruleLimit     = "at most this many; 0 is no limit"
	ruleUniqueID  = "unique within the record's log"
	ruleExclusive = "Max 1 makes the key exclusive."
	ruleBody      = "A store in memory keeps the value; others keep Bytes and give it back through BodyOf."

	// Claims.
	ruleClaimOne   = "Each record is given to one caller at a time: it is hidden from other claims until Now+Lease or until its next commit."
	ruleClaimLimit = "at most this many records and this many deliveries"
	ruleClaimed    = "It does not change versions."
	ruleClaimNow   = "the time by which the store decided"
	ruleEarliest   = "Wake has come; earliest first"
	ruleOverdue    = "A Delivery is a cursor of a record that is behind: the oldest entry that it lacks is older than the grace, nobody leads it, and its sink is one of Claim.Sinks."
	ruleOwed       = "It is owed while the cursor stands below Seq."
	ruleWake       = "when somebody must look; zero is never"

	// Cursors.
	ruleLead      = "Lead asks to be the one sender for a cursor until now+lease."
	ruleLeased    = "It fails with ErrLeased while somebody else is."
	ruleNeverAck  = "A cursor that was never acknowledged stands at 0."
	ruleTerm      = "Each success counts as one more try and gets a higher term."
	ruleTries     = "how often it was led since the cursor last moved, this one included"
	ruleAck       = "Ack moves cursors forward and ends or shortens leads: see Ack."
	ruleNoBack    = "A cursor never goes back."
	ruleAckSeq    = "Seq moves it forward; a lower Seq leaves it."
	ruleNoTry     = "A lead that ends at once was no try: whoever led had nothing to send."
	ruleAckTerm   = "If Term is the current lead's, the lead ends at Until, or at once when Until is zero; Keep leaves the lead as it is."
	ruleAckPlain  = "It does not change a record's version."
	ruleAckNobody = "Acks of records that do not exist are ignored."

	// Removing.
	ruleErase         = "Erase removes every record of a conversation with its log, keys and cursors, and saves tomb in their place, all or nothing."
	ruleTomb          = "tomb.ID names the tombstone (another conversation, the same number) and replaces one that is there."
	ruleEraseConflict = "It fails with ErrConflict unless the latest record of the conversation has tomb's number and tomb's version."
	ruleDelete        = "Delete removes one record with its log, keys and cursors, or fails with ErrConflict when its version is another one."
	ruleDeleteNothing = "A record that does not exist is no error."

	// Abilities.
	ruleListen = "Listen calls f until ctx ends and returns nil then."
	ruleHinted = "Version and Line are what a commit made of the record, or zero, which costs whoever hears of it a read."
	ruleAsked  = "With an ID, Queue is where the record waits for an agent, and empty while one is asked or has it."
	ruleHint   = "A zero ID with a queue means that the queue may have work."
	ruleAhead  = "An AheadCounter counts the records that stand before r in r's queue, at most limit (0 is no limit)."
	ruleCount  = "A Counter counts the records that match q, leaving After and Limit aside."
	ruleSearch = "Search returns the records that match q and in which text was found, in q's order and behind q.After, at most q.Limit."
	ruleErased = "Nothing that was erased is found."
	ruleBatch  = "Each is judged alone, in order, against the store and the items before it; the result has one error for each item."
)
