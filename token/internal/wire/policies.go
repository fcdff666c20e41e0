package wire

import "github.com/whittle-auth/whittle/token/datalog"

// Policies is a saved authorizer without a token (schema message
// AuthorizerPolicies). The format has no room for public keys, so nothing in it
// can trust one; nor has it room for a block's context and scopes.
type Policies struct {
	Version    uint32 // of Datalog; when writing, raised as needed, 0 for the newest
	Authorizer *datalog.Authorizer
}

// DecodePolicies reads a saved authorizer.
func DecodePolicies(data []byte, l *Limits) (*Policies, error) {
	d, err := newDecoder(data, l.or(tokenLimits))
	if err != nil {
		return nil, err
	}
	p, err := d.policies()
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (d *decoder) policies() (*Policies, *Error) {
	d.text = string(d.buf)
	n := d.counts(0, len(d.buf))
	in := newInterner(nil)
	a := &datalog.Authorizer{}
	f := d.over(msgPolicies, 0, len(d.buf))
	for f.next() {
		var err *Error
		switch f.num {
		case 1:
			err = f.declare(in)
			d.symbols = in.symbols
		case 2:
			d.version, err = f.datalogVersion()
		case 3, 4, 5:
			if d.version == 0 {
				return nil, noVersion(f.at)
			}
			err = f.statement(&a.Block, f.num-3, &n, 3)
		case 6:
			if d.version == 0 {
				return nil, noVersion(f.at)
			}
			err = f.policy(&a.Policies)
		}
		if err != nil {
			return nil, err
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	if d.version == 0 {
		return nil, noVersion(len(d.buf))
	}
	return &Policies{Version: d.version, Authorizer: a}, nil
}

// policy reads the Policy message in the current field.
func (f *fields) policy(to *[]datalog.Policy) *Error {
	if err := f.d.spend(1, f.at); err != nil {
		return f.in(err)
	}
	queries, err := f.queries()
	if err != nil {
		return err
	}
	p := datalog.Policy{Queries: queries}
	m := f.d.over(msgPolicy, f.start, f.stop)
	for m.next() {
		var err *Error
		switch m.num {
		case 1:
			err = m.query(&p.Queries)
		case 2:
			if m.val > uint64(datalog.Deny) {
				err = m.failf("unknown kind of policy %d", m.val)
			}
			p.Kind = datalog.PolicyKind(m.val)
		}
		if err != nil {
			return f.in(err)
		}
	}
	if m.err != nil {
		return f.in(m.err)
	}
	if len(p.Queries) == 0 {
		return f.failf("a policy without queries")
	}
	*to = append(*to, p)
	return nil
}

// Encode returns the bytes of the saved authorizer. It fails on an authorizer
// that the format cannot express.
func (p *Policies) Encode() ([]byte, error) {
	a := p.Authorizer
	switch {
	case a == nil:
		return nil, refuse("no authorizer")
	case a.Context != nil:
		return nil, refuse("the format has no context")
	case len(a.Scopes) > 0:
		return nil, refuse("the format has no default scopes")
	}
	e := &encoder{in: newInterner(nil), version: minVersion}
	body, err := e.statements(nil, &a.Block, 3)
	if err != nil {
		return nil, err
	}
	if body, err = e.policies(body, a.Policies, "policies", 6); err != nil {
		return nil, err
	}
	if len(e.in.keys.own) > 0 {
		return nil, refuse("the format has no public keys")
	}
	version, err := e.stated(p.Version, maxVersion)
	if err != nil {
		return nil, err
	}
	out, err := e.symbols(make([]byte, 0, len(body)+32*len(e.in.symbols.own)+8), 1)
	if err != nil {
		return nil, err
	}
	out = appendVarintField(out, 2, uint64(version))
	return append(out, body...), nil
}

// stated returns the version to write: the one that the caller states, or def
// for 0, but never one too low for what was written.
func (e *encoder) stated(version, def uint32) (uint32, *Error) {
	if version == 0 {
		version = def
	}
	if version > maxVersion {
		return 0, refuse("unknown Datalog version %d", version).under("version", -1)
	}
	return max(version, e.version), nil
}
