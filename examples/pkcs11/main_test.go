package main

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ThalesGroup/crypto11"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

const (
	tokenLabel = "people"
	keyLabel   = "alice"
	pin        = "1234"
)

// softHSM makes a fresh module with a key in it, and returns the path of its
// library.
func softHSM(t *testing.T) string {
	t.Helper()
	util, err := exec.LookPath("softhsm2-util")
	if err != nil {
		t.Skip("softhsm2-util is not installed (Debian: softhsm2): no hardware security module is tested")
	}
	library := ""
	for _, path := range []string{os.Getenv("SOFTHSM2_LIBRARY"), "/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"} {
		if _, err := os.Stat(path); path != "" && err == nil {
			library = path
			break
		}
	}
	if library == "" {
		t.Fatal("softhsm2-util is there and libsofthsm2.so is not: name it in SOFTHSM2_LIBRARY")
	}
	folder := t.TempDir()
	conf := filepath.Join(folder, "softhsm2.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", folder), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	if out, err := exec.CommandContext(t.Context(), util, "--init-token", "--free", "--label", tokenLabel, "--so-pin", "5678", "--pin", pin).CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	hsm, err := crypto11.Configure(&crypto11.Config{Path: library, TokenLabel: tokenLabel, Pin: pin})
	if err != nil {
		t.Fatal(err)
	}
	defer hsm.Close()
	if _, err := hsm.GenerateECDSAKeyPairWithLabel([]byte{1}, []byte(keyLabel), elliptic.P256()); err != nil {
		t.Fatal(err)
	}
	if _, err := hsm.GenerateECDSAKeyPairWithLabel([]byte{2}, []byte("p384"), elliptic.P384()); err != nil {
		t.Fatal(err)
	}
	return library
}

// A token minted in the module is invoked by the agent and accepted by a service
// that trusts the module's key.
func TestMintInModule(t *testing.T) {
	library := softHSM(t)
	agent, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	agentFile := filepath.Join(t.TempDir(), "ci.pub")
	if err := os.WriteFile(agentFile, []byte(agent.Public().AuthorizedKey("")), 0o600); err != nil {
		t.Fatal(err)
	}
	args := func(key string, more ...string) []string {
		return append([]string{"-module", library, "-token", tokenLabel, "-key", key, "-delegator", "alice@example.com"}, more...)
	}
	var line, minted bytes.Buffer
	if err := run(args(keyLabel, "-public"), pin, &line); err != nil {
		t.Fatal(err)
	}
	mint := []string{"-agent", "agent:ci", "-agent-key", agentFile, "-resource", "payments/certs/**", "-operation", "rotate"}
	// SoftHSM's signatures are random: half of them have a high s, which the
	// verifier would refuse.
	for range 16 {
		minted.Reset()
		if err := run(args(keyLabel, mint...), pin, &minted); err != nil {
			t.Fatal(err)
		}
		decide(t, line.String(), strings.TrimSpace(minted.String()), agent)
	}

	for name, c := range map[string]struct {
		args []string
		pin  string
		want string
	}{
		"no PIN":         {args(keyLabel, mint...), "", "PKCS11_PIN"},
		"wrong PIN":      {args(keyLabel, mint...), "9999", "CKR_PIN_INCORRECT"},
		"no such key":    {args("bob", mint...), pin, `key "bob"`},
		"another curve":  {args("p384", mint...), pin, "P-256"},
		"no such module": {append(args(keyLabel, mint...), "-module", library+"x"), pin, "opening the module"},
	} {
		var out bytes.Buffer
		err := run(c.args, c.pin, &out)
		if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("%s: %v, %q", name, err, out.String())
		}
	}
}

func decide(t *testing.T, trustFile, text string, agent token.PrivateKey) {
	t.Helper()
	roots, err := trust.Parse([]byte(trustFile))
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New("svc:certs", roots, &verify.Options{AllowReplay: true})
	if err != nil {
		t.Fatal(err)
	}
	held, err := token.ParseText(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := held.VerifyUnrooted()
	if err != nil {
		t.Fatal(err)
	}
	req := delegation.Request{Operation: "rotate", Resources: []string{"payments/certs/api"}, Audience: "svc:certs"}
	presented, err := attenuate.Invoke(verified, agent, req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(context.Background(), presented.Text(), req); err != nil {
		t.Errorf("denied: %v", err)
	}
	req.Operation = "delete"
	if _, err := v.Verify(context.Background(), presented.Text(), req); verify.CodeOf(err) != token.CodeCheckFailed {
		t.Errorf("another operation: %v", err)
	}
}
