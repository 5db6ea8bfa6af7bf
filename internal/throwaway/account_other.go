//go:build !unix

package throwaway

import "os/exec"

type account struct{}

func (account) become(*exec.Cmd) {}

func unprivileged(string) (account, error) { return account{}, ErrUnsupported }
