package revoke

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	someBlock = "427d60bf59b29bfc833950b73307019bd096fde95989bd5c0b0ef51158ca6bf726740aebf7574c5b880481847d49ec254c6b1ad2bdcc35a7aedb9833651ee401"
	someKey   = "ed25519/8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"
)

// list reads the example of spec/revocation.md, which has one line less.
func list(t *testing.T) *List {
	t.Helper()
	l, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const example = `# Kept by the security team, written by whittle revoke.
as-of 2026-03-01T12:00:00Z

block ` + someBlock + ` until=2026-03-01T13:00:00Z # runner-7, ticket T-123
key ` + someKey + `
delegator mallory@example.com until=2026-04-01T00:00:00Z
delegator #1@example.com
end
`

func TestParse(t *testing.T) {
	l := list(t)
	if !l.AsOf().Equal(noon) || l.Len() != 4 {
		t.Fatalf("as of %s, %d entries", l.AsOf(), l.Len())
	}
	key, err := token.ParsePublicKey(someKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		s    Subject
		want *Found
	}{
		"nothing":              {Subject{Delegator: "alice@example.com", Now: noon}, nil},
		"a delegator":          {Subject{Delegator: "mallory@example.com", Now: noon}, &Found{Delegator, 0}},
		"a delegator again":    {Subject{Delegator: "mallory@example.com", Now: noon.AddDate(0, 1, 0)}, nil},
		"a name like a remark": {Subject{Delegator: "#1@example.com", Now: noon}, &Found{Delegator, 0}},
		"the second key":       {Subject{Keys: []token.PublicKey{{}, key}, Now: noon}, &Found{Key, 1}},
		"the third block":      {Subject{Blocks: []ID{{}, {}, idOf(t, someBlock)}, Now: noon}, &Found{Block, 2}},
		"its last second":      {Subject{Blocks: []ID{idOf(t, someBlock)}, Now: noon.Add(time.Hour - time.Second)}, &Found{Block, 0}},
		"its end":              {Subject{Blocks: []ID{idOf(t, someBlock)}, Now: noon.Add(time.Hour)}, nil},
	} {
		a, err := l.Lookup(t.Context(), &c.s)
		if err != nil || !a.AsOf.Equal(noon) {
			t.Fatalf("%s: %+v, %v", name, a, err)
		}
		if (a.Found == nil) != (c.want == nil) || a.Found != nil && *a.Found != *c.want {
			t.Errorf("%s: %+v, want %+v", name, a.Found, c.want)
		}
	}
}

func idOf(t *testing.T, hex string) ID {
	t.Helper()
	e, err := parseEntry([]string{"block", hex})
	if err != nil {
		t.Fatal(err)
	}
	return IDOf(e.Signature)
}

// TestLongestEntryCounts: of several entries for one thing, in any order.
func TestLongestEntryCounts(t *testing.T) {
	for _, lines := range [][2]string{
		{"delegator a until=2026-03-01T13:00:00Z", "delegator a"},
		{"delegator a", "delegator a until=2026-03-01T13:00:00Z"},
		{"delegator a until=2026-03-01T13:00:00Z", "delegator a until=2026-03-03T13:00:00Z"},
	} {
		l, err := Parse([]byte("as-of 2026-03-01T12:00:00Z\n" + lines[0] + "\n" + lines[1] + "\nend\n"))
		if err != nil {
			t.Fatal(err)
		}
		if l.Len() != 1 || l.find(&Subject{Delegator: "a", Now: noon.Add(24 * time.Hour)}) == nil {
			t.Errorf("%q: ended too early", lines)
		}
	}
}

// TestParseRefuses: one bad line makes the list bad, and the error says which.
func TestParseRefuses(t *testing.T) {
	const asOf = "as-of 2026-03-01T12:00:00Z\n"
	for source, want := range map[string]int{
		"":                                       1,
		"end\n":                                  1,
		asOf:                                     2,
		asOf + "end":                             2,
		asOf + "end\nend\n":                      3,
		asOf + "end\n\n":                         3,
		asOf + "end # of it\n":                   2,
		asOf + " end\n":                          2,
		asOf + asOf + "end\n":                    2,
		"key " + someKey + "\n" + asOf + "end\n": 1,
		"as-of\nend\n":                           1,
		"as-of 2026-03-01T12:00:00Z x\nend\n":    1,
		"as-of 2026-03-01T13:00:00+01:00\nend\n": 1,
		"as-of 2026-03-01T12:00:00.0Z\nend\n":    1,
		"as-of 2026-03-01T12:00:00z\nend\n":      1,
		"as-of 2026-02-30T12:00:00Z\nend\n":      1,
		"as-of 1969-03-01T12:00:00Z\nend\n":      1,
		"as-of today\nend\n":                     1,
		"\ufeff" + asOf + "end\n":                1,
		asOf + "key\nend\n":                      2,
		asOf + "block\nend\n":                    2,
		asOf + "block # none\nend\n":             2,
		asOf + "delegator\nend\n":                2,
		asOf + "keys " + someKey + "\nend\n":     2,
		asOf + "Key " + someKey + "\nend\n":      2,
		asOf + "key " + strings.ToUpper(someKey) + "\nend\n":                                      2,
		asOf + "key ed25519/" + strings.ToUpper(someKey[8:]) + "\nend\n":                          2,
		asOf + "key " + someKey[8:] + "\nend\n":                                                   2,
		asOf + "key " + someKey[:40] + "\nend\n":                                                  2,
		asOf + "key ed25519-private/" + someKey[8:] + "\nend\n":                                   2,
		asOf + "key " + token.InvocationKey().Public().String() + "\nend\n":                       2,
		asOf + "key " + someKey + " until=2026-03-01\nend\n":                                      2,
		asOf + "key " + someKey + " until = 2026-03-01T12:00:00Z\nend\n":                          2,
		asOf + "key " + someKey + " 2026-03-01T12:00:00Z\nend\n":                                  2,
		asOf + "key " + someKey + " UNTIL=2026-03-01T12:00:00Z\nend\n":                            2,
		asOf + "key " + someKey + " until=2026-03-01T12:00:00Z until=2026-03-01T12:00:00Z\nend\n": 2,
		asOf + "key " + someKey + " no comment\nend\n":                                            2,
		asOf + "block " + strings.ToUpper(someBlock) + "\nend\n":                                  2,
		asOf + "block " + someBlock[1:] + "\nend\n":                                               2,
		asOf + "block 00\nend\n":                                                                  2,
		asOf + "block " + strings.Repeat("00", maxSignature+1) + "\nend\n":                        2,
		asOf + "block 0x" + someBlock + "\nend\n":                                                 2,
		asOf + "delegator alice@Example.com\nend\n":                                               2,
		asOf + "delegator *@example.com\nend\n":                                                   2,
		asOf + "delegator a,b\nend\n":                                                             2,
		asOf + "delegator cafe\u0301\nend\n":                                                      2,
		asOf + "delegator \xff\nend\n":                                                            2,
		asOf + "delegator a\r\nend\n":                                                             2,
		asOf + "# \x1b[2J\nend\n":                                                                 2,
		asOf + "# \x00\nend\n":                                                                    2,
		asOf + "# " + strings.Repeat("x", maxLine) + "\nend\n":                                    2,
		asOf + "delegator a\n\n# fine\nnonsense\nend\n":                                           5,
		asOf + "delegator a\n<<<<<<< HEAD\nend\n":                                                 3,
	} {
		_, err := Parse([]byte(source))
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok || e.Line != want {
			t.Errorf("%.80q: %v, want a fault in line %d", source, err, want)
		}
	}
	if _, err := Parse(make([]byte, MaxBytes+1)); err == nil {
		t.Error("a list beyond the limit is read")
	}
}

// FuzzParse: no input makes the reader panic, and what it takes is written back as
// it was.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("as-of 2026-03-01T12:00:00Z\nend\n"))
	f.Add([]byte("\t#\nas-of 2026-03-01T12:00:00Z # x\n\tkey  " + someKey + "\t#\nend\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parse(data)
		if err != nil {
			return
		}
		if got := string(d.text()); got != string(data) {
			t.Errorf("%q is written back as %q", data, got)
		}
	})
}

// TestEntriesRoundTrip: what is written is read as the same.
func TestEntriesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{Kind: rapid.SampledFrom([]Kind{Block, Key, Delegator}).Draw(t, "kind")}
		switch e.Kind {
		case Block:
			e.Signature = rapid.SliceOfN(rapid.Byte(), minSignature, 80).Draw(t, "signature")
		case Key:
			key, err := token.NewPrivateKey(0, rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
			if err != nil {
				t.Fatal(err)
			}
			e.Key = key.Public()
		case Delegator:
			e.Delegator = rapid.StringMatching(`[#a-z"=\\]{1,9}(@[a-z]{1,9})?`).Draw(t, "name")
		}
		if rapid.Bool().Draw(t, "ends") {
			e.Until = time.Unix(rapid.Int64Range(0, 253402300799).Draw(t, "until"), 0).UTC()
		}
		e.Comment = strings.Trim(rapid.StringMatching(`[ a-z#=]{0,12}`).Draw(t, "comment"), " ")
		text := "as-of 2026-03-01T12:00:00Z\n" + e.text() + "\nend\n"
		d, err := parse([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		got := d.lines[1].entry
		if got == nil || got.Kind != e.Kind || got.Value() != e.Value() || !got.Until.Equal(e.Until) || got.Comment != e.Comment {
			t.Fatalf("%q is read as %+v", text, got)
		}
	})
}

// TestLookupAllocates: a look-up costs the copies of the keys, whatever the length
// of the list.
func TestLookupAllocates(t *testing.T) {
	l := list(t)
	key, err := token.ParsePublicKey(someKey)
	if err != nil {
		t.Fatal(err)
	}
	s := &Subject{Blocks: make([]ID, 8), Keys: []token.PublicKey{key, key, key, key}, Delegator: "alice@example.com", Now: noon.AddDate(1, 0, 0)}
	l.until[subject{Key, idOfKey(key)}] = 0
	if n := testing.AllocsPerRun(100, func() {
		if l.find(s) != nil {
			t.Fatal("found")
		}
	}); n > 12 {
		t.Errorf("%v allocations", n)
	}
}

// TestSpecExample: the list in the specification is the one that is read here.
func TestSpecExample(t *testing.T) {
	text, err := os.ReadFile("../../spec/revocation.md")
	if err != nil {
		t.Fatal(err)
	}
	written := strings.Replace(example, "delegator #1@example.com\n", "", 1)
	if !strings.Contains(string(text), "```\n"+written+"```\n") {
		t.Error("spec/revocation.md has another example")
	}
}
