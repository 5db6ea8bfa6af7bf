// Package browsertest drives the desk in a real browser. It is a module of its
// own since it needs a client for Chromium; nothing but tests is in it.
package browsertest
