package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// What programs read and what people read of a cause is the same.
func TestCauses(t *testing.T) {
	at := time.Date(2026, 12, 24, 9, 0, 0, 0, time.FixedZone("", 3600))
	require.Equal(t, "lacks tax, refunds only at 2, does not speak de, takes no video", handoff.Causes{
		{Code: handoff.CauseSkill, What: "tax"},
		{Code: handoff.CauseLevel, What: "refunds", Level: 2},
		{Code: handoff.CauseLanguage, What: "de"},
		{Code: handoff.CauseVideo},
	}.String())
	require.Equal(t, "had as many as he may get before 2026-12-24T08:00:00Z", handoff.Cause{Code: handoff.CausePaced, Until: at}.String())
	require.Equal(t, "brand_new", handoff.Cause{Code: "brand_new"}.String(), "of a newer build")
	require.Empty(t, handoff.Causes(nil).String())
}
