package main

// poolMutants are about the pool of workers and what makes many rules fast.
var poolMutants = []mutant{
	{"pool: block 0 is checked alone", "token/pool.go", "case s.open && s.next", "case s.next", "./token", "^TestPoolUnknownRoot$"},
	{"pool: no block is begun after one that failed", "token/pool.go", "s.err != nil && s.failed < blocks,", "", "./token", "^TestPoolOrder$"},
	{"pool: the first block that fails decides", "token/pool.go", "if err != nil && (s.err == nil || part < s.failed) {", "if err != nil {", "./token", "^TestPoolOrder$"},
	{"pool: the proof counts", "token/pool.go", "err = s.u.verifyProof(buf)", "_ = s.u.verifyProof(buf)", "./token", "^TestPoolSameOutcome$"},
	{"pool: it is fixed", "token/pool.go", "if p.running.Add(1) > p.most {", "if p.running.Add(1) < 0 {", "./token", "^TestPoolBusy$"},
	{"pool: workers end", "token/pool.go", "case <-idle.C:\n\t\t\treturn", "case <-idle.C:\n\t\t\tcontinue", "./token", "^TestPoolIsFixed$"},
	{"rules: an index costs what it spares", "verify/internal/engine/solve.go", "e.charge(hi * price)", "e.charge(price)", "./verify/internal/engine", "^TestConstantsInRules$"},
	{"rules: an index is paid for", "verify/internal/engine/solve.go", "e.charge(r.hi - x.paid)", "e.charge(0)", "./verify/internal/engine", "^TestTransitiveClosure$"},
}
