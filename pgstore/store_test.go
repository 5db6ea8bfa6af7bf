package pgstore_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) handoff.Store { return open(t, pgstore.Options{}) })
}

// The same when commits always travel together, and nobody listens.
func TestStoreGroup(t *testing.T) {
	storetest.Run(t, func(t *testing.T) handoff.Store {
		return pgstore.ForceGroup(open(t, pgstore.Options{NoListen: true}))
	})
}

// Behind a transaction pooler, statements are not prepared. The simple
// protocol is what the oldest poolers need.
func TestStorePooler(t *testing.T) {
	for name, mode := range map[string]pgx.QueryExecMode{"exec": pgx.QueryExecModeExec, "simple": pgx.QueryExecModeSimpleProtocol} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) handoff.Store {
				s, _ := openPool(t, pgstore.Options{NoListen: true}, func(cfg *pgxpool.Config) {
					cfg.ConnConfig.DefaultQueryExecMode = mode
				})
				return s
			})
		})
	}
}
