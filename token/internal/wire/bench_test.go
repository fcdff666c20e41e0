package wire

import (
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

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
	for name, most := range map[string]float64{"bench1": 21, "bench2": 43} {
		if n := testing.AllocsPerRun(100, func() { parse(t, all[name]) }); n > most {
			t.Errorf("%s: %.0f allocations, want at most %.0f", name, n, most)
		}
	}
}

// TestShortTerms: what is read on the short way is what is read on the long one, at the
// same price.
func TestShortTerms(t *testing.T) {
	read := func(data []byte, variable, short bool) (term datalog.Term, left int, ok bool) {
		d := &decoder{buf: data, lim: tokenLimits, textLeft: 20, version: maxVersion}
		d.symbols.own = []string{"file1", "t", "not a name", "a name longer than the text that is left"}
		f := fields{d: d, msg: msgPredicate, num: 2, stop: len(data)}
		if short {
			term, ok = f.shortTerm(place{variable: variable})
		} else {
			var err *Error
			term, err = f.anyTerm(place{variable: variable})
			ok = err == nil
		}
		return term, d.textLeft, ok
	}
	seen := map[string]int{}
	for tag := range 256 {
		for low := range 256 {
			for high := -1; high < 20; high++ {
				data := []byte{byte(tag), byte(low)}
				if high >= 0 {
					data = append(data, byte(high))
				}
				for _, variable := range []bool{false, true} {
					term, left, ok := read(data, variable, true)
					if !ok {
						continue
					}
					want, wantLeft, wantOK := read(data, variable, false)
					if !wantOK || !datalog.Equal(term, want) || left != wantLeft {
						t.Fatalf("%x: %v with %d left, want %v with %d left", data, term, left, want, wantLeft)
					}
					switch term.(type) {
					case datalog.Variable:
						seen["variable"]++
					case datalog.String:
						seen["text"]++
					}
				}
			}
		}
	}
	if seen["variable"] != 28+2 || seen["text"] != 2*(28+3) {
		t.Errorf("%v", seen)
	}
}
