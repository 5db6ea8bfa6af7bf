package memstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/presencetest"
)

func TestPresence(t *testing.T) {
	presencetest.Run(t, func(*testing.T) handoff.Sessions { return memstore.NewPresence() })
}

func TestPresenceAsForeignOne(t *testing.T) {
	presencetest.RunPresence(t, func(t *testing.T) presencetest.Floor {
		p, now := memstore.NewPresence(), time.Now()
		require.NoError(t, p.Want(t.Context(), "on", true, "", now))
		require.NoError(t, p.Begin(t.Context(), "on", "s", now, now.Add(time.Hour)))
		require.NoError(t, p.Want(t.Context(), "off", false, "", now))
		return presencetest.Floor{Presence: p, Online: []string{"on"}, Offline: []string{"off"}, Unknown: []string{"who"}}
	})
}

func TestPresenceRefusesBadInput(t *testing.T) {
	p, now, ctx := memstore.NewPresence(), time.Now(), t.Context()
	for name, bad := range map[string]string{"empty": "", "NUL": "a\x00b", "invalid UTF-8": "a\xff"} {
		t.Run(name, func(t *testing.T) {
			var field *handoff.InvalidError
			require.ErrorAs(t, p.Want(ctx, bad, true, "", now), &field)
			require.Equal(t, "agent", field.Field)
			require.ErrorAs(t, p.Begin(ctx, "ann", bad, now, now.Add(time.Hour)), &field)
			require.Equal(t, "session", field.Field)
			require.ErrorIs(t, memstore.NewDirectory().Put(ctx, handoff.Agent{ID: bad}), handoff.ErrInvalid)
		})
	}
	st, err := p.Agents(ctx, []string{"ann"}, now)
	require.NoError(t, err)
	require.Equal(t, handoff.Unknown, st[0].Availability, "what was refused is not stored")
}

func TestPresenceStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, now := memstore.NewPresence(), time.Now()
	require.ErrorIs(t, p.Want(ctx, "ann", true, "", now), context.Canceled)
	_, err := p.Agents(ctx, []string{"ann"}, now)
	require.ErrorIs(t, err, context.Canceled)
	_, err = memstore.NewDirectory().List(ctx, "")
	require.ErrorIs(t, err, context.Canceled)
}

func TestDirectory(t *testing.T) {
	presencetest.RunDirectory(t, func(*testing.T) handoff.Directory {
		return memstore.NewDirectory(
			handoff.Agent{ID: "zoe", Queues: []string{"billing", "support"}},
			handoff.Agent{ID: "Ann", Queues: []string{"support"}},
			handoff.Agent{ID: "ann"},
		)
	})
	presencetest.RunDirectory(t, func(*testing.T) handoff.Directory {
		return handoff.Staff{{ID: "zoe", Queues: []string{"support"}}, {ID: "ann", Queues: []string{"support"}}}
	})
}

func TestDirectoryKeepsTheLastOfOneID(t *testing.T) {
	d := memstore.NewDirectory(handoff.Agent{ID: "a", Seats: 1}, handoff.Agent{ID: "a", Seats: 2}, handoff.Agent{Seats: 3})
	list, err := d.List(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, 2, list[0].Seats)
}
