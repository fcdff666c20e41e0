package mcpproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// An end stands between a client and a server and says what becomes of a line: what is
// written to the server and what to the client, each a line with its end or nothing.
type end interface {
	fromClient(ctx context.Context, line []byte) (toServer, toClient []byte)
	fromServer(ctx context.Context, line []byte) (toServer, toClient []byte)
	maxLine() int
	tooLong(ctx context.Context) (toClient []byte)
}

// Streams are the two sides of a proxy.
type Streams struct {
	Client    io.Reader
	ClientOut io.Writer
	Server    io.Reader
	// ServerIn is closed when the client's lines end.
	ServerIn io.WriteCloser
}

// serve hands lines on until the server's end, or until nothing can be written to the
// client. A read of the client's next line may then still be waiting: it ends with the
// client's stream, and writes nothing.
func serve(ctx context.Context, e end, s Streams) error {
	client, server := &lockedWriter{w: s.ClientOut}, &lockedWriter{w: s.ServerIn}
	go func() {
		defer server.close(s.ServerIn)
		in := newLines(s.Client, e.maxLine())
		for {
			line, err := in.next()
			var toServer, toClient []byte
			switch {
			case errors.Is(err, errTooLong):
				toClient = e.tooLong(ctx)
			case err != nil:
				return
			case isBlank(line):
				continue
			default:
				toServer, toClient = e.fromClient(ctx, line)
			}
			if server.write(toServer) != nil || client.write(toClient) != nil {
				return
			}
		}
	}()
	defer client.close(nil)
	in := newLines(s.Server, maxServerLine)
	for {
		line, err := in.next()
		switch {
		case errors.Is(err, errTooLong):
			return fmt.Errorf("the server wrote a line of more than %d bytes", maxServerLine)
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("reading from the server: %w", err)
		}
		if isBlank(line) {
			continue
		}
		toServer, toClient := e.fromServer(ctx, line)
		_ = server.write(toServer) // that it is gone shows when it is read from
		if err := client.write(toClient); err != nil {
			return fmt.Errorf("writing to the client: %w", err)
		}
	}
}

// lockedWriter writes whole lines for two goroutines.
type lockedWriter struct {
	mu   sync.Mutex
	w    io.Writer
	done bool
}

func (l *lockedWriter) write(line []byte) error {
	if len(line) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return io.ErrClosedPipe
	}
	_, err := l.w.Write(line)
	return err
}

// close ends writing, and closes c unless it is nil.
func (l *lockedWriter) close(c io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
	if c != nil {
		_ = c.Close()
	}
}
