module github.com/seed-2a427302/handoff/systemtest

go 1.25.0

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/jackc/pgx/v5 v5.12.0
	github.com/redis/go-redis/v9 v9.22.0
	github.com/seed-2a427302/handoff v0.0.0
	github.com/seed-2a427302/handoff/modeltest v0.0.0
	github.com/seed-2a427302/handoff/pgstore v0.0.0
	github.com/seed-2a427302/handoff/redisstore v0.0.0
	github.com/seed-2a427302/handoff/sqlitestore v0.0.0
	github.com/stretchr/testify v1.11.1
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-strftime v1.0.0 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	go.uber.org/atomic v1.11.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
	modernc.org/libc v1.75.7 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
	modernc.org/sqlite v1.59.0 // indirect
)

replace (
	github.com/seed-2a427302/handoff => ../
	github.com/seed-2a427302/handoff/modeltest => ../modeltest
	github.com/seed-2a427302/handoff/pgstore => ../pgstore
	github.com/seed-2a427302/handoff/redisstore => ../redisstore
	github.com/seed-2a427302/handoff/sqlitestore => ../sqlitestore
)
