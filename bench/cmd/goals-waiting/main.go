// Command goals-waiting measures everything the library promises about waiting
// and prints the tables, then one line per goal. It exits with 1 when a goal is
// missed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/seed-2a427302/handoff/bench/goal"
	"github.com/seed-2a427302/handoff/bench/speed"
	"github.com/seed-2a427302/handoff/bench/waiting"
)

func main() {
	var o waiting.Options
	flag.Uint64Var(&o.Seed, "seed", 1, "first seed; the others follow it")
	flag.IntVar(&o.Seeds, "seeds", 20, "seeds per scenario, warm")
	flag.IntVar(&o.Arrivals, "arrivals", 14000, "arrivals per seed, warm; the first 3000 are not scored")
	flag.IntVar(&o.ColdSeeds, "cold-seeds", 50, "seeds per scenario from a cold start")
	flag.StringVar(&o.Only, "only", "", "letters of the scenarios to play, all when empty")
	flag.BoolVar(&o.Further, "further", false, "also play scenarios no goal names")
	flag.IntVar(&o.Workers, "workers", 1, "runs at a time")
	fast := flag.Bool("speed", true, "also measure how fast matching and positions are")
	flag.Parse()
	o.Progress = os.Stderr

	// Each section prints its tables and returns its goals.
	sections := []func(io.Writer) ([]goal.Goal, error){
		func(w io.Writer) ([]goal.Goal, error) { return waiting.Report(w, o) },
		func(w io.Writer) ([]goal.Goal, error) {
			if !*fast {
				return nil, nil
			}
			return speed.Report(context.Background(), w)
		},
	}
	var goals []goal.Goal
	for _, section := range sections {
		g, err := section(os.Stdout)
		exit(err)
		goals = append(goals, g...)
	}
	fmt.Println()
	missed, err := goal.Print(os.Stdout, goals)
	exit(err)
	if missed > 0 {
		fmt.Printf("%d of %d goals missed\n", missed, len(goals))
		os.Exit(1)
	}
	fmt.Printf("all %d goals met\n", len(goals))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
