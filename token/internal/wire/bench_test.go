package wire

import "testing"

// parse reads a token and all its blocks.
func parse(tb testing.TB, data []byte) {
	c, err := DecodeContainer(data, nil)
	if err != nil {
		tb.Fatal(err)
	}
	table := &Table{}
	for i := range c.Blocks {
		if _, err := DecodeBlock(c.Blocks[i].Payload, table, c.Blocks[i].External != nil, nil); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	all := reference(b)
	for _, name := range []string{"bench1", "bench2", "v33"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parse(b, all[name])
			}
		})
	}
}

func BenchmarkEncodeBlock(b *testing.B) {
	c, err := DecodeContainer(reference(b)["bench1"], nil)
	if err != nil {
		b.Fatal(err)
	}
	block, err := DecodeBlock(c.Blocks[0].Payload, nil, false, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EncodeBlock(block.Datalog, nil, false); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAllocations keeps reading cheap: the benchmark token of one block, with
// three facts and a check, and the same with a second block of two checks.
func TestAllocations(t *testing.T) {
	all := reference(t)
	for name, most := range map[string]float64{"bench1": 32, "bench2": 64} {
		if n := testing.AllocsPerRun(100, func() { parse(t, all[name]) }); n > most {
			t.Errorf("%s: %.0f allocations, want at most %.0f", name, n, most)
		}
	}
}
