package main

// wireMutants are the strict decoder's rules (V1 and V5), in the order of its files.
var wireMutants = []mutant{
	// One spelling of every message.
	{"wire: minimal varints", "token/internal/wire/reader.go", "if b == 0 && shift > 0 {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: varints of 64 bits", "token/internal/wire/reader.go", "if shift == 63 && b > 1 {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: no unknown field", "token/internal/wire/reader.go", "if num >= uint64(len(f.msg.fields)) || f.msg.fields[num].shape == absent {", "if num >= uint64(len(f.msg.fields)) {", wirePackage, "TestContainerRefuses"},
	{"wire: the schema's wire types", "token/internal/wire/reader.go", "wire != def.wire {", "wire != def.wire && false {", wirePackage, "TestContainerRefuses"},
	{"wire: ascending fields", "token/internal/wire/reader.go", "case f.num < f.last:", "case false:", wirePackage, "TestContainerRefuses"},
	{"wire: no singular field twice", "token/internal/wire/reader.go", "case def.shape != repeated:", "case false:", wirePackage, "TestContainerRefuses"},
	{"wire: one member of a oneof", "token/internal/wire/reader.go", "if f.msg.oneof && f.last != 0 {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: a member of a oneof", "token/internal/wire/reader.go", "if f.msg.oneof && f.last == 0 && !f.msg.empty {", "if false {", wirePackage, "TestBlockRefuses"},
	{"wire: required fields before others", "token/internal/wire/reader.go", "if f.msg.needs&(1<<f.num) == 0 || f.num != f.last {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: required fields at the end", "token/internal/wire/reader.go", "f.msg.needs &^ (1<<(f.last+1) - 1); missing != 0 {", "f.msg.needs &^ (1<<(f.last+1) - 1); missing != 0 && false {", wirePackage, "TestContainerRefuses"},
	{"wire: a field ends within its message", "token/internal/wire/reader.go", "if f.val > uint64(f.end-f.pos) {", "if f.val > uint64(len(f.d.buf)-f.pos) {", wirePackage, "TestContainerRefuses"},
	{"wire: 32 bits where the schema says so", "token/internal/wire/reader.go", "if f.val > math.MaxUint32 {", "if f.val > math.MaxUint64>>1 {", wirePackage, "TestContainerRefuses"},
	{"wire: an empty message is empty", "token/internal/wire/reader.go", "\te.next()\n", "\t_ = e.next\n", wirePackage, "TestBlockRefuses"},

	// Limits.
	{"wire: limit on bytes", "token/internal/wire/reader.go", "if len(data) > lim.Bytes {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: limit on signatures and secrets", "token/internal/wire/reader.go", "n > maxSignature {", "n > 1<<20 {", wirePackage, "TestContainerRefuses"},
	{"wire: limit on elements", "token/internal/wire/reader.go", "if d.budget -= n; d.budget < 0 {", "if d.budget -= n; false {", wirePackage, "TestLimits"},
	{"wire: limit on blocks", "token/internal/wire/container.go", "if len(c.Blocks) >= d.lim.Blocks {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: limit on symbols", "token/internal/wire/symbols.go", "if len(in.symbols.base)+len(in.symbols.own) >= f.d.lim.Symbols {", "if len(in.symbols.own) >= f.d.lim.Symbols {", wirePackage, "TestLimits"},
	{"wire: limit on keys", "token/internal/wire/symbols.go", "if len(in.keys.base)+len(in.keys.own) >= f.d.lim.Keys {", "if false {", wirePackage, "TestLimits"},
	{"wire: limit on text", "token/internal/wire/symbols.go", "f.d.textLeft < 0 {", "f.d.textLeft < 0 && false {", wirePackage, "TestText"},
	{"wire: no caller raises the depth", "token/internal/wire/limits.go", "min(fill(l.Depth, def.Depth), def.Depth)", "max(fill(l.Depth, def.Depth), 1<<20)", wirePackage, "TestNesting"},
	{"wire: no caller raises the nodes", "token/internal/wire/limits.go", "min(fill(l.Nodes, def.Nodes), def.Nodes)", "fill(l.Nodes, def.Nodes)", wirePackage, "TestNesting"},
	{"wire: nodes are counted while a tree grows", "token/internal/wire/expression.go", "if f.d.nodes > f.d.lim.Nodes {", "if false {", wirePackage, "TestNesting"},
	{"wire: depth of closures", "token/internal/wire/expression.go", "\tif depth > f.d.lim.Depth {\n\t\treturn f.failf(", "\tif false {\n\t\treturn f.failf(", wirePackage, "TestExpressionRefuses"},
	{"wire: depth of parentheses", "token/internal/wire/expression.go", "\tif depth > f.d.lim.Depth {\n\t\treturn nil, f.failf(", "\tif depth > 1<<20 {\n\t\treturn nil, f.failf(", wirePackage, "TestExpressionRefuses"},

	// The container.
	{"wire: block 0 has no external signature", "token/internal/wire/container.go", "if f.num == 2 {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: known signature versions", "token/internal/wire/container.go", "err == nil && b.Version > maxSignatureVersion {", "err == nil && false {", wirePackage, "TestContainerRefuses"},
	{"wire: an external signature has version 1", "token/internal/wire/container.go", "if b.External != nil && b.Version != 1 {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: an unknown algorithm is unsupported", "token/internal/wire/key.go", "if k.val > uint64(datalog.Secp256r1) {", "if false {", wirePackage, "TestContainerRefuses"},
	{"wire: 32 bytes of Ed25519", "token/internal/wire/key.go", "if len(k.Bytes) != Ed25519KeySize {", "if false {", wirePackage, "TestEveryLength"},
	{"wire: 33 bytes of P-256", "token/internal/wire/key.go", "if len(k.Bytes) != Secp256r1KeySize {", "if len(k.Bytes) == 0 {", wirePackage, "TestEveryLength"},
	{"wire: P-256 is compressed", "token/internal/wire/key.go", "if k.Bytes[0] != 2 && k.Bytes[0] != 3 {", "if false {", wirePackage, "TestContainerRefuses"},

	// Tables of symbols and keys.
	{"V5 nothing in 28 to 1023", "token/internal/wire/symbols.go", "if i < firstSymbol {\n\t\treturn \"\", false", "if i < firstSymbol {\n\t\treturn \"x\", true", wirePackage, "TestBlockRefuses"},
	{"V5 symbols of this block and those before", "token/internal/wire/symbols.go", "return v.own[i], true\n\t}\n\treturn \"\", false", "return v.own[i], true\n\t}\n\treturn \"x\", true", wirePackage, "TestBlockRefuses"},
	{"V5 keys of this block and those before", "token/internal/wire/symbols.go", "return datalog.Key{}, false", "return datalog.Key{}, true", wirePackage, "TestBlockRefuses"},
	{"V5 no symbol twice", "token/internal/wire/symbols.go", "if _, ok := in.find(s); ok {", "if false {", wirePackage, "TestBlockRefuses"},
	{"V5 no key twice", "token/internal/wire/symbols.go", "if _, ok := in.keys.find(k); ok {", "if false {", wirePackage, "TestBlockRefuses"},
	{"V5 third-party blocks see no shared table", "token/internal/wire/blocks.go", "if external || r.table == nil {\n\t\tshared = nil", "if r.table == nil {\n\t\tshared = nil", wirePackage, "TestTables"},
	{"V5 third-party blocks leave the shared table alone", "token/internal/wire/blocks.go", "if shared != nil {\n\t\tshared.Extend(", "if r.table != nil {\n\t\tr.table.Extend(", wirePackage, "TestTables"},
	{"V5 symbols are UTF-8", "token/internal/wire/symbols.go", "if !utf8.ValidString(s) {", "if false {", wirePackage, "TestBlockRefuses"},
	{"V5 names are names", "token/internal/wire/symbols.go", "if err == nil && !isName(s) {", "if false {", wirePackage, "TestBlockRefuses"},
	{"V5 variables have 32 bits", "token/internal/wire/symbols.go", "if _, err := f.uint32(); err != nil {", "if _, err := f.uint32(); err != nil && false {", wirePackage, "TestBlockRefuses"},

	// Blocks.
	{"wire: known Datalog versions", "token/internal/wire/version.go", "if f.val < minVersion || f.val > maxVersion {", "if false {", wirePackage, "TestBlockRefuses"},
	{"wire: a block states a version", "token/internal/wire/block.go", "if d.version == 0 {\n\t\treturn nil, noVersion(len(d.buf))", "if false {\n\t\treturn nil, noVersion(len(d.buf))", wirePackage, "TestBlockRefuses"},
	{"wire: third-party blocks need version 5", "token/internal/wire/block.go", "if external && d.version < version32 {", "if false {", wirePackage, "TestVersions"},
	{"wire: nothing newer than the version stated", "token/internal/wire/version.go", "if f.d.version < version {", "if false {", wirePackage, "TestVersions"},
	{"wire: no variable in a fact", "token/internal/wire/block.go", "m.predicate(p, place{})", "m.predicate(p, place{variable: true})", wirePackage, "TestBlockRefuses"},
	{"wire: a rule has a body", "token/internal/wire/block.go", "if len(r.Body) == 0 && len(r.Exprs) == 0 {", "if false {", wirePackage, "TestBlockRefuses"},
	{"wire: a check has a query", "token/internal/wire/block.go", "if len(c.Queries) == 0 {", "if false {", wirePackage, "TestBlockRefuses"},
	{"wire: known kinds of checks", "token/internal/wire/block.go", `err = m.failf("unknown kind of check %d", m.val)`, `_ = m.failf("unknown kind of check %d", m.val)`, wirePackage, "TestBlockRefuses"},
	{"wire: known scopes", "token/internal/wire/block.go", "if m.val > uint64(datalog.ScopePrevious) {", "if false {", wirePackage, "TestBlockRefuses"},

	// Terms.
	{"wire: a bool is 0 or 1", "token/internal/wire/term.go", "if t.val > 1 {", "if false {", wirePackage, "TestBlockRefuses"},
	{"wire: no variable inside a term", "token/internal/wire/term.go", "\tp.variable = false\n", "", wirePackage, "TestBlockRefuses"},
	{"wire: null has a version", "token/internal/wire/term.go", "err == nil && !p.ungated {", "false {", wirePackage, "TestVersions"},
	{"wire: no set of sets", "token/internal/wire/term.go", `return "a set cannot contain sets"`, "continue", wirePackage, "TestBlockRefuses"},
	{"wire: one type in a set", "token/internal/wire/term.go", "if !sameType(t, list[0]) {", "if false {", wirePackage, "TestBlockRefuses"},
	{"wire: no element of a set twice", "token/internal/wire/term.go", "if datalog.Equal(list[i-1], list[i]) {", "if false {", wirePackage, "TestBlockRefuses"},
	{"wire: no key of a map twice", "token/internal/wire/term.go", "if compareKeys(entries[i-1], entries[i]) == 0 {", "if false {", wirePackage, "TestBlockRefuses"},

	// Expressions.
	{"wire: an expression leaves one value", "token/internal/wire/expression.go", "case len(stack) > 1:", "case false:", wirePackage, "TestExpressionRefuses"},
	{"wire: a closure is no value", "token/internal/wire/expression.go", "case stack[0].closure:", "case false:", wirePackage, "TestExpressionRefuses"},
	{"wire: no operation on a closure", "token/internal/wire/expression.go", "if len(stack) == 0 || stack[len(stack)-1].closure {", "if len(stack) == 0 {", wirePackage, "TestExpressionRefuses"},
	{"wire: closures on the left where they belong", "token/internal/wire/expression.go", "if left.closure != (op.takes == lazyLeft) {", "if false {", wirePackage, "TestExpressionRefuses"},
	{"wire: closures on the right where they belong", "token/internal/wire/expression.go", "if right.closure != lazy {", "if false {", wirePackage, "TestExpressionRefuses"},
	{"wire: closures with the parameters they need", "token/internal/wire/expression.go", "if left.params != 0 || right.params != params {", "if false {", wirePackage, "TestExpressionRefuses"},
	{"wire: one parameter at most", "token/internal/wire/expression.go", "if c.index > 0 {", "if false {", wirePackage, "TestExpressionRefuses"},
	{"wire: a closure takes nothing from outside", "token/internal/wire/expression.go", "f.d.base = len(f.d.stack)", "f.d.base = outer + 0", wirePackage, "TestExpressionRefuses"},
	{"wire: only extern calls have names", "token/internal/wire/expression.go", "if op.takes != extern {", "if false {", wirePackage, "TestExpressionRefuses"},
	{"wire: extern calls have names", "token/internal/wire/expression.go", "if o.err == nil && op.takes == extern && !named {", "if !named && false {", wirePackage, "TestExpressionRefuses"},

	// What is no token.
	{"nothing is no token", "token/delegation/read.go", "if token.IsZero(t) {", "if false {", "./attenuate", "TestNoToken"},
	{"wire: no legacy third-party request", "token/internal/wire/thirdparty.go", "if f.num < 3 {", "if false {", wirePackage, "TestThirdPartyRefuses"},
	{"wire: known kinds of policies", "token/internal/wire/policies.go", "if m.val > uint64(datalog.Deny) {", "if false {", wirePackage, "TestPoliciesRefuses"},
	{"wire: a policy has a query", "token/internal/wire/policies.go", "if len(p.Queries) == 0 {", "if false {", wirePackage, "TestPoliciesRefuses"},
	{"wire: a snapshot's block 0 is first-party", "token/internal/wire/snapshot.go", "if !external {", "if false {", wirePackage, "TestSnapshotRefuses"},
	{"wire: a snapshot's facts come from somewhere", "token/internal/wire/snapshot.go", "if len(origins) == 0 {", "if false {", wirePackage, "TestSnapshotRefuses"},
	{"wire: a snapshot's facts come from its blocks", "token/internal/wire/snapshot.go", "if origin = m.val; origin >= uint64(blocks) {", "if origin = m.val; false {", wirePackage, "TestSnapshotRefuses"},
	{"wire: no origin twice", "token/internal/wire/snapshot.go", "if i > 0 && origins[i-1] >= o {", "if i < 0 {", wirePackage, "TestSnapshotRefuses"},
}

const wirePackage = "./token/internal/wire"
