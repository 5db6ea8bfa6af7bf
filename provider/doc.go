// Package provider holds what the adapters of platforms share. Each platform
// has a folder of its own below this one; inmem is the reference. The contract
// is [handoff.Provider] with its abilities, and providertest proves an
// adapter.
//
// [Handler] is the http.Handler behind which a platform's webhooks arrive.
package provider
