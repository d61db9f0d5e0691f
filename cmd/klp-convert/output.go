// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// output is a file that is being written. It gets its name when it is complete: other
// programs see the old file or the whole new one, and after a failure or a signal no
// temporary file is left.
type output struct {
	f    *os.File
	path string // its final name
	temp bool   // f still has a temporary name
}

// create opens a temporary file that will be path. A symbolic link is followed: the file it
// names is replaced, not the link. A device, a pipe, or a file without a name can't be
// replaced and is opened for writing. A new file gets the permissions and, where that is
// allowed, the owner of the file that it replaces, or else the permissions of like.
func create(path string, like fs.FileInfo) (*output, error) {
	old, err := os.Stat(path)
	if err == nil && old.IsDir() {
		return nil, fileError(path, syscall.EISDIR)
	}
	exists := err == nil
	if exists && !old.Mode().IsRegular() {
		return openExisting(path)
	}
	target, err := follow(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	if exists {
		if info, err := os.Lstat(target); err != nil || !os.SameFile(info, old) {
			return openExisting(path) // /dev/fd/N of a deleted file
		}
		like = old
	}
	dir := target[:strings.LastIndexByte(target, '/')+1]
	f, err := temps.create(dir)
	if err != nil {
		return nil, fileError(path, noTemp(dir, err))
	}
	o := &output{f: f, path: target, temp: true}
	mode := 0o666 &^ umask()
	if like != nil {
		mode = like.Mode().Perm()
	}
	if exists {
		if st, ok := old.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
			_ = f.Chown(int(st.Uid), int(st.Gid)) // not in every user namespace
		}
	}
	if err := f.Chmod(mode); err != nil {
		o.discard()
		return nil, fileError(path, err)
	}
	return o, nil
}

func openExisting(path string) (*output, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return nil, fileError(path, err)
	}
	return &output{f: f, path: path}, nil
}

func noTemp(dir string, err error) error {
	if dir = strings.TrimRight(dir, "/"); dir == "" {
		dir = "the directory"
	}
	return fmt.Errorf("can't make a temporary file in %s: %w", dir, stripPath(err))
}

// follow returns the path after following symbolic links, whether that file exists or not.
// It asks the file system at every step: the path alone does not tell what ".." after a link
// means.
func follow(path string) (string, error) {
	for range 40 { // as the kernel does (MAXSYMLINKS)
		slash := strings.LastIndexByte(path, '/') + 1
		dir, err := filepath.EvalSymlinks(path[:slash] + ".")
		if err != nil {
			return "", noTemp(path[:slash], err)
		}
		path = strings.TrimSuffix(dir, "/") + "/" + path[slash:]
		next, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link
		}
		if !filepath.IsAbs(next) {
			next = strings.TrimSuffix(dir, "/") + "/" + next
		}
		path = next
	}
	return "", syscall.ELOOP
}

// alsoName links the finished output as name too: name was another name of the file that was
// replaced (a hard link).
func (o *output) alsoName(name string) error {
	target, err := follow(name)
	if err != nil {
		return fileError(name, err)
	}
	if a, err := os.Stat(target); err == nil {
		if b, err := os.Stat(o.path); err == nil && os.SameFile(a, b) {
			return nil
		}
	}
	dir := target[:strings.LastIndexByte(target, '/')+1]
	temp := fmt.Sprintf("%s.klp-convert.%d.tmp", dir, os.Getpid())
	if err := temps.link(o.path, temp); err != nil {
		return fileError(name, err)
	}
	if err := os.Rename(temp, target); err != nil {
		os.Remove(temp)
		return fileError(name, err)
	}
	temps.forget(temp)
	return nil
}

func umask() fs.FileMode {
	old := syscall.Umask(0o077)
	syscall.Umask(old)
	return fs.FileMode(old)
}

// finish closes the file and gives it its name.
func (o *output) finish() error {
	if err := o.f.Close(); err != nil {
		o.discard()
		return fileError(o.path, err)
	}
	if !o.temp {
		return nil
	}
	if err := os.Rename(o.f.Name(), o.path); err != nil {
		o.discard()
		return fileError(o.path, err)
	}
	temps.forget(o.f.Name())
	return nil
}

// discard removes the temporary file. After finish it does nothing.
func (o *output) discard() {
	o.f.Close()
	if o.temp && temps.forget(o.f.Name()) {
		os.Remove(o.f.Name())
	}
}

// writeFile writes b, compressed, to path or, for "-", to stdout.
func writeFile(path string, like fs.FileInfo, stdout io.Writer, c compression, b []byte) error {
	if path == "-" {
		if err := c.compress(stdout, b); err != nil {
			return fileError("<stdout>", err)
		}
		return nil
	}
	o, err := create(path, like)
	if err != nil {
		return err
	}
	defer o.discard()
	if err := c.compress(o.f, b); err != nil {
		return fileError(path, err)
	}
	return o.finish()
}

// temps are the files to remove when a signal ends the program.
var temps = &tempFiles{names: map[string]bool{}}

// tempFiles creates files while it is locked, so that each file that exists when a signal
// comes is in the list.
type tempFiles struct {
	mu    sync.Mutex
	names map[string]bool
}

func (t *tempFiles) create(dir string) (*os.File, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, ".klp-convert.*.tmp")
	if err == nil {
		t.names[f.Name()] = true
	}
	return f, err
}

func (t *tempFiles) link(from, name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := os.Link(from, name)
	if err == nil {
		t.names[name] = true
	}
	return err
}

func (t *tempFiles) forget(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.names[name]
	delete(t.names, name)
	return was
}

func (t *tempFiles) remove() {
	for name := range t.names {
		os.Remove(name)
	}
}

// removeTempsOnSignal removes temporary files on the signals that make and terminals send,
// and ends the program. Signals that the parent ignores (nohup) stay ignored.
func removeTempsOnSignal() {
	c := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	go func() {
		s := <-c
		temps.mu.Lock() // never unlocked: no other file is created
		temps.remove()
		abandonIndexes()
		progress.end()
		os.Exit(128 + int(s.(syscall.Signal)))
	}()
}
