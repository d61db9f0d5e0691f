// SPDX-License-Identifier: GPL-2.0-or-later

package index

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Variable is the variable of the environment that names the directory of indexes: an
// absolute or relative path, or "off" for none.
const Variable = "KLP_CACHE"

// ErrOff is that the user wants no index.
var ErrOff = errors.New(Variable + "=off")

// UserDir returns the directory for the indexes of this user: $KLP_CACHE, or klp-convert in
// $XDG_CACHE_HOME or in $HOME/.cache (XDG Base Directory Specification: a relative path in
// XDG_CACHE_HOME is ignored). The error says why there is none.
//
// Nothing is created here. Without KLP_CACHE, what is not there yet is created later (Store)
// only in a home that exists and belongs to the user. So a service without a home gets no
// directory, and root with another user's HOME leaves nothing in it that the user can't remove.
func UserDir(getenv func(string) string) (string, error) {
	switch dir := getenv(Variable); dir {
	case "":
	case "off":
		return "", ErrOff
	default:
		return filepath.Abs(dir)
	}
	const own = "klp-convert"
	if cache := getenv("XDG_CACHE_HOME"); filepath.IsAbs(cache) {
		home := cache
		if _, err := os.Stat(cache); err != nil {
			home = filepath.Dir(cache)
		}
		return filepath.Join(cache, own), checkHome(home)
	}
	home := getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("no home directory (HOME is not set)")
	}
	return filepath.Join(home, ".cache", own), checkHome(home)
}

// checkHome returns an error unless the directory exists and is this user's.
func checkHome(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("no home directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("no home directory: %s is a file", dir)
	}
	return checkOwner(dir, info)
}

// checkOwner returns an error unless what is at the path belongs to this user.
func checkOwner(path string, info os.FileInfo) error {
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user", path)
	}
	return nil
}

// checkPrivate is checkOwner, and an error if others may write.
func checkPrivate(path string, info os.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is writable by others (mode %04o)", path, info.Mode().Perm())
	}
	return checkOwner(path, info)
}
