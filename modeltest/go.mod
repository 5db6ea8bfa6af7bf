module github.com/seed-2a427302/handoff/modeltest

go 1.25.0

replace github.com/seed-2a427302/handoff => ../

require (
	github.com/seed-2a427302/handoff v0.0.0-00010101000000-000000000000
	pgregory.net/rapid v1.3.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/sync v0.18.0 // indirect
)
