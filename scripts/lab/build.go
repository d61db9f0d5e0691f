// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"
)

// Sources holds the lab's own modules, one directory each below modules/.
//
//go:embed modules
var Sources embed.FS

// BuildModules builds the lab's own modules in dir with the kernel's stock
// Kbuild and returns the .ko files by name. include is the directory of
// klp_convert.h, the header that a livepatch author includes.
func (k *Kernel) BuildModules(dir, include string) (map[string][]byte, error) {
	err := fs.WalkDir(Sources, "modules", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := Sources.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, "modules/"))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
	if err != nil {
		return nil, err
	}
	if err := k.Make(dir, "KLP_INCLUDE="+include); err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(dir, "*/*.ko"))
	if err != nil {
		return nil, err
	}
	modules := map[string][]byte{}
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		modules[filepath.Base(path)] = data
	}
	return modules, nil
}

// noMake is the environment without what a make above go test hands down, and more. The
// variables must not be empty either: with an empty MAKEOVERRIDES, make 4.4 hands
// no variables of its command line to the makes below it.
func noMake(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL"}, name)
	})
	return append(append(env, "LC_ALL=C.UTF-8"), more...)
}

// Make runs the kernel's Kbuild for the external modules in dir.
//
// An annotated symbol is undefined for modpost as well, which does not know
// of annotations: KBUILD_MODPOST_WARN=1 turns its error into a warning.
func (k *Kernel) Make(dir string, vars ...string) error {
	args := append([]string{"-C", k.Headers, "M=" + dir, "KBUILD_MODPOST_WARN=1", "-j2"},
		k.Cross()...)
	cmd := k.Command("make", append(append(args, vars...), "modules")...)
	cmd.Env = noMake()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("make -C %s M=%s: %w\n%s", k.Headers, dir, err, tail(string(out), 40))
	}
	return nil
}

const module = "github.com/klp-convert/klp-convert"

// BuildTool builds this module's command in the directory pkg (cmd/klp-convert)
// as the file out, static and for a guest of that architecture.
func BuildTool(pkg, out string, arch Arch) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", out, module+"/"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch.Go, "GOFLAGS=")
	_, err := run(cmd)
	return err
}

// BuildAgent builds the guest's first process and returns the binary.
func BuildAgent(dir string, arch Arch) ([]byte, error) {
	out := filepath.Join(dir, "agent-"+arch.Name)
	if err := BuildTool("scripts/lab/cmd/klp-lab-agent", out, arch); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// Root returns the top directory of this module's sources.
func Root() (string, error) {
	out, err := run(exec.Command("go", "env", "GOMOD"))
	if err != nil {
		return "", err
	}
	mod := strings.TrimSpace(out)
	if mod == "" || mod == os.DevNull {
		return "", fmt.Errorf("not inside the sources of %s", module)
	}
	text, err := os.ReadFile(mod)
	if err != nil {
		return "", err
	}
	if !bytes.HasPrefix(text, []byte("module "+module+"\n")) {
		return "", fmt.Errorf("%s is not of %s", mod, module)
	}
	return filepath.Dir(mod), nil
}
