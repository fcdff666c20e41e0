package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// TestFilesAreFresh compares the committed files with a run of the generator.
func TestFilesAreFresh(t *testing.T) {
	fresh, err := files()
	if err != nil {
		t.Fatal(err)
	}
	if len(fresh) != 2*len(byteStrings) {
		t.Fatalf("%d files", len(fresh))
	}
	for name, want := range fresh {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: run go run ./vectors/generate", name)
		}
	}
}

func TestRunsAreEqual(t *testing.T) {
	first, err := files()
	if err != nil {
		t.Fatal(err)
	}
	second, err := files()
	if err != nil {
		t.Fatal(err)
	}
	for name := range first {
		if !bytes.Equal(first[name], second[name]) {
			t.Errorf("%s differs between two runs", name)
		}
	}
}

// TestCBOR compares the writer here with RFC 8949 appendix A and with a library.
func TestCBOR(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{0, "00"}, {23, "17"}, {24, "1818"}, {100, "1864"}, {1000, "1903e8"}, {1000000, "1a000f4240"},
		{1000000000000, "1b000000e8d4a51000"}, {-1, "20"}, {-10, "29"}, {-100, "3863"}, {-1000, "3903e7"},
		{float("0.0"), "f90000"}, {float("-0.0"), "f98000"}, {float("1.0"), "f93c00"}, {float("1.1"), "fb3ff199999999999a"},
		{float("1.5"), "f93e00"}, {float("65504.0"), "f97bff"}, {float("100000.0"), "fa47c35000"},
		{float("3.4028234663852886e+38"), "fa7f7fffff"}, {float("1.0e+300"), "fb7e37e43c8800759c"},
		{float("5.960464477539063e-8"), "f90001"}, {float("0.00006103515625"), "f90400"}, {float("-4.0"), "f9c400"},
		{float("-4.1"), "fbc010666666666666"}, {false, "f4"}, {true, "f5"}, {nil, "f6"},
		{[]byte{}, "40"}, {[]byte{1, 2, 3, 4}, "4401020304"}, {"", "60"}, {"IETF", "6449455446"}, {"\u00fc", "62c3bc"},
		{[]any{}, "80"}, {[]any{1, []any{2, 3}}, "8201820203"}, {map[string]any{}, "a0"},
		{map[string]any{"a": 1, "b": []any{2, 3}}, "a26161016162820203"},
	} {
		if got := hex.EncodeToString(cborEncode(c.v)); got != c.want {
			t.Errorf("%v: %s, want %s", c.v, got, c.want)
		}
	}

	library, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	values := []any{
		math.MaxInt64, math.MinInt64, map[string]any{"bb": 1, "a": 2, "": 3, "ccc": []any{nil, true, "x"}},
	}
	for exponent := -30; exponent < 40; exponent++ {
		for _, mantissa := range []float64{1, 1.5, 1 + 0x1p-10, 1 + 0x1p-11, 1 + 0x1p-23, 1 + 0x1p-24, 1 + 0x1p-52, 0x1.ffcp0} {
			values = append(values, math.Ldexp(mantissa, exponent))
		}
	}
	for _, v := range values {
		want, err := library.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got := v
		if f, ok := v.(float64); ok {
			text, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			got = json.Number(text)
		}
		if b := cborEncode(got); !bytes.Equal(b, want) {
			t.Errorf("%v: %x, want %x", v, b, want)
		}
	}
}

// TestForgeriesAreForgeries checks that what strict rules must refuse would pass
// without them: crypto/ed25519 takes a small-order R and key.
func TestForgeriesAreForgeries(t *testing.T) {
	msg := []byte("a message")
	k := edKey("forger")
	if !ed25519.Verify(k.bytes, msg, k.sign(msg)) {
		t.Fatal("an honest signature does not verify")
	}
	if !ed25519.Verify(k.bytes, msg, smallOrderR(k, msg)) {
		t.Error("the signature with small-order R does not satisfy the equation")
	}
	if !ed25519.Verify(identityKey().bytes, msg, universalSignature()) {
		t.Error("the universal signature does not verify under the identity")
	}
	if bytes.Equal(addOrder(k.sign(msg))[32:], k.sign(msg)[32:]) {
		t.Error("S + L is S")
	}
	if p := p256Key("forger"); !isLowS(p.sign(msg)) || isLowS(flipS(p.sign(msg))) || !bytes.Equal(p.sign(msg), p.sign(msg)) {
		t.Error("P-256 signatures are not low-S, not flipped to high-S, or not deterministic")
	}
	if off := offCurveP256(); len(off.bytes) != 33 {
		t.Errorf("off-curve key has %d bytes", len(off.bytes))
	}
}

// TestPaddingIsThere makes sure that the padded text has padding.
func TestPaddingIsThere(t *testing.T) {
	for _, c := range allowedForms() {
		if c.Name == "text-padded" {
			if c.Token[len(c.Token)-1] != '=' {
				t.Error("the text needs no padding: change the token")
			}
			return
		}
	}
	t.Error("no case text-padded")
}
