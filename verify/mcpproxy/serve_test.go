package mcpproxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

// joined is a proxy between a client and a server that the test plays.
type joined struct {
	toProxy   *io.PipeWriter // the client writes here
	client    *bufio.Reader  // and reads here
	server    *bufio.Reader
	fromProxy *io.PipeWriter // the server writes here
	ended     chan error
	clientOut *io.PipeReader
	serverOut *io.PipeReader
}

func join(t *testing.T, serve func(Streams) error) *joined {
	clientIn, toProxy := io.Pipe()
	clientOut, proxyToClient := io.Pipe()
	serverIn, proxyToServer := io.Pipe()
	serverOut, fromProxy := io.Pipe()
	j := &joined{toProxy, bufio.NewReader(clientOut), bufio.NewReader(serverIn), fromProxy, make(chan error, 1), clientOut, serverIn}
	go func() {
		j.ended <- serve(Streams{Client: clientIn, ClientOut: proxyToClient, Server: serverOut, ServerIn: proxyToServer})
	}()
	t.Cleanup(func() { toProxy.Close() })
	return j
}

func write(w io.Writer, line string) { _, _ = io.WriteString(w, line) }

func read(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	return line
}

// TestServe: lines go both ways, the end of the client's is the end of the server's
// input, and when the server has ended no goroutine is left.
func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		j := join(t, func(s Streams) error { return w.guard.Serve(t.Context(), s) })
		go write(j.toProxy, w.call("1", `{"name":"pay"}`)+"\n \r\n\n"+w.call("2", `{"name":"delete"}`)+"\n"+`{"jsonrpc":"2.0","id":3,"method":"ping"}`)
		if line := read(t, j.server); line != `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay"}}`+"\n" {
			t.Errorf("the server reads %q", line)
		}
		if line := read(t, j.client); !strings.Contains(line, `"id":2,"error"`) {
			t.Errorf("the client reads %q", line)
		}
		synctest.Wait()
		j.toProxy.Close() // the last line has no end of its own
		if line := read(t, j.server); !strings.Contains(line, "ping") {
			t.Errorf("the server reads %q", line)
		}
		if _, err := j.server.ReadByte(); err != io.EOF {
			t.Errorf("the server's input has not ended: %v", err)
		}
		go write(j.fromProxy, "\n"+`{"jsonrpc":"2.0","id":3,"result":{}}`+"\n")
		if line := read(t, j.client); line != `{"jsonrpc":"2.0","id":3,"result":{}}`+"\n" {
			t.Errorf("the client reads %q", line)
		}
		j.fromProxy.Close()
		if err := <-j.ended; err != nil {
			t.Error(err)
		}
	})
}

// TestServerGone: that the server ends first ends the proxy, and the client's next line
// goes nowhere.
func TestServerGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		j := join(t, func(s Streams) error { return w.guard.Serve(t.Context(), s) })
		j.serverOut.Close()
		j.fromProxy.Close()
		if err := <-j.ended; err != nil {
			t.Error(err)
		}
		write(j.toProxy, w.call("1", `{"name":"delete"}`)+"\n")
		synctest.Wait() // nobody reads what the client writes, and the bubble ends
	})
}

// TestClientGone: a client that no longer reads ends the proxy.
func TestClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		j := join(t, func(s Streams) error { return w.guard.Serve(t.Context(), s) })
		j.clientOut.Close()
		go write(j.fromProxy, `{"jsonrpc":"2.0","method":"notifications/message"}`+"\n")
		if err := <-j.ended; !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
		j.toProxy.Close()
		j.serverOut.Close()
	})
}

// TestLongLine: a line beyond the limit is answered and skipped, and the next one counts.
func TestLongLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &GuardOptions{MaxLine: 3000})
		j := join(t, func(s Streams) error { return w.guard.Serve(t.Context(), s) })
		ping := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"%s"}}` + "\n"
		empty := len(fmt.Sprintf(ping, "")) - 1
		go func() {
			write(j.toProxy, fmt.Sprintf(ping, strings.Repeat("x", 3001-empty)))
			write(j.toProxy, fmt.Sprintf(ping, strings.Repeat("x", 100_000)))
			write(j.toProxy, fmt.Sprintf(ping, strings.Repeat("y", 3000-empty)))
			write(j.toProxy, strings.Repeat("z", 5000))
			j.toProxy.Close()
		}()
		for range 2 {
			if line := read(t, j.client); !strings.Contains(line, `"id":null`) || !strings.Contains(line, "3000 bytes") {
				t.Errorf("the client reads %q", line)
			}
		}
		if line := read(t, j.server); len(line) != 3001 {
			t.Errorf("the server reads %d bytes", len(line))
		}
		if line := read(t, j.client); !strings.Contains(line, "3000 bytes") {
			t.Errorf("the client reads %q", line)
		}
		j.fromProxy.Close()
		if err := <-j.ended; err != nil {
			t.Error(err)
		}
	})
	long := strings.NewReader(strings.Repeat("x", maxServerLine+2))
	w := newWorld(t, nil)
	if err := w.guard.Serve(t.Context(), Streams{Client: strings.NewReader(""), ClientOut: io.Discard, Server: long, ServerIn: nowhere{}}); err == nil {
		t.Error("a line of the server has no limit")
	}
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
