package token

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

// The example of spec/algorithms.md, and the numbers and sizes of its table.
func TestSpecAlgorithms(t *testing.T) {
	data, err := os.ReadFile("../spec/algorithms.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	want := []string{}
	for _, a := range algorithms {
		row := fmt.Sprintf("| %d | `%s` | `%s` | %d", a.number, a.name, a.sshType, a.publicSize)
		if a.rootOnly {
			row = fmt.Sprintf("| 0x%04x, %d | `%s` | `%s` | %d", int32(a.number), a.number, a.name, a.sshType, a.publicSize)
		}
		want = append(want, row)
		if a.oid != nil {
			want = append(want, a.oid.String())
		}
	}
	k, err := ParsePrivateKey([]byte("mldsa44-private/000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := k.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(k.Public().Bytes())
	message := []byte("message")
	sig, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	sigSum := sha256.Sum256(sig)
	want = append(want, k.Text(), k.Public().String()[:40]+"..", hex.EncodeToString(sum[:]), k.Public().AuthorizedKey("")[:60]+"..",
		k.Public().Fingerprint(), string(file), hex.EncodeToString(sigSum[:]))
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
}
