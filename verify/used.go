package verify

import (
	"errors"
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify/replay"
)

// remember prepares the memory of what was used (V12), which is on unless
// switched off by name.
func (v *Verifier) remember() (err error) {
	switch o := &v.options; {
	case o.AllowReplay && o.Replay != nil:
		return fmt.Errorf("replay is both allowed and looked out for")
	case o.AllowReplay, o.Replay != nil:
		return nil
	}
	v.options.Replay, err = replay.NewMemory(v.options.Now(), nil)
	return err
}

// used is what a request uses up, and the block of each entry.
type used struct {
	replay.Use
	blocks []int
}

// uses notes what the request uses up if it is allowed: the invocation. A bearer
// token has none, and may be used by whoever has it as often as it allows.
func (a *attempt) uses() {
	a.used.Now = a.now
	// A session is good for many requests, for as long as it lasts.
	if inv := a.chain.Invocation; inv != nil && !inv.IsSession() {
		a.use(inv.Block, a.token.Blocks()[inv.Block].Signature, seconds(inv.NotBefore), seconds(inv.Expires))
	}
}

// use has one more signature used up. from is when it can have been used first,
// the zero time if nobody knows; until is when it can no longer be used.
func (a *attempt) use(block int, signature []byte, from, until time.Time) {
	u := &a.used
	if len(u.Entries) == 0 {
		u.Group = replay.KeyOf(a.token.Blocks()[0].Signature)
	}
	u.Entries = append(u.Entries, replay.Entry{Key: replay.KeyOf(signature), From: from, Until: until})
	u.blocks = append(u.blocks, block)
}

// unused looks up whether something that the request needs is used up: before
// Datalog, to spare its work. record decides.
func (a *attempt) unused() error {
	if a.v.options.Replay == nil || len(a.used.Entries) == 0 {
		return nil
	}
	return a.used.refusal(a.v.options.Replay.Check(a.ctx, a.used.Use))
}

// record uses up what the request needs, all of it or nothing. It comes last:
// what is denied for another reason stays usable, so that nobody can burn a token
// by presenting it with another request.
func (a *attempt) record() error {
	if a.v.options.Replay == nil || len(a.used.Entries) == 0 {
		return nil
	}
	return a.used.refusal(a.v.options.Replay.Record(a.ctx, a.used.Use))
}

// refusal gives a store's answer its code. That one delegation asks for too much
// is its own doing, limit; that a store is full or fails is the service's,
// unavailable. All deny.
func (u *used) refusal(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*replay.Error](err)
	if !ok {
		return &token.Error{Code: token.CodeUnavailable, Block: -1, Msg: "the store of what was used", Err: err}
	}
	block, what := -1, "what the request needs"
	var entry replay.Entry
	if e.Entry >= 0 && e.Entry < len(u.Entries) {
		block, entry = u.blocks[e.Entry], u.Entries[e.Entry]
		what = "the signature"
	}
	switch e.Kind {
	case replay.Used:
		return token.Errorf(token.CodeReplay, block, "%s was used already, and serves one request only", what)
	case replay.BeforeStart:
		return token.Errorf(token.CodeReplay, block, "%s can have been used %s, and this service's memory of what was used began at %s: "+
			"make a new one that begins later, or give the service a store that outlasts a restart", what, since(entry.From), rfc3339(e.Since))
	case replay.Forgotten:
		return token.Errorf(token.CodeReplay, block, "%s ends at %s, which is past in the memory of what was used: a clock was set back", what, rfc3339(entry.Until))
	case replay.Quota:
		return token.Errorf(token.CodeLimit, -1, "too many requests at a time under one delegation: its share of the memory of what was used is full")
	case replay.Full:
		return token.Errorf(token.CodeUnavailable, -1, "the memory of what was used is full")
	}
	return &token.Error{Code: token.CodeUnavailable, Block: block, Msg: "the store of what was used", Err: err}
}

// since says when something can have been used first.
func since(from time.Time) string {
	if from.IsZero() {
		return "at any time before"
	}
	return "since " + rfc3339(from)
}

// seconds is a time of a token, which can be further away than a time.Time that
// can be compared.
func seconds(at uint64) time.Time {
	const most = 1 << 40
	return time.Unix(int64(min(at, most)), 0).UTC()
}
