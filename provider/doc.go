// Package provider holds what the adapters of platforms share. Each platform
// has a folder of its own below this one; inmem is the reference. The contract
// is [handoff.Provider] with its abilities, and providertest proves an
// adapter.
//
// [Client] calls a platform's HTTP interface; its failures hold no secrets.
// [Secrets], [Fresh] and [DecodeJSON] verify webhooks, [DecodeXML] reads answers
// in XML, [Renderer] turns what was said into what a platform takes, [Once] says
// nothing twice, and [Guard] keeps addresses from outside outside.
// docs/providers/write-your-own.md puts them together. What a platform tells on a
// websocket alone a [Socket] hears, on connections that a [Dialer] of the host opens:
// package provider/websocket, a module of its own, has one.
//
// [Handler] is the http.Handler behind which a platform's webhooks arrive.
package provider
