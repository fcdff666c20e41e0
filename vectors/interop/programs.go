package interop

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A Program is a token to be made and an authorizer to judge it, as source
// text. It does not say what the verdict should be: that is for two
// implementations to agree on.
type Program struct {
	// Name tells what the program exercises, and its number.
	Name string

	Authority        string
	AuthorityNextAlg datalog.Algorithm
	Blocks           []BlockSpec
	Authorizer       string
	RootAlg          datalog.Algorithm
	Seal             bool

	// Quoted is set where a string holds a quotation mark, a backslash or a line
	// feed. The reference prints strings raw, so its printed forms of such a
	// program do not parse.
	Quoted bool

	// intended is the outcome that the writer had in mind, if it had one; the
	// tests hold the reference against it.
	intended *Class
}

// A BlockSpec is a block after block 0. ThirdPartyKeyIndex points into
// [ThirdPartyKeys], or is -1 for a first-party block.
type BlockSpec struct {
	Code               string
	ThirdPartyKeyIndex int
	NextAlg            datalog.Algorithm
}

// Generate returns the request that makes the program's token.
func (p Program) Generate() Generate {
	keys := ThirdPartyKeys()
	g := Generate{
		RootPrivate:      RootKey(p.RootAlg).Private,
		Authority:        p.Authority,
		AuthorityNextAlg: p.AuthorityNextAlg.String(),
		Seal:             p.Seal,
	}
	for _, b := range p.Blocks {
		block := Block{Code: b.Code, NextKey: NextKey{Algorithm: b.NextAlg.String()}}
		if b.ThirdPartyKeyIndex >= 0 {
			block.ThirdPartyPrivate = keys[b.ThirdPartyKeyIndex].Private
		}
		g.Blocks = append(g.Blocks, block)
	}
	return g
}

// Programs returns n different programs, always the same ones for one seed.
// Between them they use every operator that has a spelling, every type of
// term, every kind of check, policy and scope, and both signature algorithms;
// 300 programs do so for any seed.
func Programs(seed uint64, n int) []Program {
	families := []struct {
		name  string
		write func(*writer, *Program)
	}{
		{"operators", operators},
		{"failures", failures(0, 3)},
		{"joins", joins},
		{"scopes", scopes},
		{"structures", structures},
		{"caveats", caveats},
		{"policies", policies},
		{"block scopes", blockScopes},
		{"failures", failures(1, 3)},
		{"strings", quotedStrings},
		{"failures", failures(2, 3)},
	}
	keys := ThirdPartyKeys()
	programs := make([]Program, 0, n)
	seen := make(map[string]bool, n)
	for i := 0; len(programs) < n; i++ {
		family := families[i%len(families)]
		w := &writer{
			Rand:  rand.New(rand.NewPCG(seed, uint64(i))),
			keys:  keys,
			turn:  i,
			round: i / len(families),
		}
		p := Program{Name: fmt.Sprintf("%s/%d", family.name, i)}
		family.write(w, &p)
		w.sign(&p)
		source := p.Authority + p.Authorizer
		for _, b := range p.Blocks {
			source += b.Code
		}
		if !seen[source] {
			seen[source] = true
			programs = append(programs, p)
		}
	}
	return programs
}

// intend notes the outcome of a program that would be allowed but for one check.
func (p *Program) intend(deny bool) {
	class := choose(deny, Denied, Allowed)
	p.intended = &class
}

// A writer writes Datalog from a stream of random numbers.
type writer struct {
	*rand.Rand
	keys []Key

	// turn and round walk through the tables of expressions, so that all are used.
	turn, round int
}

// sign chooses algorithms and whether to seal.
func (w *writer) sign(p *Program) {
	p.RootAlg = w.algorithm()
	p.AuthorityNextAlg = w.algorithm()
	for i := range p.Blocks {
		p.Blocks[i].NextAlg = w.algorithm()
	}
	p.Seal = w.IntN(4) == 0
}

func (w *writer) algorithm() datalog.Algorithm {
	if w.IntN(4) == 0 {
		return datalog.Secp256r1
	}
	return datalog.Ed25519
}

func (w *writer) coin() bool { return w.IntN(2) == 0 }

// between returns an integer from low to high, both included.
func (w *writer) between(low, high int) int { return low + w.IntN(high-low+1) }

func (w *writer) oneOf(choices ...string) string { return choices[w.IntN(len(choices))] }

// quoted returns a string literal.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// A source is a list of statements.
type source struct{ strings.Builder }

func (s *source) add(format string, args ...any) {
	fmt.Fprintf(&s.Builder, format, args...)
	s.WriteString(";\n")
}
