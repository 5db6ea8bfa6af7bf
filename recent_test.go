package handoff_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// What is used stays; what is not is gone after a while, or when much else came.
func TestRecent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := handoff.NewRecent(100)
		r.Put(1)
		r.Put(2)
		for range 100 {
			time.Sleep(90 * time.Second)
			require.True(t, r.Has(1), "it is used again and again")
		}
		require.False(t, r.Has(2), "nobody used it")
		require.Equal(t, 1, r.Len())

		for i := range 1000 {
			r.Put(10 + i)
			require.LessOrEqual(t, r.Len(), 200)
			require.True(t, r.Has(10+i))
			require.True(t, r.Has(10+max(0, i-49)), "the last are there, those that were looked for again among them")
		}
		require.False(t, r.Has(1), "so much else came")

		r.Put(3)
		time.Sleep(time.Hour)
		require.False(t, r.Has(3))
		require.Zero(t, r.Len())

		r.Put(4)
		r.SetBack(time.Hour)
		require.True(t, r.Has(4))
		time.Sleep(5 * time.Minute)
		require.False(t, r.Has(4), "a clock that was set back keeps nothing for longer")
	})
}
