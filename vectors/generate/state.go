package main

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// A stateCase is one entry of state.json: a service that is asked several times, and
// what it knows besides.
type stateCase struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Rule        string      `json:"rule"`
	Attack      string      `json:"attack,omitempty"`
	Trust       string      `json:"trust"`
	Service     string      `json:"service"`
	AllowBearer bool        `json:"allow_bearer,omitempty"`
	Began       string      `json:"began,omitempty"`
	Revoked     []string    `json:"revoked,omitempty"`
	BadList     bool        `json:"bad_list,omitempty"`
	Steps       []stateStep `json:"steps,omitempty"`
}

type stateStep struct {
	Now     string          `json:"now"`
	Token   string          `json:"token"`
	Request caseRequest     `json:"request"`
	Expect  caseExpectation `json:"expect"`
}

// Codes of what outlasts a request.
const (
	replayed = "replay"
	revoked  = "revoked"
	stale    = "stale"
)

// ask is a step at the usual time with the usual request; an empty code allows.
func ask(token, code string) stateStep {
	a := usual().action
	return stateStep{
		Now: usedAt.Format(time.RFC3339), Token: token,
		Request: caseRequest{a.operation, a.resources, a.args},
		Expect:  caseExpectation{Allowed: code == "", Code: code},
	}
}

func (s stateStep) at(t time.Time) stateStep {
	s.Now = t.Format(time.RFC3339)
	return s
}

func (s stateStep) operation(name string) stateStep {
	s.Request.Operation = name
	return s
}

func sequence(name, description string, steps ...stateStep) stateCase {
	return stateCase{Name: name, Description: description, Rule: "V12", Trust: aliceTrust(), Service: serviceName, Steps: steps}
}

func (c stateCase) of(attack string) stateCase {
	c.Attack = attack
	return c
}

func (c stateCase) beganAt(t time.Time) stateCase {
	c.Began = t.Format(time.RFC3339Nano)
	return c
}

func (c stateCase) under(trust string) stateCase {
	c.Trust = trust
	return c
}

func (c stateCase) bearer() stateCase {
	c.AllowBearer = true
	return c
}

// another is the usual invocation with a nonce of its own.
func another() invocation {
	in := usual()
	in.nonce = sum([]byte("whittle vectors another nonce"))[:16]
	return in
}

func stateCases() []stateCase {
	return slices.Concat(replayCases(), revokedCases(), staleCases(), badLists())
}

func replayCases() []stateCase {
	one := mint(grant()).invoke(ci, usual())
	two := mint(grant()).invoke(ci, another())
	later := usedAt.Add(10 * time.Minute)
	afterwards := mint(grant()).invoke(ci, at(later))
	p256 := new(chain).add(grant(), link{signer: aliceP256, next: ciP256.publicKey}).invoke(ciP256, usual())
	open := new(chain).add(block{facts: grant().facts[:1], checks: grant().checks}, link{signer: alice, next: stranger.publicKey}).text(secretProof(stranger.secret))
	const restart = "replay after a restart"
	twice := func(c *chain) (string, string) { return c.clone().invoke(ci, usual()), c.invoke(ci, another()) }
	approved, approvedAgain := twice(needing(approvalBy(bob)).approve(ci, bob))
	idle, idleAgain := twice(mint(grant()).approve(ci, bob))

	return []stateCase{
		sequence("replay-twice", "One invocation is presented twice.", ask(one, ""), ask(one, replayed)),
		sequence("replay-last-second", "It is presented again in the last second of its window.",
			ask(one, ""), ask(one, replayed).at(usedAt.Add(59*time.Second)), ask(one, window).at(usedAt.Add(time.Minute))),
		sequence("replay-other-spelling", "It is presented again with the prefix biscuit:.", ask(one, ""), ask("biscuit:"+one, replayed)),
		sequence("replay-padded", "It is presented again with padding.", ask(one, ""), ask(one+strings.Repeat("=", (4-len(one)%4)%4), replayed)),
		sequence("replay-p256", "The same with P-256 keys.", ask(p256, ""), ask(p256, replayed)).
			under(trustLine(delegator, forWhittle, aliceP256.publicKey)),
		sequence("replay-two-invocations", "Two invocations of one request differ in their nonces.", ask(one, ""), ask(two, ""), ask(two, replayed)),
		sequence("replay-approval", "Two invocations of one request need the same approval, which serves one.", ask(approved, ""), ask(approvedAgain, replayed)),
		sequence("replay-approval-after-denial", "An invocation with another request does not use the approval up.",
			ask(approved, checkFailed).operation("read"), ask(approvedAgain, ""), ask(approved, replayed)),
		sequence("replay-approval-not-demanded", "An approval that no caveat demands is not used up.", ask(idle, ""), ask(idleAgain, "")),
		sequence("replay-approval-restart", "The memory began with the window of the invocation, and the approval can have been used before.",
			ask(approved, replayed)).beganAt(usedAt.Add(-skew)).of(restart),
		sequence("replay-after-denial", "A bystander presents the invocation with another request first, which uses nothing up.",
			ask(one, checkFailed).operation("read"), ask(one, ""), ask(one, replayed)).of("a token burnt by a bystander"),
		sequence("replay-bearer", "A bearer token has no invocation, and is used as often as it allows.", ask(open, ""), ask(open, "")).bearer(),
		sequence("replay-clock-set-back", "The clock is set back after the entry has ended: the verifier's time does not go back.",
			ask(one, ""), ask(afterwards, "").at(later), ask(one, window)).of("clock set back"),
		sequence("replay-restart", "The memory began after the window did.", ask(one, replayed)).beganAt(usedAt).of(restart),
		sequence("replay-restart-fraction", "The memory began a part of a second after the window did.", ask(one, replayed)).
			beganAt(usedAt.Add(-skew + 500*time.Millisecond)).of(restart),
		sequence("replay-restart-same-second", "The memory and the window began at the same moment.", ask(one, ""), ask(one, replayed)).beganAt(usedAt.Add(-skew)),
	}
}

// revocations writes a revocation list as of a time.
func revocations(asOf time.Time, entries ...string) string {
	return "as-of " + asOf.Format(time.RFC3339) + "\n" + strings.Join(append(entries, "end\n"), "\n")
}

func blockEntry(c *chain, n int) string {
	return "block " + hex.EncodeToString(c.blocks[n].signature)
}

func keyEntry(k key) string { return "key " + k.text() }

func (c stateCase) with(lists ...string) stateCase {
	c.Rule, c.Revoked = "V11", lists
	return c
}

// lists is a service with lists as of now that is asked once.
func lists(name, description, code, token string, entries ...string) stateCase {
	return sequence(name, description, ask(token, code)).with(revocations(usedAt, entries...))
}

func revokedCases() []stateCase {
	c := mint(grant()).narrow(ci, operation("rotate")).handoff(ci, runner, "agent:runner")
	held := c.clone()
	text := c.invoke(runner, usual())
	again := mint(grant()).narrow(ci, operation("rotate")).handoff(ci, runner, "agent:runner", depthAtMost(3)).invoke(runner, usual())
	fresh := mint(grant()).handoff(ci, tester, "agent:tester").invoke(tester, usual())
	p256 := new(chain).add(grant(), link{signer: aliceP256, next: ci.publicKey})
	p256Trust := trustLine(delegator, forWhittle, aliceP256.publicKey)
	low := p256.blocks[0].signature
	p256Text := p256.invoke(ci, usual())
	const hash = "#1@example.com"
	named := grant()
	named.facts[0] = pred("delegator", str(hash))
	hashText := mint(named).invoke(ci, usual())
	const signsAgain = "after revocation the parent signs again"
	second := usedAt.Add(time.Second).Format(time.RFC3339)
	ended := usedAt.Format(time.RFC3339)

	return []stateCase{
		lists("revoked-nothing", "The list is empty.", "", text),
		lists("revoked-others", "The list has another block, another key and another delegator.", "", text,
			blockEntry(mint(wide()), 0), keyEntry(stranger), "delegator bob@example.com", "delegator Alice@example.com"),
		lists("revoked-block-0", "Block 0 is revoked.", revoked, text, blockEntry(held, 0)),
		lists("revoked-narrowing", "The block that narrows is revoked.", revoked, text, blockEntry(held, 1)),
		lists("revoked-hop", "The block of the handoff is revoked.", revoked, text, blockEntry(held, 2)),
		lists("revoked-invocation", "The invocation itself is revoked.", revoked, text, blockEntry(c, 3)),
		lists("revoked-root-key", "The root key is revoked.", revoked, text, keyEntry(alice)),
		lists("revoked-earlier-holder", "The key of an earlier holder is revoked.", revoked, text, keyEntry(ci)),
		lists("revoked-last-holder", "The key of the last holder is revoked.", revoked, text, keyEntry(runner)),
		lists("revoked-delegator", "The delegator is revoked.", revoked, text, "delegator "+delegator),
		lists("revoked-comments", "Comments, blank lines and blanks stand between the entries.", revoked, text,
			"", "# key "+stranger.text(), "  key\t"+stranger.text()+"   # not in this token", "\tkey  "+ci.text()+" # this is"),
		lists("revoked-name-with-hash", "A delegator's name begins with what else begins a comment.", revoked, hashText,
			"# delegator bob@example.com", "delegator "+hash+" # left us").under(trustLine("*@example.com", forWhittle, alice.publicKey)),
		lists("revoked-until-later", "The entry ends in the next second.", revoked, text, keyEntry(ci)+" until="+second),
		lists("revoked-until-now", "The entry has ended.", "", text, keyEntry(ci)+" until="+ended),
		lists("revoked-until-twice", "Of two entries for one key the longer counts.", revoked, text, keyEntry(ci), keyEntry(ci)+" until="+ended),
		lists("revoked-low-s", "A P-256 block is revoked by its id.", revoked, p256Text, "block "+hex.EncodeToString(low)).under(p256Trust),
		lists("revoked-high-s", "The list has the other form of the block's P-256 signature.", revoked, p256Text, "block "+hex.EncodeToString(flipS(low))).under(p256Trust),
		sequence("revoked-second-list", "The second of two lists revokes.", ask(text, revoked)).with(revocations(usedAt), revocations(usedAt, keyEntry(ci))),
		sequence("revoked-second-list-first-stale", "The second of two lists revokes, and the first is too old.", ask(text, revoked)).
			with(revocations(usedAt.Add(-48*time.Hour)), revocations(usedAt, keyEntry(ci))),
		sequence("revoked-expired", "The token has expired, which comes first.", ask(text, expired).at(expiry)).with(revocations(expiry, keyEntry(ci))),
		sequence("revoked-before-replay", "A replay of a revoked token is revoked.", ask(text, revoked), ask(text, revoked)).with(revocations(usedAt, keyEntry(ci))),
		lists("revoked-signed-again", "The block of the handoff is revoked, and its signer signs another for the same key.", "", again, blockEntry(held, 2)).of(signsAgain),
		lists("revoked-signed-again-key", "The key is revoked besides.", revoked, again, blockEntry(held, 2), keyEntry(runner)).of(signsAgain),
		lists("revoked-fresh-key", "Block and key are revoked, and the parent hands on to a new key.", "", fresh, blockEntry(held, 2), keyEntry(runner)).of(signsAgain),
		lists("revoked-parent-block", "The parent's block is revoked.", revoked, fresh, blockEntry(held, 0)).of(signsAgain),
		lists("revoked-parent-key", "The parent's key is revoked.", revoked, fresh, keyEntry(ci)).of(signsAgain),
	}
}

func staleCases() []stateCase {
	text := mint(grant()).invoke(ci, usual())
	aged := func(name, description, code string, asOf time.Time, entries ...string) stateCase {
		return sequence(name, description, ask(text, code)).with(revocations(asOf, entries...))
	}
	const day = 24 * time.Hour
	return []stateCase{
		aged("stale-not-yet", "The list is 24 hours old.", "", usedAt.Add(-day)),
		aged("stale-by-a-second", "The list is a second older.", stale, usedAt.Add(-day-time.Second)),
		aged("stale-revokes", "What an old list revokes stays revoked.", revoked, usedAt.Add(-30*day), keyEntry(ci)),
		aged("stale-skew", "The list is as of 30 seconds from now.", "", usedAt.Add(skew)),
		aged("stale-from-the-future", "The list is as of 31 seconds from now.", stale, usedAt.Add(skew+time.Second)),
		sequence("stale-second-list", "The second of two lists is too old.", ask(text, stale)).with(revocations(usedAt), revocations(usedAt.Add(-2*day))),
	}
}

// badLists are lists that a service must not take, each for one line.
func badLists() []stateCase {
	bad := func(name, description, text string) stateCase {
		return stateCase{
			Name: "list-" + name, Description: description, Rule: "V11", Trust: aliceTrust(), Service: serviceName,
			Revoked: []string{text}, BadList: true,
		}
	}
	entry := func(name, description, line string) stateCase {
		return bad(name, description, revocations(usedAt, line))
	}
	const asOf = "as-of 2026-03-01T12:05:00Z\n"
	return []stateCase{
		bad("empty", "The list is empty.", ""),
		bad("no-end", "The list has no end line: it may be cut off.", asOf+keyEntry(ci)+"\n"),
		bad("cut-off-line", "The last line does not end in a line feed.", asOf+"end"),
		bad("after-the-end", "An entry follows the end.", asOf+"end\n"+keyEntry(ci)+"\n"),
		bad("no-as-of", "The list does not say as of when it is.", keyEntry(ci)+"\nend\n"),
		bad("as-of-twice", "The list says so twice.", asOf+asOf+"end\n"),
		bad("as-of-offset", "Its time has an offset.", "as-of 2026-03-01T13:05:00+01:00\nend\n"),
		bad("as-of-fraction", "Its time has a fraction.", "as-of 2026-03-01T12:05:00.5Z\nend\n"),
		entry("unknown-kind", "An entry is of no known kind.", "agent agent:ci"),
		entry("no-value", "An entry has no value.", "key"),
		entry("key-upper-case", "A key is in upper case.", "key ed25519/"+strings.ToUpper(ci.text()[len("ed25519/"):])),
		entry("key-short", "A key lacks two digits.", keyEntry(ci)[:len(keyEntry(ci))-2]),
		entry("key-of-invocations", "The key is that of all invocations.", keyEntry(ending)),
		entry("block-upper-case", "A block's id is in upper case.", "block "+strings.ToUpper(blockEntry(mint(grant()), 0)[len("block "):])),
		entry("delegator-wildcard", "A delegator has a wildcard.", "delegator *@example.com"),
		entry("delegator-upper-case-domain", "A delegator's domain is not in lower case.", "delegator alice@Example.com"),
		entry("until-date", "An entry ends on a day.", keyEntry(ci)+" until=2026-03-02"),
		entry("comment-unmarked", "A comment is not marked.", keyEntry(ci)+" lost"),
		entry("carriage-return", "A line ends in a carriage return and a line feed.", keyEntry(ci)+"\r"),
	}
}
