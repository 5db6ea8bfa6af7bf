//go:build unix

package throwaway

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// An account is whom a server runs as; nil: as oneself.
type account struct{ *syscall.Credential }

func (a account) become(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.Credential}
}

// freeze stops a process until it is killed.
func freeze(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

// unprivileged says as whom to run a server, which may refuse to run as root,
// and gives him the folder.
func unprivileged(dir string) (account, error) {
	if os.Getuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "redis", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 != nil || err2 != nil {
			continue
		}
		return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, int(uid), int(gid))
	}
	return account{}, errors.New("no user to run a server as")
}
