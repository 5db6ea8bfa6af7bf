package throwaway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
)

// Postgres runs initdb and postgres, with these settings ("fsync=off"). It
// returns a connection string. stop ends the server and removes its data.
func Postgres(settings ...string) (dsn string, stop func(), err error) {
	bin, err := postgresBinaries()
	if err != nil {
		return "", nil, err
	}
	s, err := folder("pg")
	if err != nil {
		return "", nil, err
	}
	data := filepath.Join(s.dir, "data")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	init := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), //nolint:gosec // where this machine has it
		"-D", data, "-U", "handoff", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	init.Dir = s.dir
	s.user.become(init)
	if out, err := init.CombinedOutput(); err != nil {
		s.remove()
		return "", nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	args := []string{
		"-D", data, "-k", s.dir, "-c", "listen_addresses=",
		"-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "log_min_messages=panic",
	}
	for _, set := range settings {
		args = append(args, "-c", set)
	}
	stop, err = s.run("QUIT", greetPostgres, filepath.Join(s.dir, ".s.PGSQL.5432"), filepath.Join(bin, "postgres"), args...)
	return "host=" + s.dir + " user=handoff dbname=postgres", stop, err
}

func postgresBinaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1]), err
	}
	path, err := exec.LookPath("initdb")
	return filepath.Dir(path), err
}

// greetPostgres begins a session. A server that is still starting refuses it.
func greetPostgres(conn net.Conn) error {
	const version = 3 << 16
	parameters := "user\x00handoff\x00database\x00postgres\x00\x00"
	hello := binary.BigEndian.AppendUint32(nil, uint32(8+len(parameters)))
	hello = binary.BigEndian.AppendUint32(hello, version)
	if _, err := conn.Write(append(hello, parameters...)); err != nil {
		return err
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if answer[0] != 'R' {
		return errors.New("it is not ready")
	}
	return nil
}
