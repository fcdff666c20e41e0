package verify

import (
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify/internal/engine"
)

// A Report is an authorization in the JSON shape that the Biscuit project uses
// in samples.json, so that implementations can be compared.
type Report struct {
	// Result is {"Ok": index of the policy} or {"Err": ..}, an error in the
	// names of the reference implementation.
	Result        any      `json:"result"`
	RevocationIDs []string `json:"revocation_ids"`
	World         *World   `json:"world"`
}

// World is all that an authorization knew.
type World struct {
	Facts    []OriginFacts  `json:"facts"`
	Rules    []OriginRules  `json:"rules"`
	Checks   []OriginChecks `json:"checks"`
	Policies []string       `json:"policies"`
}

// OriginFacts are the facts with one set of origins; the authorizer is null and
// comes first.
type OriginFacts struct {
	Origin []*uint64 `json:"origin"`
	Facts  []string  `json:"facts"`
}

// OriginRules are the rules of one block; the authorizer's number is the
// largest uint64.
type OriginRules struct {
	Origin uint64   `json:"origin"`
	Rules  []string `json:"rules"`
}

// OriginChecks are the checks of one block; the authorizer's number is the
// largest uint64.
type OriginChecks struct {
	Origin uint64   `json:"origin"`
	Checks []string `json:"checks"`
}

// object is a JSON object with one member, as the reference writes the variants
// of its errors.
type object map[string]any

// NewReport returns the report of an authorization and the error that
// [Authorize] returned with it. The authorization is nil when the error is that
// of parsing or verifying the token.
func NewReport(a *Authorization, err error) Report {
	r := Report{RevocationIDs: []string{}}
	if a == nil {
		r.Result = object{"Err": formatError(err)}
		return r
	}
	for _, id := range a.ids {
		r.RevocationIDs = append(r.RevocationIDs, hex.EncodeToString(id))
	}
	if e, ok := errors.AsType[*engine.Error](err); ok {
		r.Result = object{"Err": engineError(e)}
	} else if a.result == nil {
		r.Result = object{"Err": formatError(err)}
	} else {
		r.Result = a.outcome()
	}
	if a.result != nil { // else it was refused when loading: there is no world
		r.World = a.world()
	}
	return r
}

// outcome is what checks and policies came to.
func (a *Authorization) outcome() any {
	if a.result.Allowed() {
		return object{"Ok": a.result.Policy}
	}
	checks := []any{}
	for _, f := range a.result.Failed {
		if f.Block == engine.AuthorizerBlock {
			checks = append(checks, object{"Authorizer": object{"check_id": f.Check, "rule": f.Source.String()}})
		} else {
			checks = append(checks, object{"Block": object{"block_id": f.Block, "check_id": f.Check, "rule": f.Source.String()}})
		}
	}
	if a.result.Policy < 0 {
		return object{"Err": object{"FailedLogic": object{"NoMatchingPolicy": object{"checks": checks}}}}
	}
	kind := "Allow"
	if a.result.Kind == datalog.Deny {
		kind = "Deny"
	}
	return object{"Err": object{"FailedLogic": object{"Unauthorized": object{
		"policy": object{kind: a.result.Policy}, "checks": checks,
	}}}}
}

func (a *Authorization) world() *World {
	w := &World{Facts: []OriginFacts{}, Rules: []OriginRules{}, Checks: []OriginChecks{}, Policies: []string{}}
	for _, group := range a.result.World() {
		facts := OriginFacts{Origin: []*uint64{}}
		for _, o := range group.Origin {
			if o == engine.AuthorizerBlock {
				facts.Origin = slices.Insert(facts.Origin, 0, nil)
			} else {
				facts.Origin = append(facts.Origin, &o)
			}
		}
		for _, f := range group.Facts {
			facts.Facts = append(facts.Facts, f.String())
		}
		slices.Sort(facts.Facts)
		w.Facts = append(w.Facts, facts)
	}
	slices.SortFunc(w.Facts, func(a, b OriginFacts) int { return slices.CompareFunc(a.Origin, b.Origin, compareOrigin) })
	for i, b := range a.blocks {
		w.add(uint64(i), b.Datalog)
	}
	w.add(engine.AuthorizerBlock, &a.authorizer.Block)
	for _, p := range a.authorizer.Policies {
		w.Policies = append(w.Policies, p.String())
	}
	return w
}

func compareOrigin(a, b *uint64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(*a, *b)
}

// add lists the rules and checks of a block, sorted by their text.
func (w *World) add(origin uint64, b *datalog.Block) {
	var rules, checks []string
	for _, r := range b.Rules {
		rules = append(rules, r.String())
	}
	for _, c := range b.Checks {
		checks = append(checks, c.String())
	}
	slices.Sort(rules)
	slices.Sort(checks)
	if len(rules) > 0 {
		w.Rules = append(w.Rules, OriginRules{origin, rules})
	}
	if len(checks) > 0 {
		w.Checks = append(w.Checks, OriginChecks{origin, checks})
	}
}

// engineError names an error of the engine as the reference does.
func engineError(e *engine.Error) any {
	execution := func(v any) any { return object{"Execution": v} }
	switch e.Kind {
	case engine.UnboundHead:
		return object{"FailedLogic": object{"InvalidBlockRule": []any{0, e.Rule.String()}}}
	case engine.UnknownVariable:
		return execution(object{"UnknownVariable": e.Detail})
	case engine.InvalidType:
		return execution("InvalidType")
	case engine.Overflow:
		return execution("Overflow")
	case engine.DivideByZero:
		return execution("DivideByZero")
	case engine.ShadowedVariable:
		return execution("ShadowedVariable")
	case engine.UndefinedExtern:
		return execution(object{"UndefinedExtern": e.Detail})
	case engine.ExternError:
		return execution(object{"ExternEvalError": []any{e.Detail, errorText(e.Err)}})
	case engine.TooManyFacts:
		return object{"RunLimit": "TooManyFacts"}
	case engine.TooManyIterations:
		return object{"RunLimit": "TooManyIterations"}
	case engine.TooManySteps:
		return object{"RunLimit": "Timeout"}
	}
	return "InternalError"
}

// formatError names an error of parsing or verifying as the reference does,
// where it tells such errors apart.
func formatError(err error) any {
	format := func(v any) any { return object{"Format": v} }
	if e, ok := errors.AsType[*token.SignatureFormatError](err); ok {
		return format(object{"BlockSignatureDeserializationError": "block signature deserialization error: " + byteList(e.Signature)})
	}
	if e, ok := errors.AsType[*token.Error](err); ok && (e.Code == token.CodeSignature || e.Code == token.CodeUntrustedRoot) {
		return format(object{"Signature": object{"InvalidSignature": "signature error: Verification equation was not satisfied"}})
	}
	return format(object{"DeserializationError": errorText(err)})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// byteList writes bytes as the reference does: [1, 2, 3].
func byteList(b []byte) string {
	numbers := make([]string, len(b))
	for i, n := range b {
		numbers[i] = strconv.Itoa(int(n))
	}
	return "[" + strings.Join(numbers, ", ") + "]"
}
