package main

// memoryMutants are about what is remembered of keys and chains.
var memoryMutants = []mutant{
	{"only the very blocks are known", "token/unverified.go", "if !bytes.Equal(blocks[i].Message, u.container.Blocks[i].Message) {", "if !bytes.Equal(blocks[i].Message, u.container.Blocks[i].Message) && false {", "./token", "VerifyAfter"},
	{"what follows known blocks is verified", "token/unverified.go", "c, err := u.verifyRest(len(known.blocks), &known.chain, s)", "c, err := u.verifyRest(len(u.container.Blocks), &known.chain, s)", "./token", "VerifyAfter"},
	{"no small-order R with a table", "token/ed25519_table.go", "if err := checkEncoding([32]byte(sig[:32])); err != nil {", "if err := error(nil); err != nil {", "./token", "Ed25519CCTV"},
	{"R is compared with a table", "token/ed25519_table.go", "if string(r.Bytes()) != string(sig[:32]) {", "if false {", "./token", "KeyMemory"},
	{"few tables", "token/keymemory.go", "(m.tables > m.most || m.recent.Len() > m.most*watched)", "m.recent.Len() > m.most*watched", "./token", "KeyMemory"},
	{"a chain is continued by its own token", "token/delegation/read.go", "c.prefix == t.PrefixHash(n)", "true", "./verify", "ContinueReads"},
	{"the memory is bounded", "verify/memory.go", "for m.bytes += size; m.bytes > m.most; {", "for m.bytes += size; false; {", "./verify", "MemoryIsBounded"},
	{"a known chain is not verified again", "verify/memory.go", "m.keep(&remembered{size", "_ = (&remembered{size", "./verify", "KnownChain"},
	{"compiling beforehand is paid for", "verify/internal/engine/prepared.go", "q.cost = w.steps - before", "q.cost = before - before", "./verify/internal/engine", "PreparedIsPaidFor"},
	{"what one block is told is told to it alone", "verify/internal/engine/prepared.go", "e.originOf(uint64(b))", "e.originOf(0)", "./verify/internal/engine", "ToldToOneBlock"},
	{"prepared facts keep their origin", "verify/internal/engine/prepared.go", "[]uint64{1 << originBit(uint64(b))}", "[]uint64{1}", "./verify/internal/engine", "PreparedIsPaidFor"},
	{"a session is verified once", "verify/memory.go", "if err == nil && chain.Invocation != nil && chain.Invocation.IsSession() {", "if false {", "./verify", "KnownSession"},
	{"an explanation moves no clock", "verify/explain.go", "v.peek()", "v.now()", "./verify", "ExplainMovesNoClock"},
}
