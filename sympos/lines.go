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
// UTF-16, with CRLF, with the prompt that asked for them and the time stamps of a log. The
// kernel itself writes none of these, so nothing of a list is lost by taking them off.
//
// A list that was cut is another matter: what it does not have, a kernel may have. All that
// tells is the last line, which the kernel and its build end with a newline.

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

// lines returns a reader of the text, none of whose lines is longer than most.
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

// next returns the next line, without its end and blanks around it; nil after the
// last. The line is good until the next call.
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

// cutNote says that a list ends within a line.
func cutNote(number int, line []byte) string {
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

// strayNotes says which lines were skipped; of many the first.
func strayNotes(list []skipped) (notes []string) {
	const most = 5
	for i, s := range list {
		if i == most {
			return append(notes, fmt.Sprintf("and %d more lines that are no entries are skipped", len(list)-most))
		}
		notes = append(notes, fmt.Sprintf("line %d is skipped, it is no entry: %s", s.number, s.text))
	}
	return notes
}

const utf8Mark = "\xef\xbb\xbf"

// isUTF16 looks at the byte order mark.
func isUTF16(head []byte) bool {
	return len(head) >= 2 && (head[0] == 0xff && head[1] == 0xfe || head[0] == 0xfe && head[1] == 0xff)
}

// textHead is the beginning of a text as lines shows it.
func textHead(head []byte) []byte {
	if isUTF16(head) {
		b, _ := io.ReadAll(&utf16Reader{r: bufio.NewReader(bytes.NewReader(head))})
		return b
	}
	return bytes.TrimPrefix(head, []byte(utf8Mark))
}

// A utf16Reader makes UTF-8 of UTF-16 that begins with a byte order mark.
type utf16Reader struct {
	r      *bufio.Reader
	big    bool
	begun  bool
	buffer []byte
}

func (u *utf16Reader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.r, b[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF // half a character: the line it is in has no end
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

// mostStray is how many lines may come before the first entry of a list.
const mostStray = 64

// beginsWith reports whether the first line of a text that is any of a list is an entry, and
// few others come before it.
func beginsWith(head []byte, entry func(line []byte) bool) bool {
	head = textHead(head)
	for range mostStray {
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

// unstamped takes off what logs and terminals put before a line: time stamps, names of hosts
// and programs, which end with one of a few characters. parse reports whether the
// rest is an entry.
func unstamped(line []byte, parse func([]byte) bool) ([]byte, bool) {
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
