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
// [Authorize] is the same for plain Biscuits, by the rules of the Biscuit
// specification alone: it knows nothing of delegation.
package verify
