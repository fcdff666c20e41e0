package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

func TestParseArgsStringsAsTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "value")
		args, err := parseArgs([]string{"x=" + text})
		if !reading.BeginsAsJSON(text) {
			if err != nil || args["x"] != text {
				t.Fatalf("%q became %q, %v", text, args["x"], err)
			}
			return
		}
		// What begins as JSON is JSON or an error, never a string of that text.
		if err == nil && !json.Valid([]byte(text)) {
			t.Fatalf("%q is no JSON and was taken as %v", text, args["x"])
		}
	})
}

func TestParseArgsQuotedIsTheString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "value")
		args, err := parseArgs([]string{"x=" + quotedJSON(text)})
		if err != nil || args["x"] != text {
			t.Fatalf("quoted, %q became %q, %v", text, args["x"], err)
		}
	})
}

func FuzzParseArgs(f *testing.F) {
	seeds := []string{`n=1`, `n=-`, `n={"a":[1,{"b":null}]}`, `n={"a":1,"a":2}`, `=`, `n=`, `n=1e999`, `n=9223372036854775808`, `n=truex`, `n="` + "\x1b", `n=` + strings.Repeat("[", 500)}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, flag string) {
		args, err := parseArgs([]string{flag})
		if err != nil {
			if exitCode(err) != exitUsage {
				t.Fatalf("%v is no wrong usage", err)
			}
			return
		}
		req := delegation.Request{Operation: "o", Resources: []string{"r"}, Audience: "a", Args: args}
		checked, err := req.Check()
		if err != nil {
			return
		}
		if _, err := checked.ActionDigest(); err != nil {
			t.Fatalf("%q passes and has no digest: %v", flag, err)
		}
	})
}

func TestParseParams(t *testing.T) {
	key := "ed25519/" + strings.Repeat("0", 63) + "1"
	p, err := parseParams([]string{"a= x=y, ", "n:integer=-5", "d:date=1970-01-01T00:00:01Z", "b:bytes=hex:00ff", "t:bool=true", "k:pubkey=" + key})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]datalog.Term{
		"a": datalog.String(" x=y, "), "n": datalog.Integer(-5), "d": datalog.Date(1), "b": datalog.Bytes("\x00\xff"), "t": datalog.Bool(true),
	} {
		if p.Terms[name] != want {
			t.Errorf("%s is %v, want %v", name, p.Terms[name], want)
		}
	}
	if p.Keys["k"].String() != key {
		t.Errorf("the key is %v", p.Keys["k"])
	}
	for _, wrong := range []string{"a", "=x", ":integer=1", "n:integer=1.0", "n:integer=9223372036854775808", "n:integer= 1", "d:date=now", "d:date=1969-12-31T23:59:59Z",
		"b:bytes=00", "b:bytes=hex:0", "t:bool=1", "k:pubkey=ed25519", "x:float=1"} {
		if p, err := parseParams([]string{wrong}); err == nil {
			t.Errorf("--param %s is taken for %v", wrong, p)
		}
	}
	if _, err := parseParams([]string{"a=1", "a:integer=1"}); err == nil {
		t.Error("a parameter may be given twice")
	}
}

func FuzzParseParam(f *testing.F) {
	seeds := []string{"a=x", "n:integer=5", "d:date=2020-01-01T00:00:00Z", "b:bytes=hex:00", "t:bool=true", "k:pubkey=ed25519/00", ":", "="}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, flag string) {
		p, err := parseParams([]string{flag})
		if err != nil {
			return
		}
		if len(p.Terms)+len(p.Keys) != 1 {
			t.Fatalf("%q gives %v", flag, p)
		}
		for name, term := range p.Terms {
			if _, isText := term.(datalog.String); isText {
				continue
			}
			block, err := datalog.ParseBlock("f({p});", &datalog.Params{Terms: map[string]datalog.Term{"p": term}})
			if err != nil {
				t.Fatalf("%q: the term of %q cannot be used: %v", flag, name, err)
			}
			if _, err := datalog.ParseBlock(block.String(), nil); err != nil {
				t.Fatalf("%q: %v", flag, err)
			}
		}
	})
}
