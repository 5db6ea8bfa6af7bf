package throwaway

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// PgBouncer runs pgbouncer in transaction mode before a database, which is
// named as its configuration names one ("host=/tmp/pg user=handoff
// dbname=postgres"), with few connections to it and many from clients. It
// returns a connection string for pgx, whose statements are not prepared
// there. Sessions are as the server was set, but for synchronous_commit, which
// is off. stop ends the pooler.
func PgBouncer(database string) (dsn string, stop func(), err error) {
	bin, err := exec.LookPath("pgbouncer")
	if err != nil {
		// Debian keeps it where only root looks.
		if bin = "/usr/sbin/pgbouncer"; exists(bin) != nil {
			return "", nil, errors.New("pgbouncer is not installed")
		}
	}
	s, err := folder("pgbouncer")
	if err != nil {
		return "", nil, err
	}
	config := fmt.Sprintf(`[databases]
* = %s connect_query='SET synchronous_commit = off'
[pgbouncer]
pool_mode = transaction
default_pool_size = 8
max_client_conn = 400
auth_type = any
ignore_startup_parameters = synchronous_commit
unix_socket_dir = %s
listen_port = 6432
`, database, s.dir)
	file := filepath.Join(s.dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil { //nolint:gosec // somebody else reads it, in a folder of his own
		s.remove()
		return "", nil, err
	}
	stop, err = s.run("TERM", greetPostgres, filepath.Join(s.dir, ".s.PGSQL.6432"), bin, file)
	return "host=" + s.dir + " port=6432 user=handoff dbname=postgres sslmode=disable default_query_exec_mode=exec", stop, err
}

func exists(name string) error {
	_, err := os.Stat(name)
	return err
}
