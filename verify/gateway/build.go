package gateway

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/replay"
	"github.com/whittle-auth/whittle/verify/revoke"
)

// maxPolicy bounds the text of a policy.
const maxPolicy = 1 << 20

// rules are what one configuration comes to. They never change.
type rules struct {
	source  *source
	policy  []byte // of policy_file, as it was read
	dialect dialect
	proxies proxies
	hosts   []string

	addresses   Addresses
	revocations []*revoke.File
	mapping     *httpauth.Mapping
	verifier    *verify.Verifier
}

// build makes everything that a configuration names but the memory of what was used,
// which outlives it.
func (g *Gateway) build(s *source, store replay.Store) (*rules, error) {
	r := &rules{source: s, hosts: s.Hosts}
	var err error
	if r.dialect, err = dialectOf(s.Proxy); err != nil {
		return nil, s.wrong(err, "proxy")
	}
	if r.proxies, err = parseProxies(s.Trusted); err != nil {
		return nil, s.wrong(err, "trusted_proxies")
	}
	if r.addresses, err = s.addresses(); err != nil {
		return nil, err
	}
	for _, host := range s.Hosts {
		if err := validHost(host); err != nil {
			return nil, s.wrong(err, "hosts")
		}
	}
	if err := r.routes(); err != nil {
		return nil, err
	}
	options, err := r.options(g)
	if err != nil {
		return nil, err
	}
	options.Replay, options.Now = store, g.now
	if s.Trust == "" {
		return nil, s.wrongf("trust", "trust is missing: the file with the keys of those who may mint")
	}
	roots, err := trust.Open(s.file(s.Trust), &trust.FileOptions{OnError: g.complain, Now: g.options.Now})
	if err != nil {
		return nil, s.wrong(err, "trust")
	}
	if err := delegation.ValidName(s.Audience); err != nil {
		return nil, s.wrongf("audience", "audience: %w", err)
	}
	if r.verifier, err = verify.New(s.Audience, roots, options); err != nil {
		return nil, s.wrong(err, "limits")
	}
	return r, nil
}

// routes makes the mapping.
func (r *rules) routes() error {
	s := r.source
	if len(s.Routes) == 0 || len(s.Routes) > maxRoutes {
		return s.wrongf("route", "a gateway has 1 to %d routes: a table [[route]] each", maxRoutes)
	}
	var all []httpauth.Route
	for i, c := range s.Routes {
		compiled := httpauth.Route{
			Pattern: c.Match, Operation: c.Operation, Resource: c.Resource,
			Query: c.Query, QueryIntegers: c.QueryIntegers, Fields: c.Fields,
		}
		switch c.Body {
		case "", "none":
			compiled.NoBody = true
		case "digest":
		default:
			return s.wrong(fmt.Errorf("body is none or digest"), "route", i+1, "body")
		}
		if c.Fields != nil && !r.dialect.body {
			return s.wrong(fmt.Errorf("fields are read out of a body, which %s does not send: use body = \"digest\"", s.Proxy), "route", i+1, "fields")
		}
		if _, err := httpauth.NewMapping(compiled); err != nil { // by itself, so that the error has its line
			return s.wrong(err, "route", i+1, "match")
		}
		if slices.ContainsFunc(all, func(o httpauth.Route) bool { return o.Pattern == c.Match }) {
			return s.wrong(fmt.Errorf("an earlier route matches the same: %s", c.Match), "route", i+1, "match")
		}
		all = append(all, compiled)
	}
	var err error
	r.mapping, err = httpauth.NewMapping(all...)
	return err
}

// options are those of the verifier.
func (r *rules) options(g *Gateway) (*verify.Options, error) {
	s := r.source
	v := &verify.Options{
		MaxTTL: s.Limits.MaxTTL.Duration, MaxWindow: s.Limits.MaxWindow.Duration,
		MaxDepth: s.Limits.MaxDepth, MaxBlocks: s.Limits.MaxBlocks, Memory: s.Limits.Memory,
		Limits:      verify.Limits{Facts: s.Limits.Facts, Iterations: s.Limits.Iterations, Steps: s.Limits.Steps},
		AllowBearer: s.AllowBearer, AllowApproverInChain: s.AllowApproverInChain, AllowApprovalReuse: s.AllowApprovalReuse,
		MaxStale: s.MaxStale.Duration,
	}
	for _, text := range s.TokenFacts {
		f, err := delegation.ParseFactType(text)
		if err != nil {
			return nil, s.wrongf("token_facts", "%q: %w", text, err)
		}
		v.TokenFacts = append(v.TokenFacts, f)
	}
	if s.Directory != "" {
		directory, err := trust.OpenDirectory(s.file(s.Directory), &trust.FileOptions{OnError: g.complain, Now: g.options.Now})
		if err != nil {
			return nil, s.wrong(err, "directory")
		}
		v.Directory = directory
	}
	for _, name := range s.Revoked {
		list, err := revoke.OpenFile(s.file(name))
		if err != nil {
			return nil, s.wrongf("revoked", "%s: %w", name, err)
		}
		v.Revocations = append(v.Revocations, list)
		r.revocations = append(r.revocations, list)
	}
	if s.MaxStale.Duration != 0 && len(s.Revoked) == 0 {
		return nil, s.wrongf("max_stale", "max_stale means nothing without revoked")
	}
	return v, r.readPolicy(v)
}

func (r *rules) readPolicy(v *verify.Options) error {
	s := r.source
	text, key := s.Policy, "policy"
	switch {
	case s.Policy != "" && s.PolicyFile != "":
		return s.wrongf("policy_file", "a policy stands either here or in a file")
	case s.PolicyFile != "":
		data, err := readSmall(s.file(s.PolicyFile), maxPolicy)
		if err != nil {
			return s.wrong(err, "policy_file")
		}
		r.policy, text, key = data, string(data), "policy_file"
	case s.Policy == "":
		return nil
	}
	var err error
	if v.Policy, err = datalog.ParseAuthorizer(text, nil); err != nil {
		return s.wrongf(key, "%s: %w", key, err)
	}
	if len(v.Policy.Policies) == 0 {
		return s.wrongf(key, "the policy allows nothing: write allow if true to let the token's caveats decide")
	}
	return nil
}

// validHost refuses what no request's host is compared with.
func validHost(host string) error {
	if host == "" || host != strings.ToLower(host) || strings.ContainsAny(host, "/:* ") {
		return fmt.Errorf("%q is no host: names are written in lower case, without a port", host)
	}
	return nil
}

// complain tells of a file that was good before.
func (g *Gateway) complain(err error) {
	g.complaints.Add(1)
	g.options.logger().Error("a file cannot be read again; what it said before stays in force", slog.Any("error", err))
}
