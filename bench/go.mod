module github.com/seed-2a427302/handoff/bench

go 1.25.0

require github.com/seed-2a427302/handoff v0.0.0

require (
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/sync v0.18.0 // indirect
)

replace github.com/seed-2a427302/handoff => ../
