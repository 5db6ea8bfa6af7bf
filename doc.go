// Package handoff moves a conversation from a bot to a person, and back.
package handoff
