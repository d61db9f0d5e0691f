// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
)

// output is a file in the making. It gets its name when everything is in it:
// whoever looks sees the old file or the whole new one, and after a failure or
// a signal nothing is left behind.
type output struct {
	f    *os.File
	path string // where it goes
	temp bool   // f has another name so far
}

// create starts the file that will be path. A symbolic link is followed, so
// that the file it names is replaced, not the link. What is no regular file (a
// device, a pipe) can't be replaced and is written to. The file gets the
// permissions, and where that is allowed the owner, of like.
func create(path string, like fs.FileInfo) (*output, error) {
	target, err := follow(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	if info, err := os.Stat(target); err == nil {
		switch mode := info.Mode(); {
		case mode.IsDir():
			return nil, fileError(path, syscall.EISDIR)
		case !mode.IsRegular():
			f, err := os.OpenFile(target, os.O_WRONLY, 0)
			if err != nil {
				return nil, fileError(path, err)
			}
			return &output{f: f, path: target}, nil
		}
		if like == nil {
			like = info
		}
	}
	dir, base := filepath.Dir(target), filepath.Base(target)
	f, err := os.CreateTemp(dir, "."+base+".*.tmp")
	if err != nil {
		return nil, fileError(path, fmt.Errorf("can't make a temporary file in %s: %w", dir, reason(err)))
	}
	temps.add(f.Name())
	o := &output{f: f, path: target, temp: true}
	if like != nil {
		if st, ok := like.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
			f.Chown(int(st.Uid), int(st.Gid))
		}
		err = f.Chmod(like.Mode().Perm())
	} else {
		err = f.Chmod(0o666 &^ umask())
	}
	if err != nil {
		o.discard()
		return nil, fileError(path, err)
	}
	return o, nil
}

// follow returns what a path names once symbolic links are followed, whether
// that exists or not.
func follow(path string) (string, error) {
	for range 40 { // as the kernel does (MAXSYMLINKS)
		next, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(path), next)
		}
		path = next
	}
	return "", syscall.ELOOP
}

// alsoName makes the finished output the contents of name too, which was
// another name of the same file (a hard link).
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
	temp := fmt.Sprintf("%s/.%s.%d.tmp", filepath.Dir(target), filepath.Base(target), os.Getpid())
	if err := os.Link(o.path, temp); err != nil {
		return fileError(name, reason(err))
	}
	temps.add(temp)
	if err := os.Rename(temp, target); err != nil {
		os.Remove(temp)
		return fileError(name, reason(err))
	}
	temps.forget(temp)
	return nil
}

func umask() fs.FileMode {
	old := syscall.Umask(0o077)
	syscall.Umask(old)
	return fs.FileMode(old)
}

// finish gives the file its name.
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

// discard leaves things as they were. It may follow finish.
func (o *output) discard() {
	o.f.Close()
	if o.temp && temps.forget(o.f.Name()) {
		os.Remove(o.f.Name())
	}
}

// writeFile writes b, compressed, to path or, for "-", to stdout.
func writeFile(path string, like fs.FileInfo, stdout io.Writer, c compression, b []byte) error {
	if path == "-" {
		return c.compress(stdout, b)
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

type tempFiles struct {
	mu    sync.Mutex
	names map[string]bool
}

func (t *tempFiles) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names[name] = true
}

func (t *tempFiles) forget(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.names[name]
	delete(t.names, name)
	return was
}

func removeTemps() {
	temps.mu.Lock()
	defer temps.mu.Unlock()
	for name := range temps.names {
		os.Remove(name)
	}
}

// removeTempsOnSignal makes the signals that make and terminals send end the
// program cleanly.
func removeTempsOnSignal() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		s := <-c
		removeTemps()
		os.Exit(128 + int(s.(syscall.Signal)))
	}()
}
