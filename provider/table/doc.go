// Package table keeps the table of platforms and their capabilities in
// docs/providers/README.md: its test writes it from what the adapters declare.
package table
