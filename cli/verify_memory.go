package cli

import (
	"errors"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
	"github.com/whittle-auth/whittle/verify/revoke"
)

// replayFlags are about what was used already.
func replayFlags() []cli.Flag {
	return []cli.Flag{
		valueFlag("replay", "remember in `FILE` what was used, and deny it the second time"),
		boolFlag("first-start", "assert that nothing was accepted before the --replay file was made"),
	}
}

// openStores opens what outlasts one request: the file of what was used, and the lists of
// what is revoked. The function that it returns closes them again.
func openStores(c *cli.Context, env *Env, o *verify.Options) (done func() error, err error) {
	done = func() error { return nil }
	if err := errors.Join(needs(c, "first-start", "replay"), needs(c, "max-stale", "revoked")); err != nil {
		return nil, err
	}
	if text := c.String("max-stale"); text != "" {
		if o.MaxStale, err = parseDuration("max-stale", text); err != nil {
			return nil, err
		}
	}
	for _, name := range values(c, "revoked") {
		f, err := revoke.OpenFile(env.path(name))
		if err != nil {
			return nil, hintf(about(name, err), "whittle revoke makes such a list and adds to it")
		}
		o.Revocations = append(o.Revocations, f)
	}
	name := c.String("replay")
	if name == "" {
		o.AllowReplay = true
		return done, nil
	}
	var f *replay.File
	err = patiently(replay.ErrLocked, func() (err error) {
		f, err = replay.OpenFile(env.path(name), o.Now(), &replay.Options{FirstStart: c.Bool("first-start")})
		return err
	})
	if err != nil {
		return nil, about(name, err)
	}
	o.Replay = f
	return f.Close, nil
}

// patiently tries again for a few seconds while another command has the file open,
// which it does for moments only.
func patiently(locked error, try func() error) error {
	const pause, most = 20 * time.Millisecond, 5 * time.Second
	var err error
	for waited := time.Duration(0); waited < most; waited += pause {
		if err = try(); !errors.Is(err, locked) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}

// adviseOnMemory says what helps against a denial for what outlasts a request.
func adviseOnMemory(c *cli.Context, env *Env, d *verify.Decision) {
	switch d.Code {
	case token.CodeReplay:
		if refusedApproval(d) {
			hint(env.Stderr, "each approval serves one request: ask for another with whittle request-approval, with the token as it was before the used one was attached")
		} else {
			hint(env.Stderr, "each invocation serves one request: the holder makes another with whittle invoke")
		}
		if !c.Bool("first-start") {
			hint(env.Stderr, "a --replay file refuses what began before it was made, unless it is made with --first-start, which asserts that nothing was accepted earlier")
		}
	case token.CodeStale:
		hint(env.Stderr, "who keeps the list says that it is complete as of now with whittle revoke --refresh --list FILE; --max-stale accepts an older one")
	}
}

// refusedApproval reports whether it is an approval that is used up.
func refusedApproval(d *verify.Decision) bool {
	return slices.ContainsFunc(d.Approvals, func(a verify.Approval) bool { return a.Block == d.Reasons[0].Block })
}
