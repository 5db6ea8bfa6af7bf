# Short names for what contributors run. CI runs .ci/run; targets that have the
# same code there call it.

export HANDOFF_SPECS ?= $(abspath $(wildcard ../shared/specs))
export HANDOFF_DATA ?= $(abspath $(wildcard ../shared/data))

.DEFAULT_GOAL := help
.PHONY: browser browser-long shots goals-webhooks goals-desk help ci test race guards lint fmt tidy fuzz model mutants bench cover goals-triggers goals-waiting goals-stores race-stores engine-stores linear crash backlog differential soak

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

ci: ## All that CI runs, which installs what it needs
	bash .ci/run

test: ## The tests of every module
	go test work

race: ## The same under the race detector
	go test -race work

guards: ## Requires, dependencies, documentation's code, words in files
	bash .ci/run guards

lint: ## The linter in every module
	bash .ci/run tools lint

fmt: ## Format every module as the linter wants it
	bash .ci/run tools fmt

tidy: ## go mod tidy in every module
	@for dir in $$(go list -m -f '{{.Dir}}'); do (cd "$$dir" && go mod tidy) || exit 1; done

browser: ## The desk in a real browser
	cd desk/browsertest && HANDOFF_TEST_REQUIRE=1 go test -count=1 ./...

LONG ?= 8h
browser-long: ## The same at full length: all repetitions, the long scenarios, and a soak for LONG (8h)
	cd desk/browsertest && HANDOFF_TEST_REQUIRE=1 HANDOFF_BROWSER=long HANDOFF_BROWSER_LONG=$(LONG) go test -count=1 -timeout 24h ./...

SHOTS ?= $(CURDIR)/shots
shots: ## Pictures of every page of the desk, into SHOTS (./shots)
	cd desk/browsertest && HANDOFF_TEST_REQUIRE=1 HANDOFF_SHOTS=$(SHOTS) go test -count=1 -timeout 30m -run TestShots -v ./...

FUZZTIME ?= 60s
fuzz: ## Every fuzz test for FUZZTIME (60s)
	HANDOFF_FUZZTIME=$(FUZZTIME) bash .ci/run fuzz

MODEL_OPS ?= 1000000
model: ## The model test with MODEL_OPS (1000000) operations
	cd modeltest && HANDOFF_MODEL_OPS=$(MODEL_OPS) go test -count=1 -v -timeout 4h ./...

race-stores: ## 8 processes, 20 agents and 5,000 requests on each durable store
	cd systemtest && HANDOFF_RACE=full HANDOFF_TEST_REQUIRE=1 go test -count=1 -v -timeout 1h -run 'TestRace' .

engine-stores: ## The engine's own tests on each durable store
	cd systemtest && HANDOFF_ENGINE=full HANDOFF_TEST_REQUIRE=1 go test -count=1 -v -timeout 2h -run 'TestEngine' .

CRASHES ?= 500
crash: ## CRASHES (500) processes killed on each durable store, and what they left audited
	cd systemtest && HANDOFF_CRASHES=$(CRASHES) HANDOFF_TEST_REQUIRE=1 go test -count=1 -v -timeout 2h -run 'TestCrash' .

BACKLOG ?= 100000
backlog: ## BACKLOG (100000) deliveries and timers that piled up while no engine ran, on every store
	cd systemtest && HANDOFF_BACKLOG=$(BACKLOG) HANDOFF_TEST_REQUIRE=1 go test -count=1 -v -timeout 4h -run 'TestBacklog' .

DIFFERENTIAL ?= 100000
differential: ## DIFFERENTIAL (100000) random commands on every store, with equal answers
	cd systemtest && HANDOFF_DIFFERENTIAL=$(DIFFERENTIAL) HANDOFF_TEST_REQUIRE=1 go test -count=1 -v -timeout 1h -run 'TestDifferential' .

SOAK ?= 30m
soak: ## Three processes on PostgreSQL for SOAK (30m), then 30 days of virtual time in memory
	cd systemtest && HANDOFF_SOAK=$(SOAK) HANDOFF_TEST_REQUIRE=1 go test -count=1 -v -timeout 24h -run '^TestSoak$$' .
	cd systemtest && HANDOFF_VIRTUAL=720h go test -count=1 -v -timeout 1h -run '^TestVirtual$$' .

LINEAR ?= 10000
linear: ## LINEAR (10000) histories of four replicas on each store, judged by porcupine
	cd systemtest && HANDOFF_LINEAR=$(LINEAR) HANDOFF_TEST_REQUIRE=1 go test -count=1 -v -timeout 3h -run 'TestLinear' .

mutants: ## Plant every mistake of mutants/ and demand that the tests catch it
	go run ./mutants -n 0

BENCH ?= .
BENCHTIME ?= 1s
bench: ## Benchmarks of the root module, those that match BENCH (.)
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 1h ./...

cover: ## Statements that the root module's tests reach
	go test -coverpkg ./... -coverprofile cover.out ./...
	go tool cover -func cover.out | tail -n 1

goals-webhooks: ## The answer to a webhook against a tenth of the strictest platform's patience, one line for each store
	cd pgstore && go run ./examples/webhooks

goals-desk: ## The desk's pages against its goals, one line each: sizes, what a page costs the server, and times where there is a browser
	go run ./desk/internal/goals
	cd desk/browsertest && go run ./internal/goals

goals-triggers: ## The goals of escalation detection, one line each
	go run ./trigger/internal/goals

goals-waiting: ## The goals of waiting (order, place, estimate, speed), one line each
	cd bench && go run ./cmd/goals-waiting

ROUNDS ?= 9
goals-stores: ## The goals of the durable stores beside River, asynq and plain inserts, in ROUNDS (9) rounds, one line each
	cd bench/stores && go run . -rounds $(ROUNDS)
