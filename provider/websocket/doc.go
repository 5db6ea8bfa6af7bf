// Package websocket opens the websockets of platforms, for adapters that have a
// Config.Dial: livechat and rocketchat. It is a module of its own, since it needs a
// websocket library (github.com/coder/websocket, ISC).
//
//	desk, err := rocketchat.New(rocketchat.Config{Dial: websocket.Dial, …})
//
// [Dial] reaches any address that the host's configuration names, through the proxy
// that the environment names; [With] takes an HTTP client of yours: for a private
// certificate authority, another proxy, or an address behind a guard.
package websocket
