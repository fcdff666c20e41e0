package verify

import (
	"fmt"
	"slices"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify/internal/engine"
)

// Defaults of the reference implementation, for snapshots of authorizations that
// did not choose their own.
const (
	snapshotFacts      = 1000
	snapshotIterations = 100
	snapshotTime       = 1_000_000 // nanoseconds; there is no clock here to compare with
)

// Snapshot returns all that the authorization knew, to be kept and looked at
// later. It holds no signatures: it proves nothing and is no token.
func (a *Authorization) Snapshot() (*token.Snapshot, error) {
	if a.result == nil {
		return nil, fmt.Errorf("nothing was evaluated")
	}
	s := &token.Snapshot{
		MaxFacts:      uint64(orDefault(a.limits.Facts, snapshotFacts)),
		MaxIterations: uint64(orDefault(a.limits.Iterations, snapshotIterations)),
		MaxTime:       snapshotTime,
		Policies:      a.authorizer.Policies,
		Iterations:    uint64(a.result.Iterations()),
	}
	stated := a.authorizer.Block
	stated.Facts = slices.Concat(stated.Facts, a.facts)
	s.Authorizer.Datalog = &stated
	for _, b := range a.blocks {
		s.Blocks = append(s.Blocks, token.SnapshotBlock{Datalog: b.Datalog, External: b.External})
	}
	for _, group := range a.result.World() {
		s.Facts = append(s.Facts, token.SnapshotFacts{Origins: group.Origin, Facts: group.Facts})
	}
	return s, nil
}

// AuthorizeUnverified evaluates a snapshot again: its blocks, facts, rules,
// checks and policies. Facts are derived anew, those listed in the snapshot are
// not believed. Nothing says that the blocks ever were those of a token: the
// outcome explains a decision made earlier and must not make one. The limits are
// those of o, whatever the snapshot says.
func AuthorizeUnverified(s *token.Snapshot, o *AuthorizeOptions) (*Authorization, error) {
	blocks := make([]engine.Block, len(s.Blocks))
	for i, b := range s.Blocks {
		blocks[i] = engine.Block{Datalog: b.Datalog, External: b.External}
	}
	a := &datalog.Authorizer{Policies: s.Policies}
	if s.Authorizer.Datalog != nil {
		a.Block = *s.Authorizer.Datalog
	}
	prepared, err := NewAuthorizer(a)
	if err != nil {
		return &Authorization{blocks: blocks, authorizer: a}, err
	}
	return prepared.authorize(blocks, nil, nil, o)
}

func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}
