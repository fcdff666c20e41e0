package delegation

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A Host is a set of hosts: one name, or a name and all below it. Its text form is
// the name, with "**." before it for all below.
type Host struct {
	Name  string
	Below bool
}

func (h Host) String() string {
	if h.Below {
		return "**." + h.Name
	}
	return h.Name
}

func (h Host) contains(inner Host) bool {
	if h.Name == inner.Name {
		return h.Below || !inner.Below
	}
	return h.Below && strings.HasSuffix(inner.Name, "."+h.Name)
}

func (h Host) validate() error {
	if err := validHost(h.Name); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(h.Name); err == nil && h.Below {
		return fmt.Errorf("nothing is below an address")
	}
	return nil
}

// ArgHost says that an argument is a URL at one of the hosts. See [urlHost] for
// which URLs have a host.
type ArgHost struct {
	Arg   string
	Hosts []Host
}

// ArgURL returns the caveat that an argument is a URL at one of the hosts:
// "x.org" is that host, "**.x.org" is it and all below it.
func ArgURL(name string, hosts ...string) Caveat {
	a := ArgHost{Arg: name, Hosts: make([]Host, len(hosts))}
	for i, text := range hosts {
		host, below := strings.CutPrefix(text, "**.")
		a.Hosts[i] = Host{host, below}
	}
	return a
}

func (a ArgHost) String() string { return argText(a.Arg, "host "+words(a.Hosts, Host.String)) }

// Validate refuses names that no argument can have, an empty list, one longer
// than 256, duplicates, and names that are no host in its one spelling: lower
// case, an internationalised name in its xn-- form, no trailing dot, no port.
func (a ArgHost) Validate() error {
	if err := validArg(a.Arg); err != nil {
		return err
	}
	return validList("host", a.Hosts, Host.validate)
}

// Check returns `check all arg_host("n", $h), $h == "x.org"`, with `||
// $h.ends_with(".x.org")` for all below it, and `||` between hosts.
func (a ArgHost) Check() datalog.Check {
	var list []datalog.Expr
	for _, h := range a.Hosts {
		list = append(list, compare(datalog.OpEqual, "h", datalog.String(h.Name)))
		if h.Below {
			list = append(list, compare(datalog.OpSuffix, "h", datalog.String("."+h.Name)))
		}
	}
	return checkNamed("arg_host", a.Arg, "h", either(list))
}

func readArgHost(c datalog.Check) Caveat {
	predicate, name, guard := namedOf(c)
	if predicate != "arg_host" {
		return nil
	}
	a := ArgHost{Arg: name}
	for _, e := range operands(datalog.OpOr, guard) {
		op, term := comparison(e)
		text, ok := term.(datalog.String)
		switch {
		case ok && op == datalog.OpEqual:
			a.Hosts = append(a.Hosts, Host{Name: string(text)})
		case ok && op == datalog.OpSuffix && len(a.Hosts) > 0:
			a.Hosts[len(a.Hosts)-1].Below = true
		default:
			return nil
		}
	}
	return a
}

// urlHost returns arg_host's value for an argument: the host of an http, https, ws
// or wss URL that every reader takes for the same. Without a fact, and so denied,
// are: other schemes, user information, an empty or odd port, a host in upper
// case, with a trailing dot, percent-encoded, not in ASCII or as an IPv6 literal,
// numbers that some read as an address, and any URL with white space, a control
// character or a backslash in it.
func urlHost(value any) (host string, ok bool) {
	text, _ := value.(string)
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !slices.Contains([]string{"http", "https", "ws", "wss"}, scheme) {
		return "", false
	}
	for _, r := range text {
		if r <= ' ' || r == 0x7f || r == '\\' {
			return "", false
		}
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	host, port, hasPort := strings.Cut(rest, ":")
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0 || strconv.FormatUint(n, 10) != port) {
		return "", false
	}
	return host, validHost(host) == nil
}

// validHost refuses names of hosts that are not in the one spelling.
func validHost(host string) error {
	if len(host) > 253 {
		return fmt.Errorf("the name of a host has at most 253 characters")
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		switch {
		case label == "":
			return fmt.Errorf("a host is a name such as api.example.com, without an empty part")
		case len(label) > 63:
			return fmt.Errorf("a part of a host has at most 63 characters")
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Errorf("a part of a host does not begin or end with a hyphen")
		}
		for _, r := range label {
			if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
				return fmt.Errorf("a host consists of lower-case ASCII letters, digits, - and _: write an internationalised name in its xn-- form")
			}
		}
	}
	// Some read 0x7f.1 and 2130706433 as addresses.
	last := labels[len(labels)-1]
	if numeric := strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"); numeric {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("a host that ends in a number is an IPv4 address of four parts without leading zeros")
		}
	}
	return nil
}

func (a ArgHost) name() string                     { return a.Arg }
func (a ArgHost) dimension() dimension             { return argDimension(a.Arg) }
func (a ArgHost) compare(outer Caveat) Relation    { return compareArgs(a, outer.(argument)) }
func (a ArgHost) meet(other Caveat) (Caveat, bool) { return meetArgs(a, other.(argument)) }
func (a ArgHost) about() subject                   { return subject{"arg_host", &a.Arg} }
func (a ArgHost) allowed() string                  { return words(a.Hosts, Host.String) }

func (a ArgHost) admits(value datalog.Term) bool {
	name, ok := value.(datalog.String)
	return ok && slices.ContainsFunc(a.Hosts, func(h Host) bool { return h.contains(Host{Name: string(name)}) })
}

func (a ArgHost) holds(value datalog.Term) (ok, known bool) {
	s, ok := value.(datalog.String)
	host, isURL := urlHost(string(s))
	return ok && isURL && a.admits(datalog.String(host)), true
}

func (a ArgHost) members() map[string]any {
	return map[string]any{"kind": "arg_host", "arg": a.Arg, "hosts": textList(a.Hosts, Host.String)}
}
