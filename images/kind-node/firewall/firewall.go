// Package firewall finds the variant of iptables that works with the kernel.
package firewall

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const folder = "/run/iptables"

// Choose puts the first variant that works before all else on this process's PATH.
//
// Both variants may be loaded at once, so what matters is that all parts of a node choose
// by the same rule; the image's entrypoint tries them in this order too.
func Choose() error {
	var refusals []error
	for _, variant := range []string{"nft", "legacy"} {
		program := fmt.Sprintf("/usr/sbin/xtables-%s-multi", variant)
		said, err := exec.Command(program, "iptables", "-t", "nat", "-S").CombinedOutput()
		if err == nil {
			return prefer(program)
		}
		refusals = append(refusals, fmt.Errorf("%s: %w: %s", variant, err, said))
	}
	return errors.Join(refusals...)
}

// prefer links the names by which a variant's one program knows what to do.
func prefer(program string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, action := range []string{"", "-save", "-restore"} {
			link := filepath.Join(folder, family+action)
			if err := os.Symlink(program, link); err != nil && !errors.Is(err, os.ErrExist) {
				return err
			}
		}
	}
	return os.Setenv("PATH", folder+":"+os.Getenv("PATH"))
}
