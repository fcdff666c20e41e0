package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/replay"
)

// The sides.
const (
	whittle = "whittle"
	jwts    = "jwt"
)

// remembered is how many uses the server's memory has room for: more than are used in the
// life of an invocation, by one delegation.
const remembered = 1 << 21

// An order is what a server is told on its first line of input.
type order struct {
	Side    string
	Trust   string // whittle: a line of a trust file
	Key     string // jwt: the public key, hexadecimal
	Profile string // a file for the profile of the processor, empty for none
}

// A state is what a server says of itself, on a line of output for each further line of
// input.
type state struct {
	Address string
	CPU     time.Duration // user and system, since it started
	RSS     int64         // bytes
	Heap    uint64        // bytes in use after a collection
	Used    int           // uses that are remembered
	Hits    uint64        // tokens that continued a known chain
	Misses  uint64
}

// serve is the server's process: it answers requests on the loopback until its input
// ends.
func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	if !lines.Scan() {
		return fmt.Errorf("no order: %w", io.ErrUnexpectedEOF)
	}
	var o order
	if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
		return err
	}
	handler, look, err := o.handler()
	if err != nil {
		return err
	}
	if o.Profile != "" {
		f, err := os.Create(o.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadTimeout: time.Minute}
	go server.Serve(listener)
	defer server.Close()
	for say := json.NewEncoder(out); ; {
		s := state{Address: listener.Addr().String()}
		look(&s)
		if err := s.process(); err != nil {
			return err
		}
		if err := say.Encode(s); err != nil {
			return err
		}
		if !lines.Scan() {
			return lines.Err()
		}
	}
}

// process fills in what the operating system knows.
func (s *state) process() error {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return err
	}
	s.CPU = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	runtime.GC() // when the time on the processor has been read
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Heap = m.HeapAlloc
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kib int64
			if _, err := fmt.Sscan(text, &kib); err != nil {
				return err
			}
			s.RSS = kib << 10
		}
	}
	return nil
}

// protected is what both sides stand in front of.
var protected = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"ok":true}`)
})

// handler is a side, and what it knows of itself.
func (o *order) handler() (http.Handler, func(*state), error) {
	switch o.Side {
	case whittle:
		return o.whittle()
	case jwts:
		key, err := hex.DecodeString(o.Key)
		if err != nil {
			return nil, nil, err
		}
		return bearer(key, protected), func(*state) {}, nil
	}
	return nil, nil, fmt.Errorf("no such side: %q", o.Side)
}

func (o *order) whittle() (http.Handler, func(*state), error) {
	roots, err := trust.Parse([]byte(o.Trust))
	if err != nil {
		return nil, nil, err
	}
	used, err := replay.NewMemory(time.Now(), &replay.Options{Capacity: remembered, Quota: remembered, FirstStart: true})
	if err != nil {
		return nil, nil, err
	}
	v, err := verify.New(audience, roots, &verify.Options{Replay: used})
	if err != nil {
		return nil, nil, err
	}
	look := func(s *state) {
		known := v.MemoryStats()
		s.Used, s.Hits, s.Misses = used.Len(), known.Hits, known.Misses
	}
	return httpauth.Protect(v, protected, &httpauth.Options{Logger: slog.New(slog.DiscardHandler)}), look, nil
}

type claimsKey struct{}

// bearer verifies a JWT with EdDSA on every request, as a middleware of golang-jwt does.
func bearer(key ed25519.PublicKey, next http.Handler) http.Handler {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithAudience(audience), jwt.WithIssuer(issuer), jwt.WithExpirationRequired())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		var claims jwt.RegisteredClaims
		if _, err := parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return key, nil }); err != nil || !ok {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, &claims)))
	})
}
