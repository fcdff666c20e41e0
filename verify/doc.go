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
// A nil *Options is the safe choice: presented tokens only, and their caveats
// decide. The service must act on exactly the values that it put into the
// request: they are what the agent signed.
//
// [Authorize] is the same for plain Biscuits, by the rules of the Biscuit
// specification alone: it knows nothing of delegation.
package verify
