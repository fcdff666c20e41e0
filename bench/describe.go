package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/bench/peers"
	"github.com/whittle-auth/whittle/bench/work"
)

// measured are the modules that are peers themselves.
var measured = []string{
	"github.com/golang-jwt/jwt/v5", "gopkg.in/macaroon.v2", "github.com/cedar-policy/cedar-go", "github.com/open-policy-agent/opa",
}

// describe says what is measured on what, and which peers cannot be.
func describe(e work.Env) (machine, versions, missing []string) {
	machine = []string{processor(), fmt.Sprintf("%d cores", runtime.NumCPU()), runtime.GOOS + "/" + runtime.GOARCH}
	versions = []string{runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if slices.Contains(measured, m.Path) {
				versions = append(versions, m.Path+" "+m.Version)
			}
		}
	}
	for _, p := range []struct {
		name string
		peer *peers.Peer
	}{{"biscuit-auth and tenuo (Rust)", e.Rust}, {"biscuit-wasm (Node)", e.Wasm}} {
		if err := p.peer.Missing(); err != nil {
			missing = append(missing, p.name+": "+err.Error())
			continue
		}
		if v, err := p.peer.Ask("versions"); err == nil {
			versions = append(versions, v)
		}
	}
	return machine, versions, missing
}

// processor is what Linux calls the first of them.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
