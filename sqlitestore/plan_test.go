package sqlitestore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/sqlitestore"
)

// Those ahead are a range of the index that ends at who asks, in every column:
// counting them reads nothing behind him, however many wait there.
func TestAheadEndsAtWhoAsks(t *testing.T) {
	plan, err := sqlitestore.AheadPlan(t.Context(), open(t))
	require.NoError(t, err)
	require.Contains(t, plan, "SEARCH handoff_record USING INDEX handoff_record_rank (queue=? AND (rank,since,conversation,number)<(?,?,?,?))")
}
