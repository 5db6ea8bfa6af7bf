module github.com/seed-2a427302/handoff/bench

go 1.25.0

require github.com/seed-2a427302/handoff v0.0.0

replace github.com/seed-2a427302/handoff => ../
