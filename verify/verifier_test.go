package verify_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// TestComparedOutsideTheEngine: the verifier compares request, audience and
// window itself, and does not only leave them to Datalog.
func TestComparedOutsideTheEngine(t *testing.T) {
	other := request(func(r *delegation.Request) { r.Operation = "read" })
	d, err := verifier(t, nil).Verify(context.Background(), present(t, mint(t, good), ci, rotate, nil).Text(), other)
	if err == nil {
		t.Fatal("allowed")
	}
	for _, r := range d.Reasons {
		if r.Check != "" {
			t.Errorf("the engine was asked: %s", r)
		}
	}
}

// TestEvaluationErrors: a check that cannot be evaluated denies, and so does one
// that takes too long.
func TestEvaluationErrors(t *testing.T) {
	deep := strings.Repeat("[1, 2, 3, 4, 5, 6, 7, 8, 9].all($x -> ", 1)
	for source, want := range map[string]token.Code{
		`check if time($t), 1 / 0 == 1;`:                                  token.CodeEvaluation,
		`check if operation($o), $o + 1 == 2;`:                            token.CodeEvaluation,
		`check if operation($o), $o > 1;`:                                 token.CodeEvaluation,
		`check if time($t), $nothing == 1;`:                               token.CodeEvaluation,
		`check if operation($o), [1].any($o -> true);`:                    token.CodeEvaluation,
		`reject if 9223372036854775807 + 1 > 0;`:                          token.CodeEvaluation,
		`check if (1 / 0).try_or(true);`:                                  "",
		`check if false && 1 / 0 == 1 || true;`:                           "",
		`check if ` + heavy("a", 6) + `;`:                                 token.CodeLimit,
		`check if (` + heavy("b", 6) + `).try_or(true);`:                  token.CodeLimit,
		`check if ` + deep + `$x > 0);`:                                   "",
		`check if "` + strings.Repeat("a", 5000) + `".matches("(a*)*b");`: token.CodeCheckFailed,
	} {
		held := add(t, mint(t, good), ci, source, token.HeldBy(ci.Public()))
		expect(t, present(t, held, ci, rotate, nil).Text(), rotate, want)
	}
}

// heavy is an expression that visits ten to the power of n elements.
func heavy(prefix string, n int) string {
	const digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
	open, shut := "", ""
	for i := range n {
		open += fmt.Sprintf("%s.all($%s%d -> ", digits, prefix, i)
		shut += ")"
	}
	return open + "true" + shut
}

// TestClockDoesNotGoBack: a clock that is set back does not revive what has
// expired.
func TestClockDoesNotGoBack(t *testing.T) {
	clock := now
	v := verifier(t, func(o *verify.Options) { o.Now = func() time.Time { return clock } })
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	if code := decideWith(t, v, text, rotate); code != "" {
		t.Fatal(code)
	}
	clock = now.Add(2 * time.Minute)
	if code := decideWith(t, v, text, rotate); code != token.CodeWindow {
		t.Fatalf("two minutes later: %q", code)
	}
	clock = now
	if code := decideWith(t, v, text, rotate); code != token.CodeWindow {
		t.Errorf("with the clock set back: %q", code)
	}
}

func TestPolicies(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	for source, want := range map[string]token.Code{
		`allow if true;`:                                                                 "",
		`allow if operation("rotate");`:                                                  "",
		`allow if operation("read");`:                                                    token.CodePolicy,
		`deny if true;`:                                                                  token.CodePolicy,
		`deny if operation("read"); allow if true;`:                                      "",
		`check if arg("days", $d), $d < 10; allow if true;`:                              token.CodeCheckFailed,
		`check if arg("days", $d), $d < 60; allow if true;`:                              "",
		`limit(60); check if arg("days", $d), limit($l), $d < $l; allow if true;`:        "",
		`is($a) <- delegator($a); allow if is("alice@example.com");`:                     "",
		`allow if delegator("bob@example.com");`:                                         token.CodePolicy,
		`allow if holder($h);`:                                                           "",
		`check all depth($d), $d <= 0; allow if agent_key($k), weekday(1), minute(720);`: "",
		`allow if agent($a);`:                                                            token.CodePolicy,
		`check if 1 / 0 == 1; allow if true;`:                                            token.CodeEvaluation,
		`f(1); f($x) <- f($y), time($x); f("x") <- f($z), $z > "1"; allow if true;`:      token.CodeEvaluation,
		`allow if operation($o), $o.extern::known();`:                                    "",
		`allow if operation($o), $o.extern::unknown();`:                                  token.CodeEvaluation,
	} {
		policy, err := datalog.ParseAuthorizer(source, nil)
		if err != nil {
			t.Fatal(err)
		}
		v := verifier(t, func(o *verify.Options) {
			o.Policy = policy
			o.Externs = map[string]verify.Extern{"known": func(datalog.Term, datalog.Term) (datalog.Term, error) { return datalog.Bool(true), nil }}
		})
		if code := decideWith(t, v, text, rotate); code != want {
			t.Errorf("%s: %q, want %q", source, code, want)
		}
	}
	bad := &datalog.Authorizer{Block: datalog.Block{Rules: []datalog.Rule{{Head: datalog.Predicate{Name: "a", Terms: []datalog.Term{datalog.Variable("x")}}}}}}
	if _, err := verify.New("svc", roots(t), &verify.Options{Policy: bad}); err == nil {
		t.Error("a policy that cannot work is taken")
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := verify.New("", roots(t), nil); err == nil {
		t.Error("no name")
	}
	if _, err := verify.New("svc", nil, nil); err == nil {
		t.Error("no roots")
	}
	if _, err := verify.New("svc", roots(t), &verify.Options{MaxTTL: -1}); err == nil {
		t.Error("a negative maximum")
	}
	for name, o := range map[string]*verify.Options{
		"a negative limit":          {Limits: verify.Limits{Steps: -1}},
		"a policy without policies": {Policy: &datalog.Authorizer{}},
		"a thousand years":          {MaxTTL: math.MaxInt64},
		"a scope without meaning":   {Policy: authorizer(t, `deny if holder("x") trusting previous; allow if true;`)},
	} {
		if _, err := verify.New("svc", roots(t), o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := verify.New("svc", roots(t), nil); err != nil {
		t.Error(err)
	}
}

func authorizer(t *testing.T, source string) *datalog.Authorizer {
	t.Helper()
	a, err := datalog.ParseAuthorizer(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestDecision(t *testing.T) {
	held := mint(t, good)
	handed := add(t, held, ci, `holder("agent:runner"); check all operation($o), ["read"].contains($o);`, token.HeldBy(runner.Public()))
	text := present(t, handed, runner, rotate, nil).Text()
	d, err := verifier(t, nil).Verify(context.Background(), text, rotate)
	if err == nil {
		t.Fatal("allowed")
	}
	if len(d.Reasons) != 1 {
		t.Fatalf("%+v", d.Reasons)
	}
	r := d.Reasons[0]
	if r.Code != token.CodeCheckFailed || r.Block != 1 || r.Hop != "agent:ci" ||
		r.Check != `check all operation($o), ["read"].contains($o)` || r.Message != `operation "rotate", allowed: read` {
		t.Errorf("%+v", r)
	}
	if d.Delegator != "alice@example.com" || len(d.Chain) != 2 || d.Chain[1].Name != "agent:runner" || d.Chain[1].Key != runner.Public() ||
		len(d.RevocationIDs) != 3 || !d.Expires.Equal(time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", d)
	}
	encoded, err := d.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"allowed":false`, `"code":"check_failed"`, `"hop":"agent:ci"`, `"expires":"2026-11-23T13:00:00Z"`, `"operations":["read"]`} {
		if !strings.Contains(string(encoded), want) {
			t.Errorf("%s lacks %s", encoded, want)
		}
	}
	// Before the signatures verify, nothing of the token is believed.
	blocks, proof := wireBlocks(t, present(t, handed, runner, rotate, nil).Bytes())
	d, err = verifier(t, nil).Verify(context.Background(), wireToken([][]byte{blocks[0], blocks[2]}, proof), rotate)
	if err == nil || d.Delegator != "" || d.Chain != nil || d.RevocationIDs != nil {
		t.Errorf("of a token that does not verify: %+v", d)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := verifier(t, nil).Verify(ctx, present(t, mint(t, good), ci, rotate, nil).Text(), rotate)
	if verify.CodeOf(err) != token.CodeUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A header of a megabyte costs no more than it must (CVE-2025-30204).
func TestHugeInputCostsLittle(t *testing.T) {
	v := verifier(t, nil)
	for _, text := range []string{strings.Repeat("A", 1<<20), strings.Repeat(".", 1<<20), strings.Repeat("=", 1<<20), strings.Repeat("\n", 1<<20), "whittle:" + strings.Repeat("_", 1<<20)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := v.Verify(context.Background(), text, rotate)
		runtime.ReadMemStats(&after)
		if verify.CodeOf(err) != token.CodeMalformed {
			t.Errorf("%v", err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
			t.Errorf("%d bytes allocated", grown)
		}
	}
}

// TestEveryOption: each option can be seen to do something, so that none is
// dropped on the way.
func TestEveryOption(t *testing.T) {
	seen := map[string]bool{}
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	withoutHolder := strings.Replace(good, `holder("agent:ci");`, ``, 1)
	bearer := mintFor(t, alice, withoutHolder, token.WithSecret(mallory)).Text()
	selfApproved := present(t, approvedBy(t, needing(t, 1, ci), ci), ci, rotate, nil).Text()
	for _, c := range []struct {
		field  string
		change func(*verify.Options)
		text   string
		want   token.Code
	}{
		{"MaxTTL", func(o *verify.Options) { o.MaxTTL = time.Minute }, text, token.CodeWindow},
		{"MaxWindow", func(o *verify.Options) { o.MaxWindow = time.Second }, text, token.CodeWindow},
		{"AllowApproverInChain", func(o *verify.Options) { o.AllowApproverInChain = true }, selfApproved, ""},
		{"AllowBearer", func(o *verify.Options) { o.AllowBearer = true }, bearer, ""},
		{"Limits", func(o *verify.Options) { o.Limits.Facts = 1 }, text, token.CodeLimit},
		{"Limits", func(o *verify.Options) { o.Limits.Steps = 1 }, text, token.CodeLimit},
	} {
		seen[c.field] = true
		if code := decideWith(t, verifier(t, c.change), c.text, rotate); code != c.want {
			t.Errorf("%s: %q, want %q", c.field, code, c.want)
		}
	}
	for name, elsewhere := range map[string]string{
		"Policy": "TestPolicies", "Externs": "TestPolicies", "Now": "TestClockDoesNotGoBack", "Replay": "TestReplayIsDenied", "AllowReplay": "TestReplayIsDenied",
		"Memory": "TestMemoryIsBounded", "AllowApprovalReuse": "TestApprovalReuseAllowedByName", "Revocations": "TestRevoked", "MaxStale": "TestStale",
		"Directory": "TestDirectory", "TokenFacts": "TestTokenFacts", "MaxDepth": "TestLongChains", "MaxBlocks": "TestLongChains", "MaxSession": "TestSessionWindows",
		"Workers": "TestWorkersEnd",
	} {
		seen[name] = true
		if !testNames(t, elsewhere, name) {
			t.Errorf("there is no %s that sets the option %s", elsewhere, name)
		}
	}
	options := reflect.TypeFor[verify.Options]()
	for i := range options.NumField() {
		if name := options.Field(i).Name; !seen[name] {
			t.Errorf("nothing shows what the option %s does", name)
		}
	}
}

// testNames reports whether a test of this package has an identifier in its body.
func testNames(t *testing.T, test, identifier string) (found bool) {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == test {
				ast.Inspect(f.Body, func(n ast.Node) bool {
					id, ok := n.(*ast.Ident)
					found = found || ok && id.Name == identifier
					return true
				})
			}
		}
	}
	return found
}

// TestUnderLoad: ten thousand decisions while the processor is busy. A wall clock
// in the engine would deny some of them, and leave goroutines behind (biscuit-go).
func TestUnderLoad(t *testing.T) {
	decisions := 10000
	if testing.Short() {
		decisions = 500
	}
	v := verifier(t, forgetful)
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	before := runtime.NumGoroutine()

	stop := make(chan struct{})
	var burning, deciding sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		burning.Go(func() {
			x := 1.0
			for {
				select {
				case <-stop:
					return
				default:
					for range 10000 {
						x = math.Sqrt(x + 2)
					}
				}
			}
		})
	}
	const workers = 4
	denied := make(chan error, workers)
	for range workers {
		deciding.Go(func() {
			for range decisions / workers {
				if _, err := v.Verify(context.Background(), text, rotate); err != nil {
					denied <- err
					return
				}
			}
		})
	}
	deciding.Wait()
	close(stop)
	burning.Wait()
	close(denied)
	for err := range denied {
		t.Errorf("denied under load: %v", err)
	}
	after := runtime.NumGoroutine()
	for range 10000 { // those that are done may still be on their way out
		if after <= before {
			break
		}
		time.Sleep(time.Millisecond)
		after = runtime.NumGoroutine()
	}
	if after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

// TestDenialCostsLittle: a small token of a hostile holder that prints as a large
// one, or whose many checks all fail.
func TestDenialCostsLittle(t *testing.T) {
	v := verifier(t, nil)
	for name, c := range map[string]struct {
		content *datalog.Block
		refused bool // nothing is appended that would not be read
		want    token.Code
	}{
		"a large fact":  {content: largeFact(), refused: true},
		"a large check": {content: largeCheck(), refused: true},
		"many checks":   {content: block(t, strings.Repeat(`check if operation("never");`, 2000)), want: token.CodeCheckFailed},
		"wide checks":   {content: block(t, `check if `+strings.Repeat(`f(), `, 3000)+`true;`), want: token.CodeLimit},
	} {
		held := mint(t, good)
		hostile, err := held.Append(ci, c.content, token.SameNext(held))
		if (err != nil) != c.refused {
			t.Errorf("%s: %v, want it refused: %t", name, err, c.refused)
		}
		if err != nil {
			if !strings.Contains(err.Error(), "bytes of text") {
				t.Errorf("%s: refused for another reason: %v", name, err)
			}
			continue
		}
		text := present(t, hostile, ci, rotate, nil).Text()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d, err := v.Verify(context.Background(), text, rotate)
		runtime.ReadMemStats(&after)
		if code := verify.CodeOf(err); code != c.want {
			t.Errorf("%s: code %q, want %q", name, code, c.want)
		}
		if len(d.Reasons) > 40 {
			t.Errorf("%s: %d reasons", name, len(d.Reasons))
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
			t.Errorf("%s: %d MB allocated", name, grown>>20)
		}
	}
}

func largeFact() *datalog.Block {
	return &datalog.Block{Facts: []datalog.Predicate{{Name: "f", Terms: largeTerms()}}}
}

func largeCheck() *datalog.Block {
	return &datalog.Block{Checks: []datalog.Check{{Queries: []datalog.Query{{Exprs: []datalog.Expr{
		datalog.Binary{Op: datalog.OpContains, Left: datalog.Value{Term: datalog.Array(largeTerms())}, Right: datalog.Value{Term: datalog.Integer(1)}},
	}}}}}}
}

// largeTerms are one symbol in the bytes of a token, and 60 MB in its text.
func largeTerms() []datalog.Term {
	terms := make([]datalog.Term, 3000)
	for i := range terms {
		terms[i] = datalog.String(strings.Repeat("a", 20000))
	}
	return terms
}

// TestBearerNamesNobody: what was added to a bearer token was added by anybody.
func TestBearerNamesNobody(t *testing.T) {
	bearer := add(t, mint(t, good), ci, ``, token.WithSecret(mallory))
	narrowed := add(t, bearer, mallory, `check if false;`, token.SameNext(bearer))
	v := verifier(t, func(o *verify.Options) { o.AllowBearer = true })
	d, err := v.Verify(context.Background(), narrowed.Text(), rotate)
	if err == nil || d.Reasons[0].Block != 2 || d.Reasons[0].Hop != "" || !d.Bearer || len(d.Chain) != 1 {
		t.Errorf("%+v", d)
	}
}

// TestSnapshotHasTheRequest: what was denied for the facts of a request is denied
// in its snapshot too.
func TestSnapshotHasTheRequest(t *testing.T) {
	source, err := datalog.ParseAuthorizer(`deny if op("write"); allow if true;`, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := verify.NewAuthorizer(source)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.Mint(alice, block(t, `right("x");`), token.WithSecret(ci), nil)
	if err != nil {
		t.Fatal(err)
	}
	for operation, allowed := range map[datalog.String]bool{"write": false, "read": true} {
		out, err := a.Authorize(tok, []datalog.Predicate{{Name: "op", Terms: []datalog.Term{operation}}}, nil)
		if (err == nil) != allowed {
			t.Fatalf("%s: %v", operation, err)
		}
		s, err := out.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		read, err := token.ParseSnapshot(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify.AuthorizeUnverified(read, nil); (err == nil) != allowed {
			t.Errorf("the snapshot of %s: %v", operation, err)
		}
	}
	if _, err := verify.NewAuthorizer(nil); err == nil {
		t.Error("an authorizer made of nothing")
	}
}

// TestZeroTokenIsRefused: an empty chain passes nothing (agent-manifest).
func TestZeroTokenIsRefused(t *testing.T) {
	allow, err := datalog.ParseAuthorizer(`allow if true;`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.Authorize(new(token.Token), allow, nil); err == nil {
		t.Error("a token without blocks is authorized")
	}
}
