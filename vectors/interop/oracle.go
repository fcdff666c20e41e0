package interop

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// protocol is the version of requests and answers that this package speaks.
const protocol = 1

// maxAnswer bounds one answer of the oracle, in bytes.
const maxAnswer = 64 << 20

// An Oracle is a running biscuit-oracle. Its methods may be called from
// several goroutines; the process answers one request after the other.
type Oracle struct {
	mu  sync.Mutex
	in  io.WriteCloser
	out *bufio.Reader
}

// Start launches the oracle and stops it when the test ends. The binary is
// $WHITTLE_ORACLE, or what vectors/interop/build has built. Without either the
// test is skipped; a binary that does not work, or is older than the protocol
// spoken here, fails it.
func Start(t testing.TB) *Oracle {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Skipf("%v; run vectors/interop/build, or name a biscuit-oracle in WHITTLE_ORACLE", err)
	}
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting the oracle: %v", err)
	}
	o := &Oracle{in: in, out: bufio.NewReaderSize(out, 1<<20)}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the oracle ended badly: %v", err)
		}
	})

	var version struct {
		Protocol       int    `json:"protocol"`
		Implementation string `json:"implementation"`
	}
	if err := o.call("version", struct{}{}, &version); err != nil {
		t.Fatal(err)
	}
	if version.Protocol != protocol {
		t.Fatalf("the oracle at %s speaks protocol %d, want %d: run vectors/interop/build again", path, version.Protocol, protocol)
	}
	return o
}

// binary returns the path of the oracle.
func binary() (string, error) {
	if path := os.Getenv("WHITTLE_ORACLE"); path != "" {
		return path, nil
	}
	root, err := repository()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "vectors", "interop", "rust", "target", "release", "biscuit-oracle")
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("the Rust oracle is not built")
	}
	return path, nil
}

// repository returns the nearest folder above the working directory that holds
// a go.mod: for a test, the root of this module.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}

// A RequestError is the oracle's refusal: the message that the reference gives.
type RequestError struct {
	Op      string
	Message string
}

func (e *RequestError) Error() string { return "oracle: " + e.Op + ": " + e.Message }

// call sends one request and decodes the answer into reply. It returns a
// [RequestError] when the oracle says no, and another error when the oracle
// cannot be talked to.
func (o *Oracle) call(op string, request, reply any) error {
	line, err := encode(op, request)
	if err != nil {
		return fmt.Errorf("oracle: %s: %w", op, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.in.Write(line); err != nil {
		return fmt.Errorf("oracle: %s: %w", op, err)
	}
	answer, err := o.answer()
	if err != nil {
		return fmt.Errorf("oracle: %s: %w", op, err)
	}
	var refusal struct {
		Error *string `json:"error"`
	}
	if err := json.Unmarshal(answer, &refusal); err != nil {
		return fmt.Errorf("oracle: %s: %w", op, err)
	}
	if refusal.Error != nil {
		return &RequestError{Op: op, Message: *refusal.Error}
	}
	if err := json.Unmarshal(answer, reply); err != nil {
		return fmt.Errorf("oracle: %s: %w", op, err)
	}
	return nil
}

// answer reads lines up to the next JSON object. The reference prints a line of
// its own when a rule of a snapshot has an unbound variable.
func (o *Oracle) answer() ([]byte, error) {
	for {
		var line []byte
		for {
			part, err := o.out.ReadSlice('\n')
			line = append(line, part...)
			if err == nil {
				break
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				return nil, err
			}
			if len(line) > maxAnswer {
				return nil, errors.New("the answer is too long")
			}
		}
		if line[0] == '{' {
			return line, nil
		}
	}
}

// encode writes request, a struct, as one line with the member op before the
// others.
func encode(op string, request any) ([]byte, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	line := []byte(`{"op":"` + op + `"`)
	if string(body) != "{}" {
		line = append(line, ',')
	}
	return append(append(line, body[1:]...), '\n'), nil
}
