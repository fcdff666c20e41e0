package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Authorize asks for a decision.
type Authorize struct {
	Token      Hex    `json:"token"`
	RootPublic string `json:"root_public"`
	Authorizer string `json:"authorizer"`

	// MaxTimeMS bounds the evaluation in wall time; zero means ten seconds.
	MaxTimeMS uint64 `json:"max_time_ms,omitempty"`
}

// A Decision is what the reference decided. World is nil when no evaluation
// took place. AuthorizerCode is the authorizer's source as the reference
// prints it.
type Decision struct {
	Result         Result   `json:"result"`
	World          *World   `json:"world"`
	AuthorizerCode string   `json:"authorizer_code"`
	Blocks         []string `json:"blocks"`
	RevocationIDs  []Hex    `json:"revocation_ids"`
}

// World is what an authorizer knows at the end, in the layout of the
// conformance samples. Statements are printed by the reference, which does not
// escape strings and writes sets and maps of strings in the order of symbol
// numbers: compare them parsed.
type World struct {
	Facts    []Facts  `json:"facts"`
	Rules    []Rules  `json:"rules"`
	Checks   []Checks `json:"checks"`
	Policies []string `json:"policies"`
}

// Facts are the facts of one origin, sorted: the blocks that a fact was derived
// from, where nil is the authorizer.
type Facts struct {
	Origin []*uint64 `json:"origin"`
	Facts  []string  `json:"facts"`
}

// AuthorizerOrigin is the origin of the authorizer's rules and checks.
const AuthorizerOrigin uint64 = 1<<64 - 1

// Rules are the rules of one block, sorted.
type Rules struct {
	Origin uint64   `json:"origin"`
	Rules  []string `json:"rules"`
}

// Checks are the checks of one block, sorted.
type Checks struct {
	Origin uint64   `json:"origin"`
	Checks []string `json:"checks"`
}

// Class sorts results into allowed, denied by check or policy, and failed.
type Class uint8

const (
	Allowed Class = iota // a policy allows and every check holds
	Denied               // a check fails, a policy denies, or none matches
	Failed               // anything else: a bad token, an error in an expression, a limit
)

func (c Class) String() string {
	switch c {
	case Allowed:
		return "allowed"
	case Denied:
		return "denied"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}

// Result is the outcome of a decision.
type Result struct {
	Class Class

	// Policy is the index of the policy that matched, or -1: none did, or the
	// evaluation did not get so far. It allows or denies according to Kind.
	Policy int
	Kind   PolicyKind

	// FailedChecks are the checks that do not hold, in the reference's order: the
	// authorizer's, block 0's, then those of the other blocks.
	FailedChecks []FailedCheck

	// Code is the path of names in the reference's error, as in "Execution/Overflow",
	// when Class is [Failed].
	Code string

	// JSON is the result as the conformance samples write it.
	JSON json.RawMessage
}

// PolicyKind is what the policy that matched says.
type PolicyKind uint8

const (
	NoPolicy PolicyKind = iota
	AllowPolicy
	DenyPolicy
)

// A FailedCheck names a check that does not hold. Block is nil for a check of
// the authorizer.
type FailedCheck struct {
	Block *uint32
	Check uint32
	Rule  string
}

// UnmarshalJSON reads the samples' form: {"Ok": policy} or {"Err": error}.
func (r *Result) UnmarshalJSON(data []byte) error {
	var either struct {
		Ok  *int
		Err json.RawMessage
	}
	if err := strict(data, &either); err != nil {
		return err
	}
	*r = Result{Policy: -1, JSON: slices.Clone(data)}
	if either.Ok != nil {
		r.Policy, r.Kind = *either.Ok, AllowPolicy
		return nil
	}
	if either.Err == nil {
		return fmt.Errorf("a result has neither Ok nor Err: %s", data)
	}
	if denied, err := r.readDenial(either.Err); denied || err != nil {
		return err
	}
	r.Class, r.Code = Failed, errorCode(either.Err)
	return nil
}

// MarshalJSON writes the samples' form.
func (r Result) MarshalJSON() ([]byte, error) { return r.JSON, nil }

// readDenial reads a denial by check or policy and reports whether the error
// is one.
func (r *Result) readDenial(data []byte) (bool, error) {
	type check struct {
		BlockID uint32 `json:"block_id"`
		CheckID uint32 `json:"check_id"`
		Rule    string `json:"rule"`
	}
	type checks []struct{ Block, Authorizer *check }
	var failure struct {
		FailedLogic struct {
			Unauthorized *struct {
				Policy struct{ Allow, Deny *int } `json:"policy"`
				Checks checks                     `json:"checks"`
			}
			NoMatchingPolicy *struct {
				Checks checks `json:"checks"`
			}
		}
	}
	if err := json.Unmarshal(data, &failure); err != nil {
		return false, nil // another shape, so another error
	}
	var failed checks
	switch logic := failure.FailedLogic; {
	case logic.NoMatchingPolicy != nil:
		failed = logic.NoMatchingPolicy.Checks
	case logic.Unauthorized != nil:
		failed = logic.Unauthorized.Checks
		switch policy := logic.Unauthorized.Policy; {
		case policy.Allow != nil:
			r.Policy, r.Kind = *policy.Allow, AllowPolicy
		case policy.Deny != nil:
			r.Policy, r.Kind = *policy.Deny, DenyPolicy
		default:
			return false, fmt.Errorf("a denial names no policy: %s", data)
		}
	default:
		return false, nil
	}
	r.Class = Denied
	for _, c := range failed {
		switch {
		case c.Block != nil:
			r.FailedChecks = append(r.FailedChecks, FailedCheck{Block: &c.Block.BlockID, Check: c.Block.CheckID, Rule: c.Block.Rule})
		case c.Authorizer != nil:
			r.FailedChecks = append(r.FailedChecks, FailedCheck{Check: c.Authorizer.CheckID, Rule: c.Authorizer.Rule})
		default:
			return false, fmt.Errorf("a failed check belongs to nobody: %s", data)
		}
	}
	return true, nil
}

// errorCode joins the names that lead into a nested error: {"A": {"B": ..}} and
// {"A": "B"} give A/B. What is not a name, but prose or data, ends the path.
func errorCode(data []byte) string {
	var name string
	if json.Unmarshal(data, &name) == nil {
		if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }) {
			return ""
		}
		return name
	}
	var nested map[string]json.RawMessage
	if json.Unmarshal(data, &nested) != nil || len(nested) != 1 {
		return ""
	}
	for key, inner := range nested {
		name = key
		if rest := errorCode(inner); rest != "" {
			name += "/" + rest
		}
	}
	return name
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Authorize verifies a token and decides. A token that is refused gives a
// result of class [Failed]; an error means that the request makes no sense, as
// when the authorizer's text does not parse.
func (o *Oracle) Authorize(a Authorize) (Decision, error) {
	var reply Decision
	err := o.call("authorize", a, &reply)
	return reply, err
}

// Snapshot decides like [Oracle.Authorize] and returns the authorizer's state
// as an AuthorizerSnapshot message. Unlike there, a token that is refused is an
// error.
func (o *Oracle) Snapshot(a Authorize) ([]byte, Result, error) {
	var reply struct {
		Snapshot Hex    `json:"snapshot"`
		Result   Result `json:"result"`
	}
	err := o.call("snapshot", a, &reply)
	return reply.Snapshot, reply.Result, err
}

// LoadSnapshot reads an AuthorizerSnapshot message and decides. Only Result and
// World of the decision are set. The time limit in the message is replaced by
// ten seconds; its other limits hold.
func (o *Oracle) LoadSnapshot(snapshot []byte) (Decision, error) {
	var reply Decision
	err := o.call("load_snapshot", map[string]any{"snapshot": Hex(snapshot)}, &reply)
	return reply, err
}

// BuilderSnapshot returns the AuthorizerSnapshot message of an authorizer that
// has seen no token.
func (o *Oracle) BuilderSnapshot(authorizer string) ([]byte, error) {
	var reply struct {
		Snapshot Hex `json:"snapshot"`
	}
	err := o.call("builder_snapshot", map[string]any{"authorizer": authorizer}, &reply)
	return reply.Snapshot, err
}

// LoadBuilderSnapshot returns the source of what [Oracle.BuilderSnapshot] wrote.
func (o *Oracle) LoadBuilderSnapshot(snapshot []byte) (string, error) {
	var reply struct {
		Code string `json:"code"`
	}
	err := o.call("load_builder_snapshot", map[string]any{"snapshot": Hex(snapshot)}, &reply)
	return reply.Code, err
}

// SavePolicies returns the AuthorizerPolicies message of an authorizer, which
// has no place for scopes.
func (o *Oracle) SavePolicies(authorizer string) ([]byte, error) {
	var reply struct {
		Policies Hex `json:"policies"`
	}
	err := o.call("save_policies", map[string]any{"authorizer": authorizer}, &reply)
	return reply.Policies, err
}

// LoadPolicies returns the source of an AuthorizerPolicies message.
func (o *Oracle) LoadPolicies(policies []byte) (string, error) {
	var reply struct {
		Code string `json:"code"`
	}
	err := o.call("load_policies", map[string]any{"policies": Hex(policies)}, &reply)
	return reply.Code, err
}
