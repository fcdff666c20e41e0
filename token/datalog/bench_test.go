package datalog_test

import (
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A service's policy, as in the benchmarks beside other implementations.
const policyText = `time(2026-06-01T00:00:00Z); resource("file1"); operation("read"); allow if resource($r), operation($o), right($r, $o);`

func BenchmarkParseAuthorizer(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := datalog.ParseAuthorizer(policyText, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// TestParseAllocates: what a policy takes to read is its tree, in a few pieces.
func TestParseAllocates(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		if _, err := datalog.ParseAuthorizer(policyText, nil); err != nil {
			t.Fatal(err)
		}
	}); n > 13 {
		t.Errorf("%v allocations", n)
	}
}
