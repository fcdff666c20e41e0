package mcpproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// An end stands between a client and a server and says what becomes of a line: what is
// written to the server and what to the client, each a line with its end or nothing.
type end interface {
	fromClient(ctx context.Context, line []byte) (toServer, toClient []byte)
	fromServer(ctx context.Context, line []byte) (toServer, toClient []byte)
	refuse(ctx context.Context, m *message, err error) (toClient []byte)
	maxLine() int
}

// Streams are the two sides of a proxy.
type Streams struct {
	// Client is read as long as it has something, whether or not the server reads.
	Client    io.Reader
	ClientOut io.Writer
	Server    io.Reader
	// ServerIn is closed when the client's lines end and were written, or when Serve
	// returns, also during a write, which that must end as it does with a pipe.
	ServerIn io.WriteCloser
}

// serve hands lines on until the server's end, until nothing can be written to the client,
// or until the context ends. A read of the client's next line then goes on waiting, and ends
// with the client's stream; likewise, where it was not the server that ended, what is done
// for the server's next line.
func serve(ctx context.Context, e end, s Streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, server := &clientOut{w: s.ClientOut, turn: make(chan struct{}, 1)}, newOutbox(s.ServerIn)
	defer server.close()
	ended := make(chan error, 2)
	go server.run()
	go func() {
		if err := readClient(ctx, e, newLines(s.Client, e.maxLine()), server, client); err != nil {
			ended <- err
		}
		server.end()
	}()
	go func() { ended <- readServer(ctx, e, newLines(s.Server, maxServerLine), server, client) }()
	select {
	case err := <-ended:
		client.close(ctx)
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func readClient(ctx context.Context, e end, in *lines, server *outbox, client *clientOut) error {
	for {
		line, err := in.next()
		var toServer, toClient []byte
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errTooLong):
			toClient = e.refuse(ctx, &message{}, protocolErrorf(invalidRequest, "a line has at most %d bytes", e.maxLine()))
		case err != nil:
			return nil
		case isBlank(line):
			continue
		case server.full(): // before an invocation is used up
			m, err := parseMessage(line)
			if err == nil {
				err = protocolErrorf(internalError, "the server does not take what it was sent")
			}
			toClient = e.refuse(ctx, m, err)
		default:
			toServer, toClient = e.fromClient(ctx, line)
		}
		server.put(toServer)
		if err := client.write(ctx, toClient); err != nil {
			return fmt.Errorf("writing to the client: %w", err)
		}
	}
}

func readServer(ctx context.Context, e end, in *lines, server *outbox, client *clientOut) error {
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
		if !server.full() { // it gets no refusal while it does not read
			server.put(toServer)
		}
		if err := client.write(ctx, toClient); err != nil {
			return fmt.Errorf("writing to the client: %w", err)
		}
	}
}

// clientOut writes whole lines for two goroutines. Who has the turn writes.
type clientOut struct {
	w      io.Writer
	turn   chan struct{}
	closed bool
}

func (c *clientOut) write(ctx context.Context, line []byte) error {
	if len(line) == 0 {
		return nil
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	if c.closed {
		return io.ErrClosedPipe
	}
	_, err := c.w.Write(line)
	return err
}

// close ends writing: a line that is being written is waited for, unless the context ends.
func (c *clientOut) close(ctx context.Context) {
	select {
	case c.turn <- struct{}{}:
		c.closed = true
		<-c.turn
	case <-ctx.Done():
	}
}
