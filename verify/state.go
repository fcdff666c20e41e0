package verify

import (
	"context"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

// State is what the service itself knows when a request comes in: nothing of it
// may come from the client. The zero value says nothing, so that caveats on
// context deny and so do sessions.
type State struct {
	// Context becomes context(name, value): the ticket that is open, an epoch.
	// Values are as in [delegation.Request].Args, at most 256 of them. One that no
	// fact can hold, such as a float64, denies the request.
	Context map[string]any

	// Channel is the connection that the request came in on: see
	// [delegation.ExporterChannel] and [delegation.ClientChannel]. Zero means
	// that it is not known.
	Channel delegation.Channel

	// Facts are stated besides. Their names are none of the vocabulary's own:
	// see [delegation.Reserved].
	Facts []datalog.Predicate
}

// VerifyWith is [Verifier.Verify] for a service that has more to say than the
// request. The state counts for this one decision. What cannot be stated denies,
// with the code check_failed.
func (v *Verifier) VerifyWith(ctx context.Context, raw string, req delegation.Request, s State) (*Decision, error) {
	d := &Decision{}
	if err := v.decide(ctx, d, raw, req, &s); err != nil {
		return d, d.deny(err)
	}
	d.Allowed = true
	return d, nil
}

// check refuses what cannot be stated, and returns what is stated of the context.
func (s *State) check() (context []datalog.Predicate, err error) {
	context, err = delegation.ContextFacts(s.Context)
	if err == nil && s.Channel != (delegation.Channel{}) {
		err = s.Channel.Validate()
	}
	for i := 0; i < len(s.Facts) && err == nil; i++ {
		err = delegation.FurtherFact(s.Facts[i])
	}
	if err != nil {
		return nil, token.Errorf(token.CodeCheckFailed, -1, "the service's state cannot be decided on: %s", err)
	}
	return context, nil
}

// sameChannel holds the connection that a session is bound to against the one that
// the request came in on. The kinds are compared too: the digest of a certificate is
// no exporter, whatever its bytes.
func sameChannel(inv *delegation.Invocation, channel delegation.Channel) error {
	switch {
	case channel == delegation.Channel{}:
		return token.Errorf(token.CodeCheckFailed, inv.Block, "the session is bound to a connection of the kind %s, and the service does not say which one this is", inv.Channel.Kind)
	case inv.Channel != channel:
		return token.Errorf(token.CodeCheckFailed, inv.Block, "the session is bound to another connection than the one that the request came in on")
	}
	return nil
}
