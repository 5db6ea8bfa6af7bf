// Replicas runs a host twice, behind one PostgreSQL, and kills one of them in
// the middle of a chat. Nothing of the chat is lost, and the user does not
// notice.
//
//	go run ./examples/replicas
//	go run ./examples/replicas -dsn postgres://…
//
// Without -dsn it starts a server of its own from the machine's binaries.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/pgstore"
)

func main() {
	dsn := flag.String("dsn", "", "the database; its schema handoff_replicas is made and removed")
	name := flag.String("replica", "", "be a replica of this name (the example starts these itself)")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	var err error
	if *name != "" {
		err = replica(ctx, *dsn, *name)
	} else {
		err = play(ctx, *dsn)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "replicas:", err)
		os.Exit(1)
	}
}

// play starts two replicas and tells the story.
func play(ctx context.Context, dsn string) error {
	if dsn == "" {
		own, stop, err := throwaway.Postgres()
		if err != nil {
			return fmt.Errorf("no PostgreSQL here (use -dsn): %w", err)
		}
		defer stop()
		dsn = own
	}
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := pgstore.New(pool, options)
	if err := store.Migrate(ctx, pgstore.Latest); err != nil {
		return err
	}
	defer func() { _ = store.Migrate(context.WithoutCancel(ctx), 0) }()

	a, err := begin(ctx, dsn, "A")
	if err != nil {
		return err
	}
	defer a.kill()
	b, err := begin(ctx, dsn, "B")
	if err != nil {
		return err
	}
	defer b.kill()

	var failed []error
	do := func(p *process, line string) { failed = append(failed, p.do(line)) }
	do(a, "user My invoice is wrong")
	do(b, "bot Shall I get a person?") // any replica will do
	do(a, "user Yes, please")
	do(a, "request")
	do(b, "accept")
	do(b, "agent Hello, Ann here. One moment.")
	do(b, "user Thank you")

	fmt.Println("--- replica B is killed: no shutdown, no last words")
	b.kill()

	do(a, "user Are you still there?")
	do(a, "agent Yes. I have corrected it.")
	do(a, "return It was the March invoice")
	do(a, "bot Is there anything else?")
	do(a, "wait Is there anything else?") // what B was about to show comes first
	if err := errors.Join(failed...); err != nil {
		return err
	}
	fmt.Println("--- the log, as the store has it")
	return a.do("log")
}

// A process is a replica that runs.
type process struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan error // an answer to each line
}

func begin(ctx context.Context, dsn, name string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: exec.CommandContext(ctx, self, "-replica", name, "-dsn", dsn), done: make(chan error)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			answer, is := strings.CutPrefix(lines.Text(), "=")
			switch {
			case !is:
				fmt.Printf("%s  %s\n", name, lines.Text())
			case answer == "":
				p.done <- nil
			default:
				p.done <- fmt.Errorf("replica %s: %s", name, answer)
			}
		}
	}()
	return p, <-p.done
}

// do sends a line and waits for the answer.
func (p *process) do(line string) error {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return err
	}
	err, ok := <-p.done
	if !ok {
		return fmt.Errorf("replica %s is gone", p.name)
	}
	return err
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
