package token

import "github.com/whittle-auth/whittle/token/internal/wire"

// A Snapshot is an authorizer with all it knew when it was taken: the token's
// blocks without their signatures, the service's facts, rules, checks and
// policies, and the facts derived (AuthorizerSnapshot in schema.proto). It
// proves nothing and is no token.
type Snapshot = wire.Snapshot

// A SnapshotBlock is one block of a [Snapshot].
type SnapshotBlock = wire.SnapshotBlock

// SnapshotFacts are the facts of a [Snapshot] that came about from the same
// blocks.
type SnapshotFacts = wire.OriginFacts

// Policies is what a service brings to every decision, in the binary form of
// AuthorizerPolicies in schema.proto.
type Policies = wire.Policies

// ParseSnapshot decodes a snapshot. Errors are of type [*Error].
func ParseSnapshot(data []byte, limits *Limits) (*Snapshot, error) {
	s, err := wire.DecodeSnapshot(data, limits.wire())
	if err != nil {
		return nil, wireError(err, -1)
	}
	return s, nil
}

// ParsePolicies decodes an authorizer's policies. Errors are of type [*Error].
func ParsePolicies(data []byte, limits *Limits) (*Policies, error) {
	p, err := wire.DecodePolicies(data, limits.wire())
	if err != nil {
		return nil, wireError(err, -1)
	}
	return p, nil
}
