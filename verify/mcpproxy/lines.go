package mcpproxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Bounds on a line unless asked otherwise, in bytes.
const (
	// DefaultMaxLine is for lines of the client.
	DefaultMaxLine = 4 << 20
	// maxServerLine is for lines of the server, which are kept but not taken apart.
	maxServerLine = 64 << 20
)

var errTooLong = errors.New("the line is longer than is read")

// lines reads lines that end with a line feed. The last may end with the stream.
type lines struct {
	r    *bufio.Reader
	most int
}

func newLines(r io.Reader, most int) *lines { return &lines{bufio.NewReader(r), most} }

// next returns a line without its end. A line that is too long is read to its end, and
// none of it returned.
func (l *lines) next() ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := l.r.ReadSlice('\n')
		text := bytes.TrimSuffix(part, []byte("\n"))
		if tooLong = tooLong || len(line)+len(text) > l.most; tooLong {
			line = nil
		} else {
			line = append(line, text...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && (len(line) > 0 || tooLong): // it has no end of its own
		case err != nil:
			return nil, err
		}
		if tooLong {
			return nil, errTooLong
		}
		return line, nil
	}
}

func isBlank(line []byte) bool { return len(bytes.Trim(line, " \t\r")) == 0 }
