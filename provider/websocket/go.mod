module github.com/seed-2a427302/handoff/provider/websocket

go 1.25.0

replace github.com/seed-2a427302/handoff => ../../

require (
	github.com/coder/websocket v1.8.15
	github.com/seed-2a427302/handoff v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/google/uuid v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.18.0 // indirect
)
