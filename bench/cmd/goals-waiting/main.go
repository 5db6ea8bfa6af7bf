// Command goals-waiting measures everything the library promises about waiting
// and prints the tables, then one line per goal. With -strict it exits with 1
// when a goal is missed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/seed-2a427302/handoff/bench/goal"
	"github.com/seed-2a427302/handoff/bench/routing"
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
	flag.IntVar(&o.Drawn, "drawn", 0, "instead play so many scenarios drawn by lot, the first with the number of the seed")
	flag.Float64Var(&o.Work, "work", 60_000, "with -drawn, about how many steps the simulations of a seed take; 0 is no bound")
	var r routing.Options
	flag.IntVar(&r.Seeds, "routing-seeds", 5, "seeds per strategy")
	flag.IntVar(&r.Arrivals, "routing-arrivals", 100000, "arrivals per seed of a strategy")
	flag.IntVar(&r.Mixes, "mixes", 0, "also measure routing in so many mixes of skills drawn by lot, the first with the number of the seed")
	flag.IntVar(&r.Days, "days", 5, "days in which nobody may starve")
	flag.IntVar(&o.Workers, "workers", runtime.GOMAXPROCS(0), "runs at a time")
	short := flag.Bool("short", false, "fewer and shorter runs: under a minute, and not enough to judge by")
	strict := flag.Bool("strict", false, "exit with 1 when a goal is missed")
	guess := flag.Bool("estimates", true, "measure estimates")
	route := flag.Bool("routing", true, "measure strategies and starvation")
	fast := flag.Bool("speed", true, "measure how fast matching and positions are")
	flag.Parse()
	if *short {
		o.Seeds, o.Arrivals, o.ColdSeeds = 3, 9000, 8
		r.Arrivals, r.Days = 40000, 2
	}
	if o.Drawn == 0 {
		o.Work = 0 // the scenarios that goals name are scored in full
	}
	o.Progress = os.Stderr
	r.Seed, r.Workers = o.Seed, o.Workers

	// Each section prints its tables and returns its goals.
	sections := []func(io.Writer) ([]goal.Goal, error){
		func(w io.Writer) ([]goal.Goal, error) { return waiting.Report(w, o) },
		func(w io.Writer) ([]goal.Goal, error) { return routing.Report(w, r) },
		func(w io.Writer) ([]goal.Goal, error) { return speed.Report(context.Background(), w) },
	}
	var goals []goal.Goal
	for i, wanted := range []bool{*guess, *route, *fast} {
		if !wanted {
			continue
		}
		g, err := sections[i](os.Stdout)
		exit(err)
		goals = append(goals, g...)
	}
	fmt.Println()
	missed, err := goal.Print(os.Stdout, goals)
	exit(err)
	if missed > 0 {
		fmt.Printf("%d of %d goals missed\n", missed, len(goals))
		if *strict {
			os.Exit(1)
		}
		return
	}
	fmt.Printf("all %d goals met\n", len(goals))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
