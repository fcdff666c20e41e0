package cli

import (
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token/delegation"
)

// holdsNow says what the bounds in time of a scope come to: empty while it holds.
func holdsNow(s *delegation.Scope, now time.Time) string {
	until, ends := s.Expires()
	from, begins := s.NotBefore()
	switch {
	case ends && begins && from.At >= until.At:
		return fmt.Sprintf("holds at no time: not before %s, and it expires at %s", from.Time().Format(time.RFC3339), until.Time().Format(time.RFC3339))
	case ends && !now.Before(until.Time()):
		return "expired at " + until.Time().Format(time.RFC3339)
	case begins && now.Before(from.Time()):
		return "is not valid before " + from.Time().Format(time.RFC3339)
	}
	return ""
}

// hintHolding says at once that a token that was made does not hold now.
func hintHolding(env *Env, s *delegation.Scope, now time.Time) {
	if what := holdsNow(s, now); what != "" {
		hint(env.Stderr, "no service accepts the token now: it %s", what)
	}
}
