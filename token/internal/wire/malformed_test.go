package wire

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// The messages of these tests are put together here by hand, so that a fault
// shared by reader and writer does not hide.

func num(n int, v uint64) string {
	return string(binary.AppendUvarint([]byte{byte(n << 3)}, v))
}

func msg(n int, parts ...string) string {
	content := strings.Join(parts, "")
	return string(binary.AppendUvarint([]byte{byte(n<<3 | 2)}, uint64(len(content)))) + content
}

// malformed is one input with one fault. The offset of the error is where at
// stands in the input for the first time, or else offset.
type malformed struct {
	name, data, at string
	offset         int
	path, text     string
	unsupported    bool
}

func (m malformed) check(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want one at %s", err, m.path)
	}
	offset := m.offset
	if m.at != "" {
		if offset = strings.Index(m.data, m.at); offset < 0 {
			t.Fatal("the test's own data lacks the fault")
		}
	}
	if e.Offset != offset || e.Path != m.path || !strings.Contains(e.Msg, m.text) || m.text == "" || e.Unsupported != m.unsupported {
		t.Errorf("error %q, offset %d, unsupported %t\nwant %s: ..%s.., offset %d, unsupported %t",
			e, e.Offset, e.Unsupported, m.path, m.text, offset, m.unsupported)
	}
	if !strings.Contains(e.Error(), e.Msg) || !strings.HasPrefix(e.Error(), e.Path) {
		t.Errorf("error text %q", e)
	}
}

var (
	goodKey    = num(1, 0) + msg(2, strings.Repeat("k", 32))
	goodSecp   = num(1, 1) + msg(2, "\x02"+strings.Repeat("k", 32))
	goodSigned = msg(1, "payload") + msg(2, goodKey) + msg(3, "signature")
	external   = msg(4, msg(1, "external"), msg(2, goodKey))
	goodToken  = msg(2, goodSigned) + msg(4)
)

func TestContainerAccepts(t *testing.T) {
	for name, data := range map[string]string{
		"least":            goodToken,
		"root key id":      num(1, 1<<32-1) + goodToken,
		"next secret":      msg(2, goodSigned) + msg(4, msg(1, "secret")),
		"final signature":  msg(2, goodSigned) + msg(4, msg(2, "final")),
		"empty secret":     msg(2, goodSigned) + msg(4, msg(1)),
		"empty everything": msg(2, msg(1), msg(2, goodKey), msg(3)) + msg(4),
		"secp256r1":        msg(2, msg(1), msg(2, goodSecp), msg(3)) + msg(4),
		"version 1":        msg(2, goodSigned, num(5, 1)) + msg(4),
		"explicit version": msg(2, goodSigned, num(5, 0)) + msg(4),
		"third party":      msg(2, goodSigned) + msg(3, goodSigned, external, num(5, 1)) + msg(4),
		"32 blocks":        msg(2, goodSigned) + strings.Repeat(msg(3, goodSigned), 31) + msg(4),
		"4096 signature":   msg(2, msg(1), msg(2, goodKey), msg(3, strings.Repeat("s", 4096))) + msg(4),
	} {
		c, err := DecodeContainer([]byte(data), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(c.Encode()) != data {
			t.Errorf("%s changes when written again", name)
		}
	}
}

func TestContainerRefuses(t *testing.T) {
	signed := func(parts ...string) string { return msg(2, parts...) + msg(4) }
	withKey := func(parts ...string) string { return signed(msg(1, "payload"), msg(2, parts...), msg(3, "signature")) }
	for _, m := range []malformed{
		{name: "empty", data: "", path: "authority", text: "missing"},
		{name: "no authority", data: msg(4), path: "authority", text: "missing"},
		{name: "no authority, a block", data: msg(3, goodSigned) + msg(4), path: "authority", text: "missing"},
		{name: "no proof", data: msg(2, goodSigned), offset: len(msg(2, goodSigned)), path: "proof", text: "missing"},
		{name: "two authorities", data: msg(2, goodSigned) + msg(2, "!") + msg(4), at: msg(2, "!"), path: "authority", text: "twice"},
		{name: "two proofs", data: goodToken + msg(4), offset: len(goodToken), path: "proof", text: "twice"},
		{name: "two root key ids", data: num(1, 7) + num(1, 8) + goodToken, at: num(1, 8), path: "rootKeyId", text: "twice"},
		{name: "root key id last", data: goodToken + num(1, 7), at: num(1, 7), path: "rootKeyId", text: "out of order"},
		{name: "blocks after proof", data: goodToken + msg(3, goodSigned), offset: len(goodToken), path: "blocks", text: "out of order"},
		{name: "unknown field", data: goodToken + num(5, 0), at: num(5, 0), text: "unknown field 5"},
		{name: "field 0", data: "\x00\x00" + goodToken, text: "unknown field 0"},
		{name: "field 2000", data: goodToken + "\x80\x7d\x00", at: "\x80\x7d\x00", text: "unknown field 2000"},
		{name: "wire type", data: num(1, 7) + "\x10\x00", at: "\x10", path: "authority", text: "wire type 0"},
		{name: "group", data: "\x0b\x0c" + goodToken, path: "rootKeyId", text: "wire type 3"},
		{name: "fixed32", data: "\x0d\x00\x00\x00\x00" + goodToken, path: "rootKeyId", text: "wire type 5"},
		{name: "long tag", data: "\x88\x00\x07" + goodToken, text: "not minimal"},
		{name: "long value", data: "\x08\x87\x00" + goodToken, offset: 1, path: "rootKeyId", text: "not minimal"},
		{name: "long length", data: msg(2, goodSigned) + "\x22\x80\x00", at: "\x80\x00", path: "proof", text: "not minimal"},
		{name: "33-bit root key id", data: num(1, 1<<32) + goodToken, path: "rootKeyId", text: "range"},
		{name: "65-bit varint", data: "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02" + goodToken, offset: 1, path: "rootKeyId", text: "64 bits"},
		{name: "11-byte varint", data: "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + goodToken, offset: 1, path: "rootKeyId", text: "64 bits"},
		{name: "truncated varint", data: "\x08\x80", offset: 1, path: "rootKeyId", text: "truncated"},
		{name: "length over the end", data: msg(2, goodSigned) + "\x22\x01", at: "\x01", offset: 0, path: "proof", text: "1 bytes announced, 0 left"},
		{name: "huge length", data: "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", offset: 1, path: "authority", text: "left"},
		{name: "length over the message's end", data: msg(2, "\x0a\x05abcd") + msg(4), at: "\x05abcd", path: "authority.block", text: "5 bytes announced, 4 left"},

		{name: "no payload", data: signed(msg(2, goodKey), msg(3)), at: msg(2, goodKey), path: "authority.block", text: "missing"},
		{name: "no next key", data: signed(msg(1, "payload"), msg(3)), at: "\x1a\x00", path: "authority.nextKey", text: "missing"},
		{name: "no signature", data: signed(msg(1), msg(2, goodKey)), offset: 2 + 2 + 38, path: "authority.signature", text: "missing"},
		{name: "two signatures", data: signed(goodSigned, msg(3, "again")), at: msg(3, "again"), path: "authority.signature", text: "twice"},
		{name: "long signature", data: signed(msg(1), msg(2, goodKey), msg(3, strings.Repeat("s", 4097))), at: "\x1a\x81\x20", path: "authority.signature", text: "4096"},
		{name: "unknown in signed block", data: signed(goodSigned, num(6, 1)), at: num(6, 1), path: "authority", text: "unknown field 6"},
		{name: "version 2", data: signed(goodSigned, num(5, 2), num(6, 1)), at: num(5, 2), path: "authority.version", text: "version 2", unsupported: true},
		{name: "33-bit version", data: signed(goodSigned, num(5, 1<<32)), at: num(5, 1<<32), path: "authority.version", text: "range"},
		{name: "external authority", data: signed(goodSigned, external, num(5, 1)), at: external, path: "authority.externalSignature", text: "authority"},
		{name: "external without version", data: msg(2, goodSigned) + msg(3, goodSigned, external) + msg(4), at: external, path: "blocks[0].externalSignature", text: "version 1", unsupported: true},
		{name: "external with version 0", data: msg(2, goodSigned) + msg(3, goodSigned, external, num(5, 0)) + msg(4), at: external, path: "blocks[0].externalSignature", text: "version 1", unsupported: true},
		{name: "external without key", data: msg(2, goodSigned) + msg(3, goodSigned) + msg(3, goodSigned, msg(4, msg(1, "ext")), num(5, 1)) + msg(4),
			at: num(5, 1) + msg(4), path: "blocks[1].externalSignature.publicKey", text: "missing"},
		{name: "external without signature", data: msg(2, goodSigned) + msg(3, goodSigned, msg(4, msg(2, goodSecp)), num(5, 1)) + msg(4),
			at: msg(2, goodSecp), path: "blocks[0].externalSignature.signature", text: "missing"},
		{name: "external key", data: msg(2, goodSigned) + msg(3, goodSigned, msg(4, msg(1, "ext"), msg(2, num(1, 0), msg(2, "short"))), num(5, 1)) + msg(4),
			at: msg(2, "short"), path: "blocks[0].externalSignature.publicKey.key", text: "32 bytes"},

		{name: "no algorithm", data: withKey(msg(2, strings.Repeat("k", 32))), at: msg(2, strings.Repeat("k", 32)), path: "authority.nextKey.algorithm", text: "missing"},
		{name: "no key", data: withKey(num(1, 0)), at: msg(3, "signature"), path: "authority.nextKey.key", text: "missing"},
		{name: "algorithm 2", data: withKey(num(1, 2), msg(2, strings.Repeat("k", 32))), at: num(1, 2), path: "authority.nextKey.algorithm", text: "algorithm 2", unsupported: true},
		{name: "negative algorithm", data: withKey(num(1, 1<<64-1), msg(2, "k")), at: num(1, 1<<64-1), path: "authority.nextKey.algorithm", text: "algorithm", unsupported: true},
		{name: "uncompressed secp256r1", data: withKey(num(1, 1), msg(2, "\x04"+strings.Repeat("k", 64))), at: "\x12\x41\x04", path: "authority.nextKey.key", text: "compressed"},
		{name: "secp256r1 prefix", data: withKey(num(1, 1), msg(2, "\x04"+strings.Repeat("k", 32))), at: "\x12\x21\x04", path: "authority.nextKey.key", text: "02 or 03"},

		{name: "both proofs", data: msg(2, goodSigned) + msg(4, msg(1, "secret"), msg(2, "final")), at: msg(2, "final"), path: "proof.finalSignature", text: "second member"},
		{name: "two secrets", data: msg(2, goodSigned) + msg(4, msg(1, "secret"), msg(1, "other")), at: msg(1, "other"), path: "proof.nextSecret", text: "twice"},
		{name: "unknown proof", data: msg(2, goodSigned) + msg(4, msg(3, "other")), at: msg(3, "other"), path: "proof", text: "unknown field 3"},
		{name: "long secret", data: msg(2, goodSigned) + msg(4, msg(1, strings.Repeat("s", 4097))), at: "\x0a\x81\x20", path: "proof.nextSecret", text: "4096"},
		{name: "33 blocks", data: msg(2, goodSigned) + strings.Repeat(msg(3, goodSigned), 32) + msg(4),
			offset: len(msg(2, goodSigned) + strings.Repeat(msg(3, goodSigned), 31)), path: "blocks[31]", text: "more than 32 blocks"},
		{name: "too long", data: goodToken + strings.Repeat("\x00", 65537-len(goodToken)), offset: 65536, text: "limit is 65536"},
	} {
		t.Run(m.name, func(t *testing.T) {
			_, err := DecodeContainer([]byte(m.data), nil)
			m.check(t, err)
		})
	}
}

// TestEveryLength puts each length from 0 to 100 into every field of bytes.
func TestEveryLength(t *testing.T) {
	for n := range 101 {
		fill := strings.Repeat("\x02", n)
		key := func(algorithm uint64) string { return num(1, algorithm) + msg(2, fill) }
		for _, test := range []struct {
			name, data string
			ok         bool
		}{
			{"payload", msg(2, msg(1, fill), msg(2, goodKey), msg(3)) + msg(4), true},
			{"signature", msg(2, msg(1), msg(2, goodKey), msg(3, fill)) + msg(4), true},
			{"ed25519", msg(2, msg(1), msg(2, key(0)), msg(3)) + msg(4), n == 32},
			{"secp256r1", msg(2, msg(1), msg(2, key(1)), msg(3)) + msg(4), n == 33},
			{"external signature", msg(2, goodSigned) + msg(3, goodSigned, msg(4, msg(1, fill), msg(2, goodKey)), num(5, 1)) + msg(4), true},
			{"external key", msg(2, goodSigned) + msg(3, goodSigned, msg(4, msg(1), msg(2, key(0))), num(5, 1)) + msg(4), n == 32},
			{"next secret", msg(2, goodSigned) + msg(4, msg(1, fill)), true},
			{"final signature", msg(2, goodSigned) + msg(4, msg(2, fill)), true},
		} {
			if _, err := DecodeContainer([]byte(test.data), nil); (err == nil) != test.ok {
				t.Errorf("%s of %d bytes: %v", test.name, n, err)
			}
		}
		block := msg(1, fill+"x") + num(3, 6) + msg(4, msg(1, num(1, 0), msg(2, msg(5, fill)))) + msg(8, key(1))
		if _, err := DecodeBlock([]byte(block), nil, false, nil); (err == nil) != (n == 33) {
			t.Errorf("block with %d bytes: %v", n, err)
		}
		if _, err := DecodeThirdPartyRequest([]byte(msg(3, fill)), nil); err != nil {
			t.Errorf("request of %d bytes: %v", n, err)
		}
		contents := msg(1, fill) + msg(2, msg(1, fill), msg(2, key(0)))
		if _, err := DecodeThirdPartyContents([]byte(contents), nil); (err == nil) != (n == 32) {
			t.Errorf("contents with %d bytes: %v", n, err)
		}
	}
}

func TestThirdPartyRefuses(t *testing.T) {
	for _, m := range []malformed{
		{name: "empty", data: "", path: "previousSignature", text: "missing"},
		{name: "legacy key", data: msg(1, goodKey) + msg(3, "s"), path: "legacyPreviousKey", text: "legacy", unsupported: true},
		{name: "legacy keys", data: msg(2, goodKey) + msg(3, "s"), path: "legacyPublicKeys[0]", text: "legacy", unsupported: true},
		{name: "twice", data: msg(3, "s") + msg(3, "t"), at: msg(3, "t"), path: "previousSignature", text: "twice"},
		{name: "long", data: msg(3, strings.Repeat("s", 4097)), path: "previousSignature", text: "4096"},
		{name: "unknown", data: msg(3, "s") + msg(4), at: msg(4), text: "unknown field 4"},
	} {
		t.Run("request "+m.name, func(t *testing.T) {
			_, err := DecodeThirdPartyRequest([]byte(m.data), nil)
			m.check(t, err)
		})
	}
	ext := msg(2, msg(1, "s"), msg(2, goodKey))
	for _, m := range []malformed{
		{name: "empty", data: "", path: "payload", text: "missing"},
		{name: "no signature", data: msg(1, "p"), offset: 3, path: "externalSignature", text: "missing"},
		{name: "twice", data: msg(1, "p") + ext + ext, offset: 3 + len(ext), path: "externalSignature", text: "twice"},
		{name: "key", data: msg(1, "p") + msg(2, msg(1, "s"), msg(2, num(1, 3), msg(2))), at: num(1, 3), path: "externalSignature.publicKey.algorithm", text: "algorithm 3", unsupported: true},
	} {
		t.Run("contents "+m.name, func(t *testing.T) {
			_, err := DecodeThirdPartyContents([]byte(m.data), nil)
			m.check(t, err)
		})
	}
}
