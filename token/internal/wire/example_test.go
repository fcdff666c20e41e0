package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// TestExample reads the worked example of spec/wire.md and writes it again.
func TestExample(t *testing.T) {
	text, err := os.ReadFile("../../../spec/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("```\n"))
	text, _, _ = bytes.Cut(text, []byte("```\n"))
	var payload []byte
	for line := range strings.Lines(string(text)) {
		for word := range strings.FieldsSeq(line) {
			b, err := hex.DecodeString(word)
			if err != nil || len(b) != 1 {
				break
			}
			payload = append(payload, b[0])
		}
	}
	want := datalog.Block{
		Facts: []datalog.Predicate{{Name: "right", Terms: []datalog.Term{datalog.String("file1"), datalog.String("read")}}},
		Checks: []datalog.Check{{Queries: []datalog.Query{{
			Body: []datalog.Predicate{{Name: "time", Terms: []datalog.Term{datalog.Variable("t")}}},
			Exprs: []datalog.Expr{datalog.Binary{
				Op:    datalog.OpLessThan,
				Left:  datalog.Value{Term: datalog.Variable("t")},
				Right: datalog.Value{Term: datalog.Date(1893456000)},
			}},
		}}}},
	}
	b, err := DecodeBlock(payload, nil, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !want.Equal(*b.Datalog) || b.Version != 3 {
		t.Errorf("the example says %+v in version %d", b.Datalog, b.Version)
	}
	written, err := EncodeBlock(&want, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, payload) {
		t.Errorf("written as\n%x, the example is\n%x", written, payload)
	}
}
