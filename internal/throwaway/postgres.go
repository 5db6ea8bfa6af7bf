package throwaway

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
)

// Postgres runs initdb and postgres, with these settings ("fsync=off"). It
// returns a connection string. stop ends the server and removes its data.
func Postgres(settings ...string) (dsn string, stop func(), err error) {
	c, err := NewCluster()
	if err != nil {
		return "", nil, err
	}
	dsn, err = c.Start(settings...)
	return dsn, c.Remove, err
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
