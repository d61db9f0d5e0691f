// SPDX-License-Identifier: GPL-2.0-or-later

// Package bbolt measures what docs/cache.md says of go.etcd.io/bbolt. It is a module of its own,
// so that the program does not depend on that. Run it here:
//
//	go test -bench . -benchtime 3x
package bbolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
)

const symbols = 200_000 // of a kernel

func name(i int) string { return fmt.Sprintf("some_function_of_subsystem_%d", i*7919%symbols) }

// flat is a file as package index has it: names one after the other.
func flat(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "flat")
	var data []byte
	for i := range symbols {
		data = append(data, byte(len(name(i))))
		data = append(data, name(i)...)
		data = binary.LittleEndian.AppendUint64(data, uint64(i))
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func store(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bolt")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	names := make([]string, symbols)
	for i := range names {
		names[i] = name(i)
	}
	sort.Strings(names) // in one transaction, any other order is far slower
	err = db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("symbols"))
		for i := 0; i < symbols && err == nil; i++ {
			err = bucket.Put([]byte(names[i]), binary.LittleEndian.AppendUint64(nil, uint64(i)))
		}
		return err
	})
	if err != nil || db.Close() != nil {
		b.Fatal(err)
	}
	return path
}

func size(b *testing.B, path string) {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
}

// timed runs a benchmark and reports its processor time, since the machine may be busy.
func timed(b *testing.B, run func()) {
	b.Helper()
	used := func() int64 {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			b.Fatal(err)
		}
		return r.Utime.Nano() + r.Stime.Nano()
	}
	b.ResetTimer()
	before := used()
	for range b.N {
		run()
	}
	b.ReportMetric(float64(used()-before)/float64(b.N)/1e6, "cpu-ms/op")
}

func BenchmarkWriteFlat(b *testing.B) { timed(b, func() { size(b, flat(b)) }) }
func BenchmarkWriteBolt(b *testing.B) { timed(b, func() { size(b, store(b)) }) }

// Every name is read, since what is wanted is a predicate.
func BenchmarkAllFlat(b *testing.B) {
	path, want := flat(b), []byte(name(symbols/2))
	table := crc32.MakeTable(crc32.Castagnoli)
	timed(b, func() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		info, _ := f.Stat()
		m, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ,
			syscall.MAP_SHARED)
		if err != nil {
			b.Fatal(err)
		}
		crc32.Checksum(m, table)
		found := 0
		for d := m; len(d) > 0; d = d[1+int(d[0])+8:] {
			if bytes.Equal(d[1:1+int(d[0])], want) {
				found++
			}
		}
		if found != 1 {
			b.Fatal(found)
		}
		_ = syscall.Munmap(m)
		f.Close()
	})
}

func BenchmarkAllBolt(b *testing.B) { bolt(b, true) }

// One name is looked up, as if what is wanted could be asked.
func BenchmarkOneBolt(b *testing.B) { bolt(b, false) }

func bolt(b *testing.B, all bool) {
	path, want := store(b), []byte(name(symbols/2))
	timed(b, func() {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
		if err != nil {
			b.Fatal(err)
		}
		found := 0
		_ = db.View(func(tx *bbolt.Tx) error {
			bucket := tx.Bucket([]byte("symbols"))
			if !all {
				if bucket.Get(want) != nil {
					found++
				}
				return nil
			}
			return bucket.ForEach(func(k, _ []byte) error {
				if bytes.Equal(k, want) {
					found++
				}
				return nil
			})
		})
		if found != 1 {
			b.Fatal(found)
		}
		db.Close()
	})
}
