// Command goals measures the trigger rules against labelled messages and prints
// a table per source, then one line per goal: name, figure, bound, met or missed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/seed-2a427302/handoff/trigger"
)

// sizeNote says why the goal of size is missed.
const sizeNote = "(1) two thirds of the packs are words, each in one language: fewer of them is less recall. Rules that es, pt, fr and it share make 15 KB."

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "goals:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("goals", flag.ContinueOnError)
	data := fs.String("data", os.Getenv("HANDOFF_DATA"), "folder with */labels.tsv or triggers/*/labels.tsv")
	wrong := fs.Bool("wrong", false, "also print every message that was judged wrongly")
	strict := fs.Bool("strict", false, "fail when a goal is missed")
	probes := fs.String("probes", "trigger/testdata/probes.tsv", "sentences of our own; empty for none")
	rounds := fs.Int("rounds", 40, "rounds of each time measurement")
	if err := fs.Parse(args); err != nil {
		return err
	}
	sources, err := load(*data)
	if err != nil {
		return err
	}
	eng, err := trigger.New(trigger.Config{})
	if err != nil {
		return err
	}
	own, err := loadProbes(*probes)
	if err != nil {
		return err
	}
	var w io.Writer
	if *wrong {
		w = out
	}
	res := evaluate(eng, sources, w)
	res.table(out)
	fmt.Fprintln(out)
	missed := 0
	for _, g := range goals(res, evaluate(eng, own, w), cost(eng, sources, *rounds)) {
		fmt.Fprintln(out, g)
		if !g.met {
			missed++
		}
	}
	fmt.Fprintln(out, sizeNote)
	if *strict && missed > 0 {
		return fmt.Errorf("%d goals missed", missed)
	}
	return nil
}
