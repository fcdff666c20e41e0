package delegation

// A Refusal is a caveat that a request does not meet.
type Refusal struct {
	Bound
	Finding Finding
}

// Against holds the caveats of a chain against a request alone, without a service:
// refused are those on the operation, the resources, the audience and the arguments
// that do not hold; undecided are those of which only the service can tell, about
// who asks, the hour or its own state, and checks written by hand. The token's own
// times and approvals are neither.
func (c *Chain) Against(req *Checked) (refused []Refusal, undecided []Bound) {
	for i := range c.Links {
		l := &c.Links[i]
		facts := append(req.Facts(), req.Inside(&l.Mentions)...)
		for _, cv := range l.Caveats {
			bound := Bound{cv, l.Block}
			switch cv.about().predicate {
			case "operation", "resource", "audience", "arg", "arg_ip", "arg_host":
				if f := Explain(cv, facts); !f.Holds {
					refused = append(refused, Refusal{bound, f})
				}
				continue
			}
			switch cv.(type) {
			case Expiry, NotBefore, Approval:
			default:
				undecided = append(undecided, bound)
			}
		}
	}
	return refused, undecided
}
