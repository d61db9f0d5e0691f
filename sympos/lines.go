// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Lists of symbols come over consoles, mail and other systems: with a byte order mark, in
// UTF-16, with CRLF, with a prompt and the time stamps of a log. The kernel itself writes
// none of these, so removing them loses nothing of a list.
//
// A truncated list is different: the kernel may have symbols that are missing in it. Only
// its last line shows it, which the kernel and its build end with a newline.

// A lineReader reads a text line by line.
type lineReader struct {
	in     *input
	r      *bufio.Reader
	most   int
	number int   // of the line that next returned, from 1
	offset int64 // of it, in bytes of the text
	length int64
	ended  bool // the line had a newline
	notes  []string
}

// lines returns a reader of the text, whose lines have at most that many bytes.
func (in *input) lines(most int) *lineReader {
	l := &lineReader{in: in, r: bufio.NewReaderSize(in.section(0), most), most: most}
	mark, _ := l.r.Peek(3)
	switch {
	case bytes.HasPrefix(mark, []byte(utf8Mark)):
		_, _ = l.r.Discard(len(utf8Mark))
		l.length = int64(len(utf8Mark))
		l.notes = append(l.notes, "begins with a byte order mark")
	case isUTF16(mark):
		l.r = bufio.NewReaderSize(&utf16Reader{r: l.r}, most)
		l.notes = append(l.notes, "is UTF-16")
	}
	return l
}

// next returns the next line, without its end and the blanks before that; nil after the
// last. The line is valid until the next call.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	l.offset += l.length
	l.number++
	l.length = int64(len(line))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, l.in.errorf("", l.offset, "a line of more than %d bytes", l.most)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case len(line) == 0:
		return nil, nil
	}
	n := len(line)
	l.ended = line[n-1] == '\n'
	if l.ended {
		n--
	}
	for n > 0 && (line[n-1] == '\r' || line[n-1] == ' ') {
		n--
	}
	return line[:n:n], nil
}

// errorf is an error about the line that next returned.
func (l *lineReader) errorf(format string, args ...any) error {
	return l.in.errorf("", l.offset, "line %d: %w", l.number, fmt.Errorf(format, args...))
}

// truncationNote returns the sentence that a list ends within a line.
func truncationNote(number int, line []byte) string {
	return fmt.Sprintf("it ends in the middle of line %d (%.40q): it was cut", number, line)
}

// A skipped is a line that is not an entry.
type skipped struct {
	number int
	offset int64
	text   string
}

func (l *lineReader) skipped(line []byte) skipped {
	return skipped{l.number, l.offset, fmt.Sprintf("%.60q", line)}
}

// skippedNotes returns a sentence for each line that was skipped, at most for the first
// five.
func skippedNotes(list []skipped) (notes []string) {
	const most = 5
	for i, s := range list {
		if i == most {
			return append(notes, fmt.Sprintf("%d more lines are skipped: not entries",
				len(list)-most))
		}
		notes = append(notes, fmt.Sprintf("line %d is skipped: not an entry: %s", s.number, s.text))
	}
	return notes
}

const utf8Mark = "\xef\xbb\xbf"

// isUTF16 reports whether the text begins with a byte order mark of UTF-16.
func isUTF16(head []byte) bool {
	return len(head) >= 2 &&
		(head[0] == 0xff && head[1] == 0xfe || head[0] == 0xfe && head[1] == 0xff)
}

// textHead returns the beginning of a text as lines reads it.
func textHead(head []byte) []byte {
	if isUTF16(head) {
		b, _ := io.ReadAll(&utf16Reader{r: bufio.NewReader(bytes.NewReader(head))})
		return b
	}
	return bytes.TrimPrefix(head, []byte(utf8Mark))
}

// A utf16Reader converts UTF-16 that begins with a byte order mark to UTF-8.
type utf16Reader struct {
	r      *bufio.Reader
	big    bool
	begun  bool
	buffer []byte
}

// unit returns the next 16 bits.
func (u *utf16Reader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.r, b[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF // half a character: its line has no end
		}
		return 0, err
	}
	if u.big {
		b[0], b[1] = b[1], b[0]
	}
	return rune(b[0]) | rune(b[1])<<8, nil
}

func (u *utf16Reader) Read(b []byte) (int, error) {
	if !u.begun {
		mark, err := u.unit()
		if err != nil {
			return 0, err
		}
		u.big, u.begun = mark == 0xfffe, true
	}
	for len(u.buffer) < len(b) && len(u.buffer) < 4096 {
		c, err := u.unit()
		if err == nil && utf16.IsSurrogate(c) {
			var low rune
			if low, err = u.unit(); err == nil {
				c = utf16.DecodeRune(c, low)
			}
		}
		if err != nil {
			if len(u.buffer) == 0 {
				return 0, err
			}
			break
		}
		u.buffer = utf8.AppendRune(u.buffer, c)
	}
	n := copy(b, u.buffer)
	u.buffer = append(u.buffer[:0], u.buffer[n:]...)
	return n, nil
}

// maxStray is how many lines may come before the first entry of a list.
const maxStray = 64

// startsWithEntry reports whether one of the first lines of the text is an entry.
func startsWithEntry(head []byte, entry func(line []byte) bool) bool {
	head = textHead(head)
	for range maxStray {
		line, rest, more := bytes.Cut(head, []byte("\n"))
		if line = bytes.TrimRight(line, " \r"); entry(line) {
			return true
		}
		if !more || bytes.IndexByte(line, 0) >= 0 {
			return false
		}
		head = rest
	}
	return false
}

// trimStamp removes what logs and terminals put before a line: time stamps, names of hosts
// and programs, which end with one of a few characters. parse reports whether the rest is
// an entry.
func trimStamp(line []byte, parse func([]byte) bool) ([]byte, bool) {
	for i := range min(len(line), 200) {
		if i > 0 && line[i-1] != ' ' && line[i-1] != '\t' && line[i-1] != ':' {
			continue
		}
		before := bytes.TrimRight(line[:i], " \t")
		if len(before) > 0 && !strings.ContainsRune("]:>|", rune(before[len(before)-1])) {
			continue
		}
		if i > 0 && parse(line[i:]) {
			return line[i:], true
		}
	}
	return nil, false
}
