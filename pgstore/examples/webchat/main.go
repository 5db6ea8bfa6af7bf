// Webchat is the web chat with desk of github.com/seed-2a427302/handoff's
// examples/webchat on PostgreSQL, with two replicas of the host: users are
// pinned to one, agents to the other.
//
//	go run ./examples/webchat -dsn postgres://…
//
// Without -dsn it starts a server of its own from the machine's binaries, and
// what is said goes with it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff/examples/webchat/acme"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/pgstore"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to serve")
	dsn := flag.String("dsn", "", "the database; its schema handoff_webchat is made")
	customers := flag.Int("customers", 0, "made-up customers to begin with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err == nil {
		fmt.Printf("http://%s/  (end with Ctrl+C)\n", listener.Addr())
		err = serve(ctx, listener, *dsn, *customers)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, listener net.Listener, dsn string, customers int) error {
	if dsn == "" {
		own, stop, err := throwaway.Postgres()
		if err != nil {
			return fmt.Errorf("no PostgreSQL here (use -dsn): %w", err)
		}
		defer stop()
		dsn = own
	}
	// Each replica has what a process of its own would have: its own
	// connections and its own store.
	var replicas []acme.Replica
	for range 2 {
		pool, err := pgxpool.New(ctx, dsn)
		if err != nil {
			return err
		}
		defer pool.Close()
		store := pgstore.New(pool, pgstore.Options{Schema: "handoff_webchat"})
		if err := store.Migrate(ctx, pgstore.Latest); err != nil {
			return err
		}
		replicas = append(replicas, acme.Replica{Store: store, Presence: store.Presence()})
	}
	return acme.Serve(ctx, listener, acme.Options{Customers: customers, Replicas: replicas})
}
