// SPDX-License-Identifier: GPL-2.0-or-later

// Package index keeps what was read of large files in a directory of the user, so that it
// need not be read again: of a kernel's image, of its modules.
//
// A Store is such a directory, a File one index in it. What is in the blocks of an index is
// for the caller to say; this package says which file an index is of, whether it is whole,
// and whether it may be trusted:
//
//	offset 0   magic "klpindex"
//	       8   format number, 4 bytes
//	      12   number of blocks, 4 bytes
//	      16   offset of the table of blocks, 8 bytes
//	      24   size of the file, 8 bytes
//	      32   number of the program that wrote it, 8 bytes (Store.Program)
//	      40   checksum of the table, 4 bytes
//	      44   checksum of bytes 0 to 43, 4 bytes
//	      48   blocks, each at a multiple of 8
//	           the table: offset, 8 bytes, size, 8 bytes, checksum, 4 bytes, 4 zeros
//
// All numbers are little-endian. Checksums are CRC-32C. Block 0 is the Key of the file that
// the index is of, with its own numbers: a file that was changed or replaced has another key.
//
// What holds:
//
//   - An index is written beside its place and renamed, so it is there as a whole or not at
//     all. It never changes afterwards: whoever has mapped it can go on while another
//     process replaces or removes it.
//   - Opening verifies the header, the table and block 0. Block verifies the block that it
//     returns, so the cost of a question is that of the blocks that it needs.
//   - An index counts only if it is a regular file of this user that no one else may write.
//   - One that is cut short while it is mapped is damaged, no more: Open and Block do not
//     panic. Whoever reads a block has to guard against the fault (debug.SetPanicOnFault).
//   - Whatever is wrong with an index, it is as if it did not exist. Nothing that goes wrong
//     while one is written matters to the caller.
//   - The sizes of all indexes of a Store have a sum of at most Store.Limit. Those whose last
//     use is longest ago are removed first.
//
// Example:
//
//	key, ok := store.KeyOf(path)
//	f, err := store.Open("f", key)
//	if err != nil {
//		w := store.Create("f", key)
//		w.Block(contents)
//		err = w.Commit()
//	}
package index

// Format is the number of the format of indexes, of this package's and of what sympos writes
// into blocks. Whoever changes what is read of a file, or how it is written, raises it.
const Format = 1
