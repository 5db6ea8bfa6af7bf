//go:build !unix

package throwaway

import (
	"os"
	"os/exec"
)

type account struct{}

func (account) become(*exec.Cmd) {}

func freeze(*os.Process) error { return ErrUnsupported }

func unprivileged(string) (account, error) { return account{}, ErrUnsupported }
