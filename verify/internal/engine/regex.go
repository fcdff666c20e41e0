package engine

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Larger patterns are not tried: they are an error and not a false, because a
// false would let a deny policy or a reject if pass in silence.
const (
	maxPattern  = 4096  // bytes
	maxExpanded = 16384 // nodes, with repetitions written out
)

// A pattern is a compiled regular expression. A nil re matches nothing: the
// pattern is not valid.
type pattern struct {
	re   *regexp.Regexp
	size int
	big  bool
}

// matches searches s for the regular expression in p.
//
// The syntax is that of Go's regexp package, which agrees with Rust's regex on
// most of it. They differ on Unicode in \d, \w, \s and \b, on && -- ~~ in
// classes, on the flag x and on repetitions above 1000.
func (e *evaluation) matches(s string, p value) (value, ErrorKind) {
	// Each pattern is paid for once in an evaluation, whether or not the
	// authorizer brought it compiled, so that steps depend on the input only.
	c, ok := e.patterns[uint32(p.num)]
	if !ok {
		text := e.text(p.num)
		if e.charge(32 * min(len(text), maxPattern)); e.spent() {
			return value{}, e.fail(TooManySteps, "")
		}
		if c, ok = e.brought()[uint32(p.num)]; !ok {
			c = compilePattern(text, maxExpanded)
		}
		e.charge(c.size)
		if e.patterns == nil {
			e.patterns = map[uint32]pattern{}
		}
		e.patterns[uint32(p.num)] = c
	}
	if c.big {
		return value{}, e.fail(TooManySteps, "a regular expression is too large")
	}
	if c.re == nil {
		return boolean(false), none
	}
	if e.charge(c.size * (len(s) + 4) / 4); e.spent() {
		return value{}, e.fail(TooManySteps, "")
	}
	return boolean(c.re.MatchString(s)), none
}

// brought returns the patterns that were compiled beforehand.
func (e *evaluation) brought() map[uint32]pattern {
	if e.prepared != nil {
		return e.prepared.known
	}
	return e.a.patterns
}

// compilePatterns adds the constant regular expressions of a program to those that are
// known, which may be nil, so many of them and none larger. It returns their size too.
func (w *world) compilePatterns(p *program, known map[uint32]pattern, most, largest int) (all map[uint32]pattern, size int) {
	for _, n := range p.nodes {
		if n.op != opBinary || datalog.BinaryOp(n.sub) != datalog.OpRegex || most == 0 {
			continue
		}
		c := p.nodes[n.b]
		if c.op != opValue || c.val.kind != kindString {
			continue
		}
		if _, ok := known[uint32(c.val.num)]; ok {
			continue
		}
		most--
		if compiled := compilePattern(w.text(c.val.num), largest); !compiled.big {
			if known == nil {
				known = map[uint32]pattern{}
			}
			known[uint32(c.val.num)] = compiled
			size += compiled.size
		}
	}
	return known, size
}

// compilePattern compiles a regular expression that is not larger than it may be.
func compilePattern(text string, largest int) pattern {
	if len(text) > maxPattern {
		return pattern{big: true}
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return pattern{big: tooLarge(err)}
	}
	size := expandedSize(tree)
	if size > largest {
		return pattern{big: true}
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return pattern{}
	}
	return pattern{re: re, size: size}
}

// tooLarge reports whether a pattern is refused for its size only.
func tooLarge(err error) bool {
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return false
	}
	switch bad.Code {
	case syntax.ErrLarge, syntax.ErrNestingDepth:
		return true
	case syntax.ErrInvalidRepeatSize:
		// Either a bound is above 1000 or the bounds are in the wrong order.
		var lo, hi int
		_, count, _ := strings.Cut(bad.Expr, "{")
		n, _ := fmt.Sscanf(count, "%d,%d", &lo, &hi)
		return n < 2 || lo <= hi
	}
	return false
}

// expandedSize counts the nodes of a pattern with its repetitions written out,
// up to a little above maxExpanded. The parser bounds the depth to 1000.
func expandedSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		size = min(size+expandedSize(sub), maxExpanded+1)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(1, re.Min, re.Max)
	}
	return min(size, maxExpanded+1)
}
