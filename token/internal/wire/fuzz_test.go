package wire

import (
	"bytes"
	"errors"
	"testing"
)

// seeds adds the named reference messages, and fails when they are not there.
func seeds(f *testing.F, names ...string) map[string][]byte {
	all := reference(f)
	for _, name := range names {
		if len(all[name]) == 0 {
			f.Fatalf("no seed %s", name)
		}
	}
	return all
}

// sound checks what holds for every error.
func sound(t *testing.T, data []byte, err error) {
	var e *Error
	if !errors.As(err, &e) || e.Msg == "" || e.Offset < 0 || e.Offset > len(data) {
		t.Fatalf("error %#v", err)
	}
}

func FuzzDecodeContainer(f *testing.F) {
	names := []string{"bench1", "bench2", "sealed", "arrays", "v33", "thirdparty"}
	all := seeds(f, names...)
	for _, name := range names {
		f.Add(all[name])
	}
	f.Add([]byte(goodToken))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeContainer(data, nil)
		if err != nil {
			sound(t, data, err)
			return
		}
		if !bytes.Equal(c.Encode(), data) {
			t.Fatal("one container in two spellings")
		}
	})
}

func FuzzDecodeBlock(f *testing.F) {
	all := seeds(f, "arrays", "v33", "thirdparty")
	for _, name := range []string{"arrays", "v33", "thirdparty"} {
		c, err := DecodeContainer(all[name], nil)
		if err != nil {
			f.Fatal(err)
		}
		for _, b := range c.Blocks {
			f.Add(b.Payload, b.External != nil)
		}
	}
	for _, n := range nestings {
		f.Add([]byte(n.block(3)), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, external bool) {
		table := &Table{Symbols: []string{"file1", "t"}}
		b, err := DecodeBlock(data, table.Clone(), external, nil)
		if err != nil {
			sound(t, data, err)
			return
		}
		// What was read can be written, and means the same when read again.
		payload, err := EncodeBlock(b.Datalog, table.Clone(), external)
		if err != nil {
			t.Fatalf("cannot be written again: %v", err)
		}
		again, err := DecodeBlock(payload, table.Clone(), external, &Limits{Bytes: 1 << 20})
		if err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
		if !b.Datalog.Equal(*again.Datalog) {
			t.Fatal("means something else when written again")
		}
	})
}

func FuzzDecodeSnapshot(f *testing.F) {
	names := []string{"snap_builder", "snap_pre", "snap_post", "snap_third"}
	all := seeds(f, names...)
	for _, name := range names {
		f.Add(all[name])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := DecodeSnapshot(data, nil)
		if err != nil {
			sound(t, data, err)
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatalf("cannot be written again: %v", err)
		}
		if _, err := DecodeSnapshot(again, &Limits{Bytes: 8 << 20}); err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
	})
}

func FuzzDecodePolicies(f *testing.F) {
	f.Add(seeds(f, "policies")["policies"])
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := DecodePolicies(data, nil)
		if err != nil {
			sound(t, data, err)
			return
		}
		if _, err := p.Encode(); err != nil {
			t.Fatalf("cannot be written again: %v", err)
		}
	})
}

func FuzzDecodeThirdParty(f *testing.F) {
	all := seeds(f, "request", "contents")
	f.Add(all["request"])
	f.Add(all["contents"])
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := DecodeThirdPartyRequest(data, nil); err != nil {
			sound(t, data, err)
		} else if !bytes.Equal(r.Encode(), data) {
			t.Fatal("one request in two spellings")
		}
		if c, err := DecodeThirdPartyContents(data, nil); err != nil {
			sound(t, data, err)
		} else if !bytes.Equal(c.Encode(), data) {
			t.Fatal("one answer in two spellings")
		}
	})
}
