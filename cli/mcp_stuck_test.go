//go:build unix

package cli

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/mcpproxy"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

type noInvoker struct{}

func (noInvoker) Invoke(context.Context, delegation.Request) (string, error) {
	return "", io.ErrUnexpectedEOF
}

// TestStuckMCP: a proxy ends after its client though the server reads nothing, and when it is
// told to though the client reads nothing.
func TestStuckMCP(t *testing.T) {
	m, err := toolcall.NewMapping("files", nil)
	if err != nil {
		t.Fatal(err)
	}
	end, err := mcpproxy.NewHold(noInvoker{}, m, &mcpproxy.HoldOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	// More than a pipe takes.
	said := strings.Repeat(`{"jsonrpc":"2.0","method":"notifications/message"}`+"\n", 1<<15)
	env := &Env{Stdin: strings.NewReader(said), Stdout: io.Discard, Stderr: &bytes.Buffer{}}
	if err := serveMCP(t.Context(), env, end, []string{"sleep", "3600"}, time.Millisecond, time.Millisecond); err != nil {
		t.Error(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	fromProxy, stdout := io.Pipe()
	stdin, toProxy := io.Pipe()
	defer stdin.Close()
	defer fromProxy.Close()
	env = &Env{Stdin: stdin, Stdout: stdout, Stderr: &bytes.Buffer{}}
	ended := make(chan error, 1)
	go func() {
		ended <- serveMCP(ctx, env, end, []string{"sh", "-c", "while :; do echo '{}'; done"}, time.Hour, time.Millisecond)
	}()
	if _, err := fromProxy.Read(make([]byte, 1)); err != nil { // and nothing more
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	toProxy.Close()
}
