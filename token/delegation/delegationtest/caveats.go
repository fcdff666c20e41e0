// Package delegationtest generates caveats and requests for property tests: over
// a small world, so that allowed and denied are both common, with hostile values
// among the others.
package delegationtest

import (
	"math"
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// Values of the small world.
var (
	Operations = []string{"read", "write", "rotate", `a "b"`, "or"}
	Audiences  = []string{"svc:certs", "svc:pay", "svc:a or svc:b"}
	Paths      = []string{"a", "a/b", "a/b/c", "a/bc", "ab", "x", "x/y", "or", `q"{t}`}
	Agents     = []string{"agent:ci", "agent:ci/7", "agent:ci/7/x", "agent:cix", "spiffe://x.org/ns/a", "spiffe://x.org/ns"}
	Names      = []string{"n", "s", "p", "ip", "u", "", "or", `a "b"`, "/o/k", "/o/ip", "/o/u", "/list/0"}
	Contexts   = []string{"ticket", "epoch", `t "1"`}

	Integers = []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, 4, 5, 7, 100, math.MaxInt64 - 1, math.MaxInt64}

	// Texts are by topic, so that each meets the caveats that it is about.
	Texts = [][]string{
		{"", "a", "A", "true", "null", "5", "-1", "1..5", "or", "set", "é", `"`, `\`, `x"y\`, "a\nb", "a\x00", "a b", " a", "a ", "$v", "{p}", "\u202e", "*", "a,b"},
		{"a/b", "a/b/c", "a/b/d", "a/bc", "a/../b", "a/./b", "a//b", "a/b/", "a/b/..", "a/b/ ..", "a/b/.. ", "a/b/...", "a/b/.hidden", "a/%2e%2e/b", "a/b\\..\\c", "/a/b", "a/b\t", "x/y", "x/y/z"},
		{"T-1", "T-12", "inv-1", "inv-12", "inv-x", "INV-1"},
		{"10.0.0.1", "10.1.2.3", "11.0.0.1", "::ffff:10.0.0.1", "::FFFF:10.1.2.3", "::10.0.0.1", "2001:db8::1", "2001:DB8:0::2", "fe80::1%eth0", "010.0.0.1", "10.1", "167772161", "10.0.0.1/32", "0.0.0.0", "255.255.255.255"},
		{"http://x.org/", "https://a.x.org:8443/p?q=https://y.org#x.org", "https://x.org@evil.org/", "https://evil.org/@x.org", "https://X.org/", "https://x.org./", "http://evilx.org", "wss://x.org",
			"https://b\u00fccher.example/", "https://xn--bcher-kva.example/", "http://0x7f.1/", "http://1.2.3.4/", "ftp://x.org/", "//x.org/", "https:\\\\x.org", "https://x.org\\.evil.org/", "https://x.org:/", "https://x.org:080/",
			"https:///x.org", "https://%78.org/", "https://[::1]/", "https://x.org\n", " https://x.org", "https://x.org?", "https://y.org#@x.org"},
	}

	Prefixes = []string{"a", "a/", "a/b", "inv-", "T-", "1", "https://x.org", "10.", "é", " ", `"`}
	Networks = []string{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.1/32", "0.0.0.0/0", "::/0", "2001:db8::/32", "::/96", "224.0.0.0/3", "2001:db8::1/128"}
	Hosts    = []string{"x.org", "**.x.org", "a.x.org", "**.a.x.org", "evilx.org", "xn--bcher-kva.example", "**.example", "1.2.3.4", "**.org"}
	Patterns = []string{
		`inv-[0-9]+`, `inv-[^0-9]`, `T-1|T-12`, `[a-z/]*`, `(a|b)(/[a-z.]+){1,2}`, `.`, `.*`, ``, `^a`, `a$|b`, `[\]\[^\\-]+`, `[-a]`, `\x00|a\x00`, `(?:é|\$v)?`, `[0-9]{1,3}(\.[0-9]{1,3}){3}`, `a{0}b{2,}`, `a.b`, `\{p\}`, `(|a)+`, `[^a]`, ` ?a ?`,
	}
)

func of[T any](list []T) *rapid.Generator[T] { return rapid.SampledFrom(list) }

// some draws a few different ones.
func some[T comparable](t *rapid.T, list []T, label string) []T {
	return rapid.SliceOfNDistinct(of(list), 1, 3, rapid.ID).Draw(t, label)
}

func patterns(t *rapid.T, paths []string) []string {
	list := some(t, paths, "paths")
	for i := range list {
		if rapid.Bool().Draw(t, "subtree") {
			list[i] += "/**"
		}
	}
	return list
}

var text = rapid.Custom(func(t *rapid.T) string { return of(of(Texts).Draw(t, "topic")).Draw(t, "text") })

// Scalars draws values that a caveat may compare with.
func Scalars(t *rapid.T) []any {
	one := rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 9).Draw(t, "type") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2, 3, 4:
			return of(Integers).Draw(t, "integer")
		}
		return text.Draw(t, "text")
	})
	return rapid.SliceOfNDistinct(one, 1, 8, rapid.ID[any]).Draw(t, "values")
}

// Kinds are the sorts of caveats that [Caveat] draws. Each yields a valid one.
var Kinds = map[string]func(*rapid.T, Keys) delegation.Caveat{
	"weekday": func(t *rapid.T, _ Keys) delegation.Caveat {
		var days []int
		for mask, d := rapid.IntRange(1, 127).Draw(t, "days"), 1; d <= 7; d++ {
			if mask>>(d-1)&1 == 1 {
				days = append(days, d)
			}
		}
		return delegation.Weekdays{Days: days}
	},
	"minute": func(t *rapid.T, _ Keys) delegation.Caveat {
		edge := of([]int{0, 1, 360, 719, 720, 721, 1000, 1439, 1440})
		h := delegation.Hours{From: edge.Draw(t, "from"), To: edge.Draw(t, "to")}
		if h.Validate() != nil {
			h = delegation.Hours{From: 720, To: 721}
		}
		return h
	},
	"resource": func(t *rapid.T, _ Keys) delegation.Caveat { return delegation.Resource(patterns(t, Paths)...) },
	"operation": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.Operation(some(t, Operations, "operations")...)
	},
	"audience": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.Audience(some(t, Audiences, "audiences")...)
	},
	"agent":     func(t *rapid.T, _ Keys) delegation.Caveat { return delegation.Agent(patterns(t, Agents)...) },
	"agent_key": func(t *rapid.T, k Keys) delegation.Caveat { return delegation.AgentKey(some(t, k, "keys")...) },
	"depth": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.Depth{Max: of([]int64{0, 1, 2, 3, math.MaxInt64}).Draw(t, "depth")}
	},
	"context": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.Context(of(Contexts).Draw(t, "context"), Scalars(t)...)
	},
	"arg_one_of": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.ArgIs(name(t, "s", "p", "ip", "u"), Scalars(t)...)
	},
	"arg_range": func(t *rapid.T, _ Keys) delegation.Caveat {
		lo, hi := of(Integers).Draw(t, "min"), of(Integers).Draw(t, "max")
		a := delegation.ArgRange{Arg: name(t, "n"), Min: min(lo, hi), Max: max(lo, hi)}
		if a.Validate() != nil {
			a.Max = 5
		}
		return a
	},
	"arg_prefix": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.ArgPrefix{Arg: name(t, "s", "p"), Prefix: of(Prefixes).Draw(t, "prefix")}
	},
	"arg_subtree": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.ArgUnder(name(t, "p"), some(t, Paths, "paths")...)
	},
	"arg_cidr": func(t *rapid.T, _ Keys) delegation.Caveat {
		var list []netip.Prefix
		for _, n := range some(t, Networks, "networks") {
			list = append(list, netip.MustParsePrefix(n))
		}
		return delegation.ArgIn(name(t, "ip"), list...)
	},
	"arg_host": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.ArgURL(name(t, "u"), some(t, Hosts, "hosts")...)
	},
	"arg_matches": func(t *rapid.T, _ Keys) delegation.Caveat {
		return delegation.ArgMatches{Arg: name(t, "s", "p"), Pattern: of(Patterns).Draw(t, "pattern")}
	},
	"arg_set":   func(t *rapid.T, _ Keys) delegation.Caveat { return delegation.ArgSet{Arg: name(t, "s", "u", "n")} },
	"arg_unset": func(t *rapid.T, _ Keys) delegation.Caveat { return delegation.ArgUnset{Arg: name(t, "or", "n")} },
}

// Arguments have topics, most of the time: what they hold and which caveats speak of
// them.
var topics = map[string]int{"p": 1, "s": 2, "ip": 3, "u": 4}

// name draws an argument's name, the usual one half of the time.
func name(t *rapid.T, usual ...string) string {
	if rapid.Bool().Draw(t, "usual name") {
		return of(usual).Draw(t, "name")
	}
	return of(Names).Draw(t, "name")
}

// Keys are the agents' keys.
type Keys []token.PublicKey

// Caveat draws a typed caveat of any kind but those that say when a token begins
// and ends, and approvals.
func Caveat(keys Keys) *rapid.Generator[delegation.Caveat] {
	kinds := make([]string, 0, len(Kinds))
	for kind := range Kinds {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return rapid.Custom(func(t *rapid.T) delegation.Caveat {
		return Kinds[of(kinds).Draw(t, "kind")](t, keys)
	})
}

// Args draws a request's arguments.
func Args(t *rapid.T) map[string]any {
	fill := func(args map[string]any, name string) {
		if i := topics[name]; i > 0 && rapid.IntRange(0, 3).Draw(t, "on topic") > 0 {
			args[name] = of(Texts[i]).Draw(t, name)
		} else {
			args[name] = value.Draw(t, name)
		}
	}
	args := map[string]any{}
	for _, n := range []string{"n", "s", "p", "ip", "u", "", "or", `a "b"`} {
		if rapid.IntRange(0, 3).Draw(t, "there") > 0 {
			fill(args, n)
		}
	}
	if rapid.Bool().Draw(t, "nested") {
		nested := map[string]any{}
		for _, n := range []string{"k", "ip", "u"} {
			fill(nested, n)
		}
		args["o"], args["list"] = nested, []any{value.Draw(t, "first")}
	}
	return args
}

// value draws what an argument may be.
var value = rapid.Custom(func(t *rapid.T) any {
	switch rapid.IntRange(0, 11).Draw(t, "type") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2, 3, 4:
		return of(Integers).Draw(t, "integer")
	case 5:
		return of([]any{5.0, 0.5, []any{5, "a"}, map[string]any{"a": 5}, []any{1.5}}).Draw(t, "other")
	}
	return text.Draw(t, "text")
})

// Request draws a request for svc:certs.
func Request(t *rapid.T) delegation.Request {
	return delegation.Request{
		Operation: of(Operations).Draw(t, "operation"),
		Resources: rapid.SliceOfN(of(Paths), 1, 2).Draw(t, "resources"),
		Audience:  Audiences[0],
		Args:      Args(t),
	}
}
