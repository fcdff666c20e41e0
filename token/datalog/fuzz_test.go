package datalog

import "testing"

// handSeeds reach what the samples do not.
var handSeeds = []string{
	"",
	"trusting authority, previous, " + keyA + "; a() <- b();",
	"trusting {k}; f({a}, {,}, {}, {1: {2}}, {{}}, [hex:, hex:00, null]);",
	`f("\\\"\n", -9223372036854775808, 584554051223-11-09T07:00:15Z, 1970-01-01T00:00:00.1+00:00)`,
	"check if !$a + !$b * (!$c) & $d | $e ^ $f == !$g && $h || !!!$i",
	"reject if $a.all($x -> $x.any($y -> $x.extern::f($y).extern::g()))",
	"check all a($x), (2020-01-01T00:00:00Z).type().eager_and($x).eager_or({true}).try_or(null)",
	"allow if or(1) or or(1) /* or */ // or\n or trusting(1) trusting previous",
	"1(2); hex:ab(1) <- true(1); check(1); null(null)",
}

func FuzzParse(f *testing.F) {
	seeds := append([]string(nil), handSeeds...)
	for _, text := range readSamples(f) {
		seeds = append(seeds, text.code)
	}
	if len(handSeeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if a, err := ParseAuthorizer(src, nil); err == nil {
			printed := a.String()
			again, err := ParseAuthorizer(printed, nil)
			if err != nil {
				// Escapes can make the printed text larger than the limit on source.
				if len(printed) > MaxSource {
					return
				}
				t.Fatalf("%q prints as %q: %v", src, printed, err)
			}
			if !a.Equal(*again) || again.String() != printed {
				t.Fatalf("%q prints as %q, then as %q", src, printed, again)
			}
			for _, queries := range a.Checks {
				for _, q := range queries.Queries {
					for _, e := range q.Exprs {
						if nodes, depth := Measure(e); nodes > MaxNodes || depth > MaxDepth {
							t.Fatalf("%q: %d nodes, depth %d", src, nodes, depth)
						}
					}
				}
			}
		} else if e, ok := err.(*SyntaxError); !ok || e.Offset > len(src) || e.Line < 1 || e.Column < 1 {
			t.Fatalf("%q: error %#v", src, err)
		}
		// A block is an authorizer without policies.
		b, err := ParseBlock(src, nil)
		if a, aErr := ParseAuthorizer(src, nil); (err == nil) != (aErr == nil && len(a.Policies) == 0) {
			t.Fatalf("%q: as a block %v, as an authorizer %v", src, err, aErr)
		} else if err == nil && !a.Block.Equal(*b) {
			t.Fatalf("%q: as a block %s", src, b)
		}
		if v, err := ParseTerm(src, nil); err == nil {
			printed := string(appendTerm(nil, v))
			if again, err := ParseTerm(printed, nil); err != nil || !Equal(v, again) {
				t.Fatalf("%q prints as %q: %v", src, printed, err)
			}
		}
	})
}
