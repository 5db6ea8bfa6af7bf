// Webchat serves the whole thing at one address: a user's chat on the left, the
// desk of several agents on the right, a small bot between them, and made-up
// customers at the press of a button. Everything is kept in memory.
//
//	go run ./examples/webchat
//
// The same on a file is sqlitestore/examples/webchat; on PostgreSQL, with users
// and agents on different replicas, pgstore/examples/webchat.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"

	"github.com/seed-2a427302/handoff/examples/webchat/acme"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to serve")
	customers := flag.Int("customers", 0, "made-up customers to begin with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(ctx, listener, *customers); err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, listener net.Listener, customers int) error {
	fmt.Printf("http://%s/  (end with Ctrl+C)\n", listener.Addr())
	return acme.Serve(ctx, listener, acme.Options{Customers: customers})
}
