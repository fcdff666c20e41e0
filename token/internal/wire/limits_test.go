package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// TestTruncation cuts every message short at every byte. A prefix is refused, or
// is a whole message that lacks optional fields at its end.
func TestTruncation(t *testing.T) {
	all := reference(t)
	token, err := DecodeContainer(all["thirdparty"], nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		data   []byte
		whole  int // prefixes that are messages of their own
		decode func([]byte) error
	}{
		{"container", all["thirdparty"], 0, func(b []byte) error { _, err := DecodeContainer(b, nil); return err }},
		{"block 0", token.Blocks[0].Payload, 4, func(b []byte) error { _, err := DecodeBlock(b, nil, false, nil); return err }},
		{"block 2", token.Blocks[2].Payload, 2, func(b []byte) error { _, err := DecodeBlock(b, nil, true, nil); return err }},
		{"request", all["request"], 0, func(b []byte) error { _, err := DecodeThirdPartyRequest(b, nil); return err }},
		{"contents", all["contents"], 0, func(b []byte) error { _, err := DecodeThirdPartyContents(b, nil); return err }},
		{"policies", all["policies"], 6, func(b []byte) error { _, err := DecodePolicies(b, nil); return err }},
		{"snapshot", all["snap_third"], 0, func(b []byte) error { _, err := DecodeSnapshot(b, nil); return err }},
	} {
		whole := 0
		for n := range test.data {
			err := test.decode(test.data[:n:n])
			var e *Error
			if err == nil {
				whole++
			} else if !errors.As(err, &e) || e.Offset < 0 || e.Offset > n || e.Msg == "" {
				t.Errorf("%s cut to %d bytes: %v", test.name, n, err)
			}
		}
		if whole != test.whole {
			t.Errorf("%s: %d prefixes accepted, want %d", test.name, whole, test.whole)
		}
		if err := test.decode(test.data); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestEveryByte changes each byte of a token's messages in turn: nothing panics,
// and the container that is accepted still is what is written again.
func TestEveryByte(t *testing.T) {
	all := reference(t)
	for _, name := range []string{"thirdparty", "v33", "arrays"} {
		data := all[name]
		for i := range data {
			for _, flip := range []byte{1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff} {
				data[i] ^= flip
				if c, err := DecodeContainer(data, nil); err == nil {
					if string(c.Encode()) != string(data) {
						t.Fatalf("%s with byte %d changed is written otherwise", name, i)
					}
					table := &Table{}
					for _, b := range c.Blocks {
						_, _ = DecodeBlock(b.Payload, table, b.External != nil, nil)
					}
				}
				data[i] ^= flip
			}
		}
	}
}

// nest wraps core n times.
func nest(n int, core string, wrap func(string) string) string {
	for range n {
		core = wrap(core)
	}
	return core
}

var nestings = []struct {
	name  string
	block func(depth int) string
}{
	{"arrays", func(n int) string {
		return v6 + fact(msg(2, nest(n, num(2, 7), func(s string) string { return msg(9, msg(1, s)) })))
	}},
	{"maps", func(n int) string {
		return v6 + fact(msg(2, nest(n, num(2, 7), func(s string) string {
			return msg(10, msg(1, msg(1, num(1, 0)), msg(2, s)))
		})))
	}},
	{"closures", func(n int) string {
		ops := []string{tru} // each level is the left side of another try_or
		for range n {
			var inside []string
			for _, op := range ops {
				inside = append(inside, opIn(2, op))
			}
			ops = []string{closure(inside...), tru, bin(29)}
		}
		return v6 + check(ops...)
	}},
	{"parentheses", func(n int) string { return v6 + check(tru+strings.Repeat(un(1), n)) }},
	{"array operands", func(n int) string {
		return v6 + check(val(nest(n, num(2, 7), func(s string) string { return msg(9, msg(1, s)) })))
	}},
}

func TestNesting(t *testing.T) {
	for _, test := range nestings {
		if _, err := DecodeBlock([]byte(test.block(64)), nil, false, nil); err != nil {
			t.Errorf("64 %s: %v", test.name, err)
		}
		for _, depth := range []int{65, 1000, 5000} {
			_, err := DecodeBlock([]byte(test.block(depth)), nil, false, &Limits{Bytes: 4 << 20, Terms: 1 << 20})
			if err == nil || !strings.Contains(err.Error(), "nested deeper than 64") {
				t.Errorf("%d %s: %v", depth, test.name, err)
			}
		}
		if _, err := DecodeBlock([]byte(test.block(5)), nil, false, &Limits{Depth: 4}); err == nil {
			t.Errorf("5 %s within 4", test.name)
		}
	}
	// What a caller allows cannot make the stack overflow: no tree grows higher than
	// an expression may have nodes.
	for name, ops := range map[string]string{
		"operations": tru + strings.Repeat(un(2), 4<<20),
		"operators":  one + strings.Repeat(one+bin(9), 2<<20),
	} {
		_, err := DecodeBlock([]byte(v6+check(ops)), nil, false, &Limits{Bytes: 1 << 30, Terms: 1 << 30, Nodes: 1 << 30})
		if err == nil || !strings.Contains(err.Error(), "more than 8192 nodes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Megabytes that do nothing but open messages.
	for _, opener := range []string{"\x22", "\x2a", "\x32", "\x12", "\x0a", "\x4a", "\xff", "\x80"} {
		data := []byte(v6 + strings.Repeat(opener, 4<<20))
		for _, l := range []*Limits{nil, {Bytes: 8 << 20, Terms: 8 << 20}} {
			if _, err := DecodeBlock(data, nil, false, l); err == nil {
				t.Errorf("%x is a block", opener)
			}
			if _, err := DecodeContainer(data, l); err == nil {
				t.Errorf("%x is a container", opener)
			}
			if _, err := DecodeSnapshot(data, l); err == nil {
				t.Errorf("%x is a snapshot", opener)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	symbols := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(msg(1, "s", strings.Repeat("x", i%7), string(rune('a'+i%26)), string(rune(0x4e00+i))))
		}
		return b.String()
	}
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(msg(8, num(1, 0), msg(2, string([]byte{byte(i), byte(i >> 8)}), strings.Repeat("k", 30))))
		}
		return b.String()
	}
	ints := func(n int) string { return v6 + fact(strings.Repeat(integer, n)) }
	for _, test := range []struct {
		name  string
		block func(n int) string
		most  int
		limit Limits // as the default, halved
	}{
		{"symbols", func(n int) string { return symbols(n) + v6 }, 1024, Limits{Symbols: 512}},
		{"keys", func(n int) string { return v6 + keys(n) }, 256, Limits{Keys: 128}},
		{"terms", func(n int) string { return ints(n - 1) }, 8192, Limits{Terms: 4096}},
		{"ops", func(n int) string { return v6 + check(tru+strings.Repeat(un(2), n-4)) }, 8192, Limits{Terms: 4096}},
		{"facts", func(n int) string { return v6 + strings.Repeat(fact(), n) }, 8192, Limits{Terms: 4096}},
	} {
		wide := Limits{Bytes: 1 << 20}
		if _, err := DecodeBlock([]byte(test.block(test.most)), nil, false, &wide); err != nil {
			t.Errorf("%d %s: %v", test.most, test.name, err)
		}
		if _, err := DecodeBlock([]byte(test.block(test.most+1)), nil, false, &wide); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("%d %s: %v", test.most+1, test.name, err)
		}
		test.limit.Bytes = 1 << 20
		if _, err := DecodeBlock([]byte(test.block(test.most/2)), nil, false, &test.limit); err != nil {
			t.Errorf("%d %s: %v", test.most/2, test.name, err)
		}
		if _, err := DecodeBlock([]byte(test.block(test.most/2+1)), nil, false, &test.limit); err == nil {
			t.Errorf("%d %s within a limit of half", test.most/2+1, test.name)
		}
	}

	table := &Table{}
	if _, err := DecodeBlock([]byte(symbols(1000)+v6), table, false, nil); err != nil {
		t.Fatal(err)
	}
	more := []byte(msg(1, "a") + msg(1, "b") + v6)
	if _, err := DecodeBlock(more, table, false, &Limits{Symbols: 1001}); err == nil {
		t.Error("the limit on symbols ignores earlier blocks")
	}
	if _, err := DecodeBlock(more, table, true, &Limits{Symbols: 1001}); err != nil {
		t.Errorf("third-party block: %v", err)
	}
	if _, err := DecodeBlock([]byte(v6+check(strings.Repeat(tru, 6)+strings.Repeat(bin(13), 5))), nil, false, &Limits{Nodes: 10}); err == nil {
		t.Error("11 nodes within a limit of 10")
	}
	if _, err := DecodeContainer([]byte(msg(2, goodSigned)+msg(3, goodSigned)+msg(4)), &Limits{Blocks: 1}); err == nil {
		t.Error("2 blocks within a limit of 1")
	}
	if _, err := DecodeBlock([]byte(v6), nil, false, &Limits{Bytes: 1}); err == nil {
		t.Error("2 bytes within a limit of 1")
	}
	if _, err := DecodeBlock([]byte(v6), nil, false, &Limits{Bytes: -1}); err != nil {
		t.Errorf("a negative limit is not the default: %v", err)
	}
}

// TestText: symbols count for their text each time that they are referred to.
func TestText(t *testing.T) {
	long := strings.Repeat("a", 10_000)
	block := func(n int) *datalog.Block {
		terms := make([]datalog.Term, n)
		for i := range terms {
			terms[i] = datalog.String(long)
		}
		return &datalog.Block{Facts: []datalog.Predicate{{Name: "fact", Terms: terms}}}
	}
	for n, limits := range map[int]*Limits{26: nil, 27: nil, 2: {Text: 20_004}, 3: {Text: 30_003}} {
		payload, err := EncodeBlock(block(n), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = DecodeBlock(payload, nil, false, limits)
		if want := n == 26 || n == 2; (err == nil) != want {
			t.Errorf("%d times 10,000 bytes: %v", n, err)
		}
	}
}
