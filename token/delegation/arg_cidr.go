package delegation

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// ArgCIDR says that an argument is the text of an IP address in one of the
// networks. An IPv4 address inside IPv6, as in ::ffff:10.0.0.1, counts as IPv4.
type ArgCIDR struct {
	Arg      string
	Networks []netip.Prefix
}

// ArgIn returns the caveat that an argument is an address in one of the networks.
func ArgIn(name string, networks ...netip.Prefix) Caveat { return ArgCIDR{name, networks} }

func (a ArgCIDR) String() string {
	return argText(a.Arg, "cidr "+words(a.Networks, netip.Prefix.String))
}

// Validate refuses names that no argument can have, an empty list, one longer
// than 256, duplicates, and networks whose address has bits beyond the mask or
// that write IPv4 as IPv6.
func (a ArgCIDR) Validate() error {
	if err := validArg(a.Arg); err != nil {
		return err
	}
	return validList("network", a.Networks, func(n netip.Prefix) error {
		switch {
		case !n.IsValid():
			return fmt.Errorf("not a network such as 10.0.0.0/8")
		case n.Addr().Is4In6():
			return fmt.Errorf("write an IPv4 network as such")
		case n != n.Masked():
			return fmt.Errorf("the address has bits beyond the mask: %s is meant", n.Masked())
		}
		return nil
	})
}

// Check returns `check all arg_ip("n", $b), $b.starts_with("4:00001010")`, and
// `||` between networks.
func (a ArgCIDR) Check() datalog.Check {
	list := make([]datalog.Expr, len(a.Networks))
	for i, n := range a.Networks {
		list[i] = compare(datalog.OpPrefix, "b", datalog.String(networkBits(n)))
	}
	return checkNamed("arg_ip", a.Arg, "b", either(list))
}

func readArgCIDR(c datalog.Check) Caveat {
	predicate, name, guard := namedOf(c)
	if predicate != "arg_ip" {
		return nil
	}
	a := ArgCIDR{Arg: name}
	for _, e := range operands(datalog.OpOr, guard) {
		_, term := comparison(e)
		bits, _ := term.(datalog.String)
		a.Networks = append(a.Networks, networkOf(string(bits)))
	}
	return a
}

// networkBits is "4:" or "6:" and the bits of the network.
func networkBits(n netip.Prefix) string {
	bits := addressBits(n.Addr())
	return bits[:min(len(bits), len("4:")+max(n.Bits(), 0))]
}

// networkOf is the inverse of networkBits, the zero network for anything else.
func networkOf(bits string) netip.Prefix {
	family, bits, _ := strings.Cut(bits, ":")
	size := 32
	if family == "6" {
		size = 128
	}
	address := make([]byte, size/8)
	if len(bits) > size {
		return netip.Prefix{}
	}
	for i := range len(bits) {
		if bits[i] == '1' {
			address[i/8] |= 0x80 >> (i % 8)
		}
	}
	a, _ := netip.AddrFromSlice(address)
	return netip.PrefixFrom(a, len(bits))
}

// addressBits is "4:" and 32, or "6:" and 128 characters 0 or 1. The address is no IPv4
// one within IPv6.
func addressBits(a netip.Addr) string {
	b := make([]byte, 0, 130)
	b = append(b, "46"[a.BitLen()/128], ':')
	for _, octet := range a.AsSlice() {
		for shift := 7; shift >= 0; shift-- {
			b = append(b, '0'+octet>>shift&1)
		}
	}
	return string(b)
}

// ipBits returns arg_ip's value for an argument. Texts that others may read as
// another address, with a zone, a leading zero or fewer than four parts, are none.
func ipBits(value any) (bits string, ok bool) {
	text, _ := value.(string)
	a, ok := address(text)
	if !ok {
		return "", false
	}
	return addressBits(a), true
}

func address(text string) (a netip.Addr, ok bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// A network is a region of addresses.
type network struct{ netip.Prefix }

func (n network) contains(inner network) bool {
	return n.Addr().BitLen() == inner.Addr().BitLen() && n.Bits() <= inner.Bits() && n.Contains(inner.Addr())
}

func (a ArgCIDR) networks() []network {
	list := make([]network, len(a.Networks))
	for i, n := range a.Networks {
		list[i] = network{n}
	}
	return list
}

func networks(arg string, list []network) (Caveat, bool) {
	a := ArgCIDR{Arg: arg}
	for _, n := range list {
		a.Networks = append(a.Networks, n.Prefix)
	}
	return a, len(list) > 0
}

func (a ArgCIDR) name() string                     { return a.Arg }
func (a ArgCIDR) dimension() dimension             { return argDimension(a.Arg) }
func (a ArgCIDR) compare(outer Caveat) Relation    { return compareArgs(a, outer.(argument)) }
func (a ArgCIDR) meet(other Caveat) (Caveat, bool) { return meetArgs(a, other.(argument)) }
func (a ArgCIDR) about() subject                   { return subject{"arg_ip", &a.Arg} }
func (a ArgCIDR) allowed() string                  { return words(a.Networks, netip.Prefix.String) }

func (a ArgCIDR) admits(value datalog.Term) bool {
	bits, _ := value.(datalog.String)
	for _, n := range a.Networks {
		if strings.HasPrefix(string(bits), networkBits(n)) {
			return true
		}
	}
	return false
}

func (a ArgCIDR) holds(value datalog.Term) (ok, known bool) {
	s, _ := value.(datalog.String)
	ip, ok := address(string(s))
	return ok && slices.ContainsFunc(a.Networks, func(n netip.Prefix) bool { return n.Contains(ip) }), true
}

func (a ArgCIDR) members() map[string]any {
	return map[string]any{"kind": "arg_cidr", "arg": a.Arg, "networks": textList(a.Networks, netip.Prefix.String)}
}
