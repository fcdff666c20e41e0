package interop

import "fmt"

// The statements below take it that block 0 states one(1), many(1), many(5) and
// many(9), and nobody absent(..).
const groundFacts = "one(1);\nmany(1);\nmany(5);\nmany(9);\n"

// check writes a check that holds or not, as wanted, wherever it stands.
func (w *writer) check(holds bool) string {
	if holds {
		return w.holdingCheck()
	}
	return w.failingCheck()
}

func (w *writer) holdingCheck() string {
	switch w.IntN(9) {
	case 0:
		return fmt.Sprintf("check if %s", w.truth(true))
	case 1:
		return fmt.Sprintf("check if %s or %s", w.truth(false), w.truth(true))
	case 2:
		return fmt.Sprintf("check if absent(1) or one($n), $n == 1, %s", w.truth(true))
	case 3:
		return fmt.Sprintf("check all one($0), %s", w.truth(true))
	case 4:
		return fmt.Sprintf("check all many($n), $n > 0, $n <= 9 && %s", "("+w.truth(true)+")")
	case 5:
		return fmt.Sprintf("check all many($n), $n < 9 or one(1), %s", w.truth(true))
	case 6:
		return fmt.Sprintf("reject if one($n), %s", w.truth(false))
	case 7:
		return "reject if many($n), $n > 9"
	}
	return fmt.Sprintf("check if many($a), many($b), $a + $b == %d", []int{2, 6, 10, 14, 18}[w.IntN(5)])
}

func (w *writer) failingCheck() string {
	switch w.IntN(9) {
	case 0:
		return fmt.Sprintf("check if %s", w.truth(false))
	case 7: // decided before the expression that cannot be evaluated
		return fmt.Sprintf("check if one($n), $n > 1, %s", w.failure())
	case 1:
		return fmt.Sprintf("check if %s or %s", w.truth(false), w.truth(false))
	case 2:
		return fmt.Sprintf("check if one($n), absent($n), %s", w.truth(true))
	case 3:
		return fmt.Sprintf("check all one($0), %s", w.truth(false))
	case 4: // no match is no success
		return fmt.Sprintf("check all absent($n), %s", w.truth(true))
	case 5: // one match of three is not enough
		return fmt.Sprintf("check all many($n), $n < %d", w.between(2, 9))
	case 6:
		return fmt.Sprintf("reject if one($n), %s", w.truth(true))
	}
	return fmt.Sprintf("check if many($a), many($b), $a * $b == %d", w.between(100, 999))
}

// brokenQuery writes the body of a query that fails on its only match, and
// reports whether a rule may have it too: the parser refuses a rule with a
// variable that nothing binds.
func (w *writer) brokenQuery() (query string, inRule bool) {
	expressions := append(failing(), notBoolean()...)
	switch i := w.round % (len(expressions) + 2); i - len(expressions) {
	case 0: // a parameter may not hide a variable
		return "one($p), {1}.all($p -> true)", true
	case 1:
		return "one($n), $unbound == 1", false
	default:
		e := expressions[i]
		// In their written order: a later false does not help.
		forms := []string{"%s", "one($n), %s", "one($n), $n == 1, %s", "one($n), %s, false"}
		return fmt.Sprintf(forms[w.IntN(len(forms))], e), true
	}
}

// observations writes rules that turn the values of expressions into facts, so
// that every value shows in the world: r(k) where the k-th is true.
func (w *writer) observations(s *source, first, n int) {
	for k := first; k < first+n; k++ {
		e := w.truth(w.coin())
		switch w.IntN(4) {
		case 0:
			s.add("r(%d) <- %s", k, e)
		case 1:
			s.add("r($n, %d) <- one($n), %s", k, e)
		case 2:
			s.add("r($0, $0) <- many($0), $0 > %d, %s", k%10, e)
		default:
			s.add("r(%d) <- one(1), %s", k, e)
		}
	}
}

// allowing writes policies of which the first that matches allows.
func (w *writer) allowing(s *source) {
	switch w.IntN(4) {
	case 0:
		s.add("allow if true")
	case 1:
		s.add("deny if absent(1)")
		s.add("allow if one($n), %s", w.truth(true))
	case 2:
		s.add("allow if %s", w.truth(false))
		s.add("deny if many($n), $n > 9")
		s.add("allow if %s or one(1)", w.truth(false))
		s.add("deny if true")
	default:
		s.add("allow if %s", w.truth(true))
	}
}

// firstParty returns a block without an external signature.
func firstParty(code string) BlockSpec { return BlockSpec{Code: code, ThirdPartyKeyIndex: -1} }
