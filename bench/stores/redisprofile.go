package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// commandProfile prints what an operation that is done n times makes a Redis
// server do, as its own statistics tell it. Commands within a script are
// counted, and their time is in that of the script.
func commandProfile(ctx context.Context, w io.Writer, client *redis.Client, what string, n int, do func(context.Context) error) error {
	if err := client.ConfigResetStat(ctx).Err(); err != nil {
		return err
	}
	before, err := serverCPU(ctx, client)
	if err != nil {
		return err
	}
	own := ownCPU()
	list, err := latencies(ctx, 1, do)
	if err != nil {
		return err
	}
	own = ownCPU() - own
	after, err := serverCPU(ctx, client)
	if err != nil {
		return err
	}
	per := func(v float64) float64 { return v / float64(n) }
	if _, err := fmt.Fprintf(w, "  %s: %.0fus; CPU: %.0fus here, %.0fus in the server\n", what, per(list[0]), per(micros(own)), per(after-before)); err != nil {
		return err
	}
	info, err := client.InfoMap(ctx, "commandstats").Result()
	if err != nil {
		return err
	}
	type command struct {
		name         string
		calls, spent float64
	}
	var commands []command
	for name, fields := range info["Commandstats"] {
		c := command{name: strings.TrimPrefix(name, "cmdstat_")}
		for field := range strings.SplitSeq(fields, ",") {
			key, value, _ := strings.Cut(field, "=")
			v, err := strconv.ParseFloat(value, 64)
			switch {
			case err != nil:
			case key == "calls":
				c.calls = v
			case key == "usec":
				c.spent = v
			}
		}
		if per(c.calls) >= 0.01 {
			commands = append(commands, c)
		}
	}
	slices.SortFunc(commands, func(a, b command) int { return cmp.Or(cmp.Compare(b.spent, a.spent), cmp.Compare(a.name, b.name)) })
	for _, c := range commands[:min(len(commands), 12)] {
		if _, err := fmt.Fprintf(w, "    %-10s %5.2f calls %6.1fus\n", c.name, per(c.calls), per(c.spent)); err != nil {
			return err
		}
	}
	return nil
}

// serverCPU is how many microseconds the server has used so far.
func serverCPU(ctx context.Context, client *redis.Client) (sum float64, err error) {
	info, err := client.InfoMap(ctx, "cpu").Result()
	if err != nil {
		return 0, err
	}
	for _, name := range []string{"used_cpu_sys", "used_cpu_user"} {
		v, err := strconv.ParseFloat(info["CPU"][name], 64)
		if err != nil {
			return 0, err
		}
		sum += v * 1e6
	}
	return sum, nil
}
