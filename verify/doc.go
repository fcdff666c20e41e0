// Package verify decides whether a request is allowed by the token that comes
// with it, offline, and says why not.
//
//	roots, err := trust.Load("whittle.trust")
//	v, err := verify.New("svc:certs", roots, nil)
//
//	d, err := v.Verify(ctx, raw, delegation.Request{
//		Operation: "rotate", Resource: "payments/certs/api",
//	})
//	if err != nil {
//		// denied, always; d.Code may be told to the client, d.Reasons is for the log
//	}
//
// A nil *Options is the safe choice: presented tokens only, each for one request,
// and their caveats decide. What was used is remembered in the process, so that a
// service denies with the code replay, for half a minute after its start, what can
// have been used before: see [Options.Replay]. The service must act on exactly the values that it put into the
// request: they are what the agent signed.
//
// A service that knows its agents by name, has state of its own that caveats ask for,
// or takes sessions, says so:
//
//	roots, err := trust.Open("whittle.trust", nil) // is read again when it changes
//	agents, err := trust.OpenDirectory("whittle.agents", nil)
//	v, err := verify.New("svc:certs", roots, &verify.Options{Directory: agents})
//
//	channel, err := delegation.ExporterChannel(r.TLS) // not behind a proxy that ends TLS
//	d, err := v.VerifyWith(ctx, raw, req, verify.State{
//		Context: map[string]any{"ticket": "T-123"}, Channel: channel,
//	})
//
// [Authorize] is the same for plain Biscuits, by the rules of the Biscuit
// specification alone: it knows nothing of delegation.
package verify
