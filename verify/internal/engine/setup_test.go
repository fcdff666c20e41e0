package engine

import (
	"encoding/json"
	"reflect"

	"github.com/whittle-auth/whittle/token/datalog"
)

type fataler interface {
	Helper()
	Fatal(...any)
	Errorf(string, ...any)
}

func compile(t fataler, a *datalog.Authorizer) *Authorizer {
	t.Helper()
	c, err := Compile(a)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func authorizer(t fataler, src string) *Authorizer {
	t.Helper()
	a, err := datalog.ParseAuthorizer(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, a)
}

// token parses blocks; a block after a key is signed by it.
func token(t fataler, parts ...any) []Block {
	t.Helper()
	var blocks []Block
	var key *datalog.Key
	for _, p := range parts {
		switch p := p.(type) {
		case datalog.Key:
			key = &p
		case string:
			b, err := datalog.ParseBlock(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			blocks = append(blocks, Block{Datalog: b, External: key})
			key = nil
		}
	}
	return blocks
}

func facts(t fataler, src string) []datalog.Predicate {
	t.Helper()
	b, err := datalog.ParseBlock(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.Facts
}

func equalVerdicts(t fataler, got, want verdict) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		g, _ := json.MarshalIndent(got, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("got %s\nwant %s", g, w)
	}
}
