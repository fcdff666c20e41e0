package main

import (
	"encoding/base64"
	"time"
)

// A delegationCase is one entry of delegation.json.
type delegationCase struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Rule        string          `json:"rule"`
	Attack      string          `json:"attack,omitempty"`
	Sibling     string          `json:"sibling,omitempty"`
	Token       string          `json:"token"`
	Trust       string          `json:"trust"`
	Service     string          `json:"service"`
	Now         string          `json:"now"`
	Request     caseRequest     `json:"request"`
	AllowBearer bool            `json:"allow_bearer,omitempty"`
	Directory   string          `json:"directory,omitempty"`
	Context     map[string]any  `json:"context,omitempty"`
	Channel     string          `json:"channel,omitempty"`
	Facts       []statedFact    `json:"facts,omitempty"`
	TokenFacts  []string        `json:"token_facts,omitempty"`
	Expect      caseExpectation `json:"expect"`
}

type caseRequest struct {
	Operation string         `json:"operation"`
	Resources []string       `json:"resources"`
	Args      map[string]any `json:"args,omitempty"`
}

type caseExpectation struct {
	Allowed bool   `json:"allowed"`
	Code    string `json:"code,omitempty"`
}

// Codes of a denial, beside those of the wire.
const (
	untrustedRoot = "untrusted_root"
	notPresented  = "not_presented"
	profile       = "profile"
	wrongAudience = "audience"
	window        = "window"
	expired       = "expired"
	checkFailed   = "check_failed"
	failed        = "evaluation"
	overLimit     = "limit"
)

// The people and agents of the delegation vectors.
var (
	alice    = edKey("alice")
	ci       = edKey("agent ci")
	runner   = edKey("agent runner")
	tester   = edKey("agent tester")
	stranger = edKey("stranger")

	aliceP256  = p256Key("alice")
	ciP256     = p256Key("agent ci")
	runnerP256 = p256Key("agent runner")

	ending = invocationKey()
)

// The times: a token is minted, five minutes later it is used, and it expires an
// hour after it was minted. The day is a Sunday.
var (
	minted  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	usedAt  = minted.Add(5 * time.Minute)
	expiry  = minted.Add(time.Hour)
	skew    = 30 * time.Second
	earlier = minted.Add(-skew)
)

const (
	serviceName = "svc:certs"
	delegator   = "alice@example.com"
	certificate = "payments/certs/api"
)

// trustLine is an entry of an allowed_signers file.
func trustLine(principals, options string, k publicKey) string {
	line := principals
	if options != "" {
		line += " " + options
	}
	return line + " " + k.ssh() + "\n"
}

const forWhittle = `namespaces="whittle"`

func aliceTrust() string { return trustLine(delegator, forWhittle, alice.publicKey) }

// Positions of the checks of a grant.
const (
	grantExpiry = iota
	grantNotBefore
	grantResource
	grantOperation
)

// grant is the usual block 0: alice lets agent:ci rotate or read one certificate
// for an hour.
func grant(more ...node) block {
	return block{
		facts: []node{pred("delegator", str(delegator)), pred("holder", str("agent:ci"))},
		checks: append([]node{
			expires(expiry), notBefore(earlier), resource(exactly(certificate)), operation("rotate", "read"),
		}, more...),
	}
}

// wide is a grant on everything below payments.
func wide(more ...node) block {
	b := grant(more...)
	b.checks[grantResource] = resource(under("payments"))
	return b
}

// mint signs block 0 by alice for agent:ci.
func mint(b block) *chain {
	return new(chain).add(b, link{signer: alice, next: ci.publicKey})
}

// handed is the block of a handoff.
func handed(name string, checks ...node) block {
	return block{facts: []node{pred("holder", str(name))}, checks: checks}
}

// handoff appends a block in which from names the next holder.
func (c *chain) handoff(from, to key, name string, checks ...node) *chain {
	return c.add(handed(name, checks...), link{signer: from, next: to.publicKey})
}

// narrow appends checks and keeps the holder.
func (c *chain) narrow(holder key, checks ...node) *chain {
	return c.add(block{checks: checks}, link{signer: holder, next: holder.publicKey})
}

// An invocation is what the last block of a presented token says.
type invocation struct {
	action
	nonce       []byte
	from, until time.Time
	prefix      []byte // nil means the prefix hash of the held token
}

// usual is the invocation that most vectors make, at the usual time.
func usual() invocation {
	return invocation{
		action: action{operation: "rotate", resources: []string{certificate}, audience: serviceName},
		nonce:  sum([]byte("whittle vectors nonce"))[:16],
		from:   usedAt.Add(-skew), until: usedAt.Add(time.Minute),
	}
}

// at is the usual invocation made at another time.
func at(t time.Time) invocation {
	in := usual()
	in.from, in.until = t.Add(-skew), t.Add(time.Minute)
	return in
}

func to(operation string, resources ...string) invocation {
	in := usual()
	in.operation, in.resources = operation, resources
	return in
}

func passing(args map[string]any) invocation {
	in := usual()
	in.args = args
	return in
}

// Positions of the checks of an invocation.
const (
	invokeRequest = iota
	invokeAudience
	invokeTime
)

// block writes the invocation of the token that c holds.
func (in invocation) block(c *chain) block {
	prefix := in.prefix
	if prefix == nil {
		prefix = c.prefixHash()
	}
	digest := in.requestDigest(prefix, in.nonce)
	return block{
		facts: []node{pred("nonce", byteArray(in.nonce))},
		checks: []node{
			all("request", "q", infix(binEqual, ref("q"), val(byteArray(digest)))),
			all("audience", "a", infix(binEqual, ref("a"), text(in.audience))),
			all("time", "t", lazy(binAnd,
				infix(binGreaterOrEqual, ref("t"), moment(in.from)),
				infix(binLessThan, ref("t"), moment(in.until)))),
		},
	}
}

// invoke appends the invocation and returns the presented token's text.
func (c *chain) invoke(holder key, in invocation) string {
	return c.end(in.block(c), holder)
}

// end appends any block as the invocation and returns the token's text.
func (c *chain) end(b block, holder key) string {
	c.add(b, link{signer: holder, next: ending.publicKey})
	return c.presented()
}

func (c *chain) presented() string { return c.text(secretProof(ending.secret)) }

func (c *chain) text(proof message) string {
	return base64.RawURLEncoding.EncodeToString(c.wire(proof))
}

// held is the text form of a token at rest.
func (c *chain) held() string { return "whittle:" + c.text(heldProof()) }

// An option changes a vector from the usual one.
type option func(*delegationCase)

func trusting(text string) option  { return func(c *delegationCase) { c.Trust = text } }
func service(name string) option   { return func(c *delegationCase) { c.Service = name } }
func now(t time.Time) option       { return func(c *delegationCase) { c.Now = t.Format(time.RFC3339) } }
func attack(row string) option     { return func(c *delegationCase) { c.Attack = row } }
func withBearer(c *delegationCase) { c.AllowBearer = true }
func asked(a action) option {
	return func(c *delegationCase) { c.Request = caseRequest{a.operation, a.resources, a.args} }
}

func newCase(name, description, rule, token string, options []option) delegationCase {
	c := delegationCase{Name: name, Description: description, Rule: rule, Token: token, Trust: aliceTrust(), Service: serviceName}
	now(usedAt)(&c)
	asked(usual().action)(&c)
	for _, o := range options {
		o(&c)
	}
	return c
}

func allowed(name, description, rule, token string, options ...option) delegationCase {
	c := newCase(name, description, rule, token, options)
	c.Expect = caseExpectation{Allowed: true}
	return c
}

// denied differs in one thing from its sibling, which is allowed. An empty code
// leaves the code open.
func denied(name, sibling, description, rule, code, token string, options ...option) delegationCase {
	c := newCase(name, description, rule, token, options)
	c.Sibling = sibling
	c.Expect = caseExpectation{Code: code}
	return c
}

func delegationCases() []delegationCase {
	var all []delegationCase
	for _, cases := range [][]delegationCase{
		allowedChains(), allowedCaveats(), allowedTrust(), allowedForms(), allowedEvaluation(), allowedApprovals(), allowedSurroundings(), allowedTyped(),
		deniedRequests(), deniedCaveats(), deniedTimes(), deniedRoots(), deniedForms(),
		deniedFacts(), deniedHolders(), deniedGrants(), deniedInvocations(), deniedSignatures(), deniedThirdParty(), deniedEvaluation(), deniedApprovals(), deniedSurroundings(), deniedTyped(), edgeCases(),
	} {
		all = append(all, cases...)
	}
	return all
}
