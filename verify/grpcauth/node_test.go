package grpcauth_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
)

// TestClientOfAnotherLanguage: a client that was written from the specification is let
// through, once.
func TestClientOfAnotherLanguage(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	w := newWorld(t)
	address := w.loopback(nil)().Target()
	var text string
	for _, want := range []string{"0", "16 replay"} {
		cmd := exec.CommandContext(t.Context(), node, "testdata/client.mjs", "https://"+address, unaryCall)
		var problems strings.Builder
		cmd.Stderr = &problems
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		lines.Scan()
		digest, err := hex.DecodeString(lines.Text())
		if err != nil {
			t.Fatalf("%v: %s", err, problems.String())
		}
		if text == "" {
			req := unary(nil)
			req.BodyDigest = digest
			text = w.invoke(req)
		}
		fmt.Fprintln(in, text)
		lines.Scan()
		if got := lines.Text(); got != want {
			t.Errorf("status %q, want %q: %s", got, want, problems.String())
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, problems.String())
		}
	}
	if w.count() != 1 {
		t.Fatalf("served %d times", w.count())
	}
	got := proto.Clone(w.served[0].message).(*pb.SimpleRequest)
	if got.ResponseSize != 7 || !got.FillUsername || string(got.ProtoReflect().GetUnknown()) != "\xf8\x7f\x01" {
		t.Errorf("the service got %v", got)
	}
}
