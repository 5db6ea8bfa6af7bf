// Webchat is the web chat with desk of github.com/seed-2a427302/handoff's
// examples/webchat on a file: end it, start it again, and everything is there.
// Who is present is kept in memory: pages say so again.
//
//	go run ./examples/webchat -file webchat.db
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"

	"github.com/seed-2a427302/handoff/examples/webchat/acme"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to serve")
	file := flag.String("file", "webchat.db", "the database; made if it is not there")
	customers := flag.Int("customers", 0, "made-up customers to begin with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err == nil {
		fmt.Printf("http://%s/  (end with Ctrl+C)\n", listener.Addr())
		err = serve(ctx, listener, *file, *customers)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, listener net.Listener, file string, customers int) error {
	store, err := sqlitestore.Open(ctx, file, sqlitestore.Options{})
	if err != nil {
		return err
	}
	if err = store.Migrate(ctx, sqlitestore.Latest); err == nil {
		replica := acme.Replica{Store: store, Presence: memstore.NewPresence()}
		err = acme.Serve(ctx, listener, acme.Options{Customers: customers, Replicas: []acme.Replica{replica}})
	}
	return errors.Join(err, store.Close())
}
