package engine

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// sharedData finds test data of public projects: $WHITTLE_SHARED_DATA, or
// shared/data beside the repository.
func sharedData(t *testing.T, elem ...string) string {
	t.Helper()
	root := os.Getenv("WHITTLE_SHARED_DATA")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			if dir == filepath.Dir(dir) {
				t.Fatal("no go.mod above the package")
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared", "data")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is absent", path)
	}
	return path
}

type sample struct {
	Filename string
	Token    []struct {
		Code        string
		ExternalKey *string `json:"external_key"`
	}
	Validations map[string]struct {
		World *struct {
			Facts []struct {
				Origin []*uint64
				Facts  []string
			}
		}
		Result         json.RawMessage
		AuthorizerCode string `json:"authorizer_code"`
	}
}

type sampleError struct {
	Execution   json.RawMessage
	FailedLogic *struct {
		Unauthorized *struct {
			Policy struct{ Allow, Deny *int }
			Checks []sampleCheck
		}
		NoMatchingPolicy *struct{ Checks []sampleCheck }
		InvalidBlockRule json.RawMessage
	}
}

type sampleCheck struct {
	Block *struct {
		BlockID uint64 `json:"block_id"`
		CheckID int    `json:"check_id"`
		Rule    string
	}
	Authorizer *struct {
		CheckID int `json:"check_id"`
		Rule    string
	}
}

// verdict is an outcome in comparable form.
type verdict struct {
	Allowed  bool
	Policy   int
	Deny     bool
	Failed   []string
	ErrKind  ErrorKind
	HasWorld bool
	World    []string
}

func verdictOf(r *Result, err error) verdict {
	v := verdict{Policy: -1}
	var e *Error
	if errors.As(err, &e) {
		v.ErrKind = e.Kind
	}
	if r == nil {
		return v
	}
	v.Allowed, v.Policy, v.Deny = r.Allowed(), r.Policy, r.Policy >= 0 && r.Kind == datalog.Deny
	if err == nil {
		for _, c := range r.Failed {
			v.Failed = append(v.Failed, failedString(c.Block, c.Check, c.Source.String()))
		}
	}
	v.HasWorld = true
	for _, g := range r.World() {
		for _, f := range g.Facts {
			v.World = append(v.World, originString(g.Origin)+" "+f.String())
		}
	}
	slices.Sort(v.World)
	return v
}

func failedString(block uint64, check int, rule string) string {
	b, _ := json.Marshal([]any{block, check, rule})
	return string(b)
}

func originString(origin []uint64) string {
	b, _ := json.Marshal(origin)
	return string(b)
}

// sampleExterns has the function that the samples call.
var sampleExterns = map[string]Extern{"test": func(l, r datalog.Term) (datalog.Term, error) {
	if r == nil {
		return l, nil
	}
	ls, ok := l.(datalog.String)
	rs, ok2 := r.(datalog.String)
	switch {
	case !ok || !ok2:
		return nil, errors.New("unsupported operands")
	case ls == rs:
		return datalog.String("equal strings"), nil
	}
	return datalog.String("different strings"), nil
}}

func (s *sample) blocks(t *testing.T) []Block {
	t.Helper()
	var blocks []Block
	for _, b := range s.Token {
		block, err := datalog.ParseBlock(b.Code, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := Block{Datalog: block}
		if b.ExternalKey != nil {
			k, err := datalog.ParseKey(*b.ExternalKey)
			if err != nil {
				t.Fatal(err)
			}
			out.External = &k
		}
		blocks = append(blocks, out)
	}
	return blocks
}

// TestSamples gives each official sample the outcome that the reference
// implementation recorded. Samples that fail before evaluation are left to the
// packages that decode tokens.
func TestSamples(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(sharedData(t, "biscuit-samples"), "samples.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Testcases []sample }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, s := range file.Testcases {
		for name, v := range s.Validations {
			if v.World == nil {
				continue
			}
			ran++
			t.Run(s.Filename+"/"+name, func(t *testing.T) {
				src, err := datalog.ParseAuthorizer(v.AuthorizerCode, nil)
				if err != nil {
					t.Fatal(err)
				}
				want := verdict{Policy: -1, HasWorld: true}
				for _, g := range v.World.Facts {
					var origin []uint64
					for _, o := range g.Origin {
						if o == nil {
							origin = append(origin, AuthorizerBlock)
						} else {
							origin = append(origin, *o)
						}
					}
					slices.Sort(origin)
					for _, f := range g.Facts {
						want.World = append(want.World, originString(origin)+" "+f)
					}
				}
				slices.Sort(want.World)
				wantResult(t, v.Result, &want)

				got := verdictOf(compile(t, src).Evaluate(s.blocks(t), nil, &Options{Externs: sampleExterns}))
				equalVerdicts(t, got, want)
			})
		}
	}
	if ran < 30 {
		t.Errorf("%d validations ran, want at least 30", ran)
	}
}

func wantResult(t *testing.T, raw json.RawMessage, want *verdict) {
	t.Helper()
	var res struct {
		Ok  *int
		Err *sampleError
	}
	if err := json.Unmarshal(raw, &res); err != nil {
		t.Fatal(err)
	}
	if res.Ok != nil {
		want.Allowed, want.Policy = true, *res.Ok
		return
	}
	if res.Err.Execution != nil {
		kinds := map[string]ErrorKind{`"Overflow"`: Overflow, `"InvalidType"`: InvalidType, `"ShadowedVariable"`: ShadowedVariable}
		want.ErrKind = kinds[string(res.Err.Execution)]
		if want.ErrKind == none {
			t.Fatalf("unknown error %s", res.Err.Execution)
		}
		return
	}
	var checks []sampleCheck
	if u := res.Err.FailedLogic.Unauthorized; u != nil {
		checks = u.Checks
		if u.Policy.Allow != nil {
			want.Policy = *u.Policy.Allow
		} else {
			want.Policy, want.Deny = *u.Policy.Deny, true
		}
	} else {
		checks = res.Err.FailedLogic.NoMatchingPolicy.Checks
	}
	for _, c := range checks {
		if c.Authorizer != nil {
			want.Failed = append(want.Failed, failedString(AuthorizerBlock, c.Authorizer.CheckID, c.Authorizer.Rule))
		} else {
			want.Failed = append(want.Failed, failedString(c.Block.BlockID, c.Block.CheckID, c.Block.Rule))
		}
	}
}
