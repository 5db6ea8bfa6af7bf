// Package webhook is the generic bridge: it connects an engine with any agent
// console that can take and send signed webhooks, in any language, without Go.
// schema.json is the contract, as JSON Schema; docs/providers/webhook.md tells
// how a console is written.
//
// Both directions are Standard Webhooks (https://www.standardwebhooks.com):
// POST with webhook-id, webhook-timestamp and webhook-signature, and a body of
// {"type", "timestamp", "data"}. The same webhook-id is the same webhook: a
// console drops repeats by it, and so does the engine.
//
// A console answers 2xx to what it has taken, and 501 to a type that it has
// nothing for. chat.open, chat.find, chat.close and message.send are required.
//
// Nothing here rests on a vendor's word, so that there is no table of what is
// not verified: the signature is checked against the vectors of the Standard
// Webhooks project.
package webhook
