package mcpproxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/whittle-auth/whittle/verify/httpauth"
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

// bothEnds runs a test for either end of a proxy.
func bothEnds(t *testing.T, test func(*testing.T, func(context.Context, Streams) error)) {
	t.Run("guard", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, nil).guard.Serve) })
	})
	t.Run("holder", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil)
			test(t, hold(t, httpauth.Hold(w.held, w.agent), w.mapping, HoldOptions{}).Serve)
		})
	})
}

func ping(id int, text string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ping","params":{"x":"%s"}}`, id, text) + "\n"
}

// TestServerNeverReads: a client is read to its end though the server takes nothing, what it
// says is kept up to a bound, and the proxy can be ended.
func TestServerNeverReads(t *testing.T) {
	bothEnds(t, func(t *testing.T, serve func(context.Context, Streams) error) {
		ctx, cancel := context.WithCancel(t.Context())
		j := join(t, func(s Streams) error { return serve(ctx, s) })
		const each = DefaultMaxLine - 100
		text := strings.Repeat("x", each)
		for i := range 1 + (maxWaiting+each-1)/each { // one is being written
			write(j.toProxy, ping(i, text))
			synctest.Wait()
		}
		write(j.toProxy, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n"+`{"jsonrpc":"2.0","id":9,"result":{}}`+"\n")
		go write(j.toProxy, ping(77, ""))
		if line := read(t, j.client); !strings.HasPrefix(line, `{"jsonrpc":"2.0","id":77,"error":{"code":-32603,`) {
			t.Errorf("the client reads %q", line)
		}
		j.toProxy.Close()
		synctest.Wait()
		cancel()
		if err := <-j.ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := io.Copy(io.Discard, j.server); err != nil {
			t.Errorf("the server's input has not ended: %v", err)
		}
		j.fromProxy.Close()
	})
}

// TestServerReadsLate: what was kept arrives, in order, and there is room again.
func TestServerReadsLate(t *testing.T) {
	bothEnds(t, func(t *testing.T, serve func(context.Context, Streams) error) {
		j := join(t, func(s Streams) error { return serve(t.Context(), s) })
		for i := range 100 {
			write(j.toProxy, ping(i, ""))
		}
		j.toProxy.Close()
		for i := range 100 {
			if line := read(t, j.server); line != ping(i, "") {
				t.Fatalf("the server reads %q", line)
			}
		}
		if _, err := j.server.ReadByte(); err != io.EOF {
			t.Errorf("the server's input has not ended: %v", err)
		}
		j.fromProxy.Close()
		if err := <-j.ended; err != nil {
			t.Error(err)
		}
	})
}

// TestServerAsksFirst: a server that reads nothing until what it writes is read is not waited
// for by who is to read that, also where its own requests are refused.
func TestServerAsksFirst(t *testing.T) {
	bothEnds(t, func(t *testing.T, serve func(context.Context, Streams) error) {
		j := join(t, func(s Streams) error { return serve(t.Context(), s) })
		go func() {
			defer j.fromProxy.Close()
			for {
				line, err := j.server.ReadString('\n')
				if err != nil {
					return
				}
				if m, err := parseMessage([]byte(strings.TrimSpace(line))); err == nil && m.method != "" {
					write(j.fromProxy, `{"jsonrpc":"2.0","id":9,"method":"roots/list"}`+"\n")
					write(j.fromProxy, `{"jsonrpc":"2.0","id":`+m.id+`,"result":{}}`+"\n")
				}
			}
		}()
		go func() {
			for i := range 20 {
				write(j.toProxy, ping(i, ""))
			}
			j.toProxy.Close()
		}()
		answers := 0
		for {
			line, err := j.client.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(line, `"result":{}`) {
				answers++
			}
			if answers == 20 {
				break
			}
		}
		if err := <-j.ended; err != nil {
			t.Error(err)
		}
	})
}

// TestClientNeverReads: a proxy whose client reads nothing can be ended.
func TestClientNeverReads(t *testing.T) {
	bothEnds(t, func(t *testing.T, serve func(context.Context, Streams) error) {
		ctx, cancel := context.WithCancel(t.Context())
		j := join(t, func(s Streams) error { return serve(ctx, s) })
		go write(j.fromProxy, `{"jsonrpc":"2.0","method":"notifications/message"}`+"\n")
		go write(j.toProxy, "[]\n")
		synctest.Wait()
		cancel()
		if err := <-j.ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		j.clientOut.Close()
		j.toProxy.Close()
		j.fromProxy.Close()
	})
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
