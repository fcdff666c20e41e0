package work

import (
	"fmt"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/peers"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

// Policies is the group of services with many rules and many facts.
const Policies = "A service's policy"

// RuleCounts and FactCounts are multiplied with each other. A work's size is the
// number of facts.
var (
	RuleCounts = []int{1, 20, 200}
	FactCounts = []int{10, 100, 1000}
)

// Rules names the work with so many rules.
func Rules(n int) string {
	if n == 1 {
		return "1 rule"
	}
	return fmt.Sprintf("%d rules", n)
}

// A grid is a policy by groups: each fact makes one user a member of a group, each
// rule gives the members of one group one file. The request is a member's for the file
// of its group.
type grid struct{ rules, facts int }

func (g grid) group(user int) int { return user % g.rules }
func (g grid) user() int          { return g.facts / 2 }

func userName(i int) string  { return fmt.Sprint("user", i) }
func groupName(i int) string { return fmt.Sprint("group", i) }
func fileName(i int) string  { return fmt.Sprint("file", i) }

// raised are limits out of the way of work that honest tokens never make.
var raised = &verify.AuthorizeOptions{Limits: verify.Limits{Facts: 10_000_000, Iterations: 1_000_000, Steps: 1 << 40}}

// biscuit is the grid as an authorizer, on a token of one block.
func (g grid) biscuit() (*biscuit, error) {
	var a datalog.Authorizer
	for i := range g.facts {
		a.Facts = append(a.Facts, fact("member", userName(i), groupName(g.group(i))))
	}
	user := datalog.Variable("u")
	for i := range g.rules {
		a.Rules = append(a.Rules, datalog.Rule{
			Head:  datalog.Predicate{Name: "granted", Terms: []datalog.Term{datalog.String(fileName(i)), user}},
			Query: datalog.Query{Body: []datalog.Predicate{{Name: "member", Terms: []datalog.Term{user, datalog.String(groupName(i))}}}},
		})
	}
	file := datalog.Variable("f")
	a.Policies = []datalog.Policy{{Kind: datalog.Allow, Queries: []datalog.Query{{Body: []datalog.Predicate{
		{Name: "user", Terms: []datalog.Term{user}},
		{Name: "file", Terms: []datalog.Term{file}},
		{Name: "granted", Terms: []datalog.Term{file, user}},
	}}}}}
	// The facts of the request are stated with it to a prepared authorizer; the peers
	// have them with the others.
	asked := []datalog.Predicate{fact("user", userName(g.user())), fact("file", fileName(g.group(g.user())))}
	return withRequest(a, asked)
}

// withRequest makes the subject of an authorizer and the facts of one request.
func withRequest(a datalog.Authorizer, asked []datalog.Predicate) (*biscuit, error) {
	prepared, err := newBiscuit(a.String(), `check if true;`)
	if err != nil {
		return nil, err
	}
	prepared.facts, prepared.options = asked, raised
	a.Facts = append(a.Facts, asked...)
	prepared.text = a.String()
	return prepared, nil
}

func fact(name string, terms ...string) datalog.Predicate {
	p := datalog.Predicate{Name: name}
	for _, t := range terms {
		p.Terms = append(p.Terms, datalog.String(t))
	}
	return p
}

func policies(e Env, quick bool) ([]Work, error) {
	var works []Work
	for _, rules := range RuleCounts {
		for _, facts := range FactCounts {
			if quick && (rules == 20 || facts == 100) {
				continue
			}
			g := grid{rules, facts}
			b, err := g.biscuit()
			if err != nil {
				return nil, err
			}
			sides := b.beside(e, peers.Authorize, func() error { return b.authorize(b.verified) })
			sides = append(sides, measure.InProcess(Cedar, g.cedar()))
			opa, err := g.opa()
			if err != nil {
				return nil, err
			}
			works = append(works, Work{Policies, Rules(rules), facts, append(sides, measure.InProcess(OPA, opa))})
		}
	}
	return works, nil
}
