// Goals prints how large the desk's pages are, and what its pages cost a server,
// against what was aimed at: one line for each goal, with its name, figure,
// bound, met or missed. Run it in the repository's root: make goals-desk.
//
// Times are medians with the quartiles around them, and a ratio to a request of
// the same server that does nothing (healthz), asked by the same process. The
// pages of these goals are clients in another process, which this program starts
// of itself: they do what the scripts do, without a browser.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"time"
)

func main() {
	as := flag.String("pages", "", "be the pages of a measurement: idle, owners or storm (this program starts itself so)")
	url := flag.String("url", "", "where the desk of these pages is")
	n := flag.Int("n", 0, "how many pages")
	large := flag.Int("large", 100_000, "handoffs of the large view; 0 leaves it out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	var err error
	if *as != "" {
		err = pages(ctx, *as, *url, *n)
	} else {
		err = errors.Join(sizes(), views(ctx, *large), streams(ctx), fanOut(ctx), storm(ctx))
	}
	cancel()
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// A series is a list of measurements in milliseconds.
type series []float64

// at returns a quantile.
func (s series) at(q float64) float64 {
	x := slices.Clone(s)
	slices.Sort(x)
	return x[min(int(q*float64(len(x))), len(x)-1)]
}

// middle says where the middle half of a series is.
func (s series) middle() string {
	return fmt.Sprintf("(%.1f to %.1f, n %d)", s.at(.25), s.at(.75), len(s))
}

// goal prints a line.
func goal(name, figure string, met bool, bound string) {
	verdict := "met"
	if !met {
		verdict = "missed"
	}
	fmt.Printf("%-50s %-52s at most %-9s %s\n", name, figure, bound, verdict)
}
