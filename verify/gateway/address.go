package gateway

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
)

// An Address is where a server listens: the network is "tcp" or "unix". The zero Address
// is none.
type Address struct{ Network, Address string }

func (a Address) String() string {
	if a.Network == "unix" {
		return "unix:" + a.Address
	}
	return a.Address
}

// Addresses are where a gateway that runs by itself listens: for the proxy's questions,
// and for those of whoever operates it.
type Addresses struct{ Listen, Admin Address }

// Addresses returns what the configuration says. It never changes while the gateway runs.
func (g *Gateway) Addresses() Addresses { return g.addresses }

// addresses reads the table server.
func (s *source) addresses() (a Addresses, err error) {
	if a.Listen, err = s.address("listen", s.Server.Listen); err != nil {
		return a, err
	}
	a.Admin, err = s.address("admin", s.Server.Admin)
	return a, err
}

// address reads unix:PATH, or an IP address and a port. Tokens come in without TLS, and
// who asks is told apart by where he asks from, so that the address is this machine's own
// unless another is allowed by name.
func (s *source) address(key, text string) (a Address, err error) {
	if text == "" {
		return Address{}, nil
	}
	if path, ok := strings.CutPrefix(text, "unix:"); ok && path != "" {
		if !filepath.IsAbs(path) {
			path = s.file(path)
		}
		return Address{"unix", path}, nil
	}
	at, err := netip.ParseAddrPort(text)
	switch {
	case err != nil || at.Addr().Zone() != "":
		err = fmt.Errorf("%s is an IP address and a port, such as 127.0.0.1:9180, or unix:PATH", key)
	case !at.Addr().IsLoopback() && !s.Server.AllowRemote:
		err = fmt.Errorf("%s is not on this machine only: tokens would go over the network in the clear, unless allow_remote says so", key)
	default:
		return Address{"tcp", text}, nil
	}
	return Address{}, s.wrong(err, "server", key)
}

// Proxy returns which proxy the configuration is for: nginx, caddy, traefik or envoy;
// nothing after Close.
func (g *Gateway) Proxy() string {
	if r := g.current.Load(); r != nil {
		return r.dialect.name
	}
	return ""
}
