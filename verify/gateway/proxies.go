package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
)

// proxies are those whose word counts.
type proxies struct {
	networks []netip.Prefix
	unix     bool
}

// parseProxies reads networks such as 10.0.0.0/8, single addresses, and "unix" for whoever
// can open the Unix socket.
func parseProxies(texts []string) (p proxies, err error) {
	if len(texts) == 0 {
		return p, fmt.Errorf("trusted_proxies is missing: whose word on a request counts, such as \"127.0.0.1\" or \"unix\"")
	}
	for _, text := range texts {
		if text == "unix" {
			p.unix = true
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, err := netip.ParseAddr(text)
			if err != nil || address.Zone() != "" {
				return p, fmt.Errorf("%q is no network such as 10.0.0.0/8, no address, and not unix", text)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		if network != network.Masked() || network.Addr().Is4In6() {
			return p, fmt.Errorf("%q is not the canonical form of a network: %s", text, netip.PrefixFrom(network.Addr().Unmap(), network.Bits()).Masked())
		}
		p.networks = append(p.networks, network)
	}
	return p, nil
}

// trust reports whether a peer's word counts.
func (p *proxies) trust(peer net.Addr) bool {
	switch a := peer.(type) {
	case *net.UnixAddr:
		return p.unix && a != nil
	case *net.TCPAddr:
		if a == nil {
			return false
		}
		address := a.AddrPort().Addr().Unmap().WithZone("")
		for _, network := range p.networks {
			if network.Contains(address) {
				return true
			}
		}
	}
	return false
}

// PeerOf returns the immediate peer of a request that a [http.Server] accepted; nil where
// it is not known, which is trusted by nobody.
func PeerOf(r *http.Request) net.Addr {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return &net.UnixAddr{Net: "unix"}
	}
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil
	}
	return net.TCPAddrFromAddrPort(address)
}
