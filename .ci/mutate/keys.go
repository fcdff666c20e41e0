package main

// keysMutants are about keys that are elsewhere than in files, and about further
// algorithms.
var keysMutants = []mutant{
	{"A2 signatures of an agent are verified", "token/signer.go", "if err := f.public.Verify(message, sig); err != nil {", "if err := error(nil); err != nil {", "./token/agentkey", "Hostile"},
	{"an agent's signature has its key's type", "token/agentkey/signer.go", "if sig.Format != s.public.Type() || len(sig.Rest) > 0 {", "if false {", "./token/agentkey", "Hostile"},
	{"an agent's answers are bounded", "token/agentkey/agent.go", "if size > maxReply {", "if false {", "./token/agentkey", "Hostile"},
	{"an agent is not waited for", "token/agentkey/agent.go", "if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {", "if err := error(nil); err != nil && time.Now().IsZero() {", "./token/agentkey", "Hanging"},
	{"an agent is asked for keys it has", "token/agentkey/agent.go", "if string(k.Blob) == string(public.Marshal()) {", "if true {", "./token/agentkey", "NoKey"},
	{"FIDO keys are refused with the reason", "token/keytext.go", "case ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:", "case ssh.KeyAlgoSKED25519:", "./token", "PublicKeyRefuses"},

	{"ML-DSA keys hold no tokens", "token/append.go", "if next.key.RootOnly() {", "if false {", "./token", "RootsOnly"},
	{"ML-DSA keys sign for no third party", "token/append.go", "if k := signer.Public(); k.RootOnly() {", "if k := signer.Public(); k.IsZero() {", "./token", "RootsOnly"},
	{"no key with t1 = 0", "token/mldsa.go", "return errZeroVector", "return nil", "./token", "MLDSA"},
	{"ML-DSA without a context", "token/mldsa.go", "if !s.set.Verify(k, message, sig, nil) {", `if !s.set.Verify(k, message, sig, nil) && !s.set.Verify(k, message, sig, &circl.SignatureOpts{Context: "whittle"}) {`, "./token", "Confusion"},
	{"an expanded key is its seed's", "token/keyraw.go", "if !bytes.Equal(own, expanded) {", "if bytes.Equal(own, seed) {", "./token", "MLDSAPKCS8"},
	{"ML-DSA keys have no parameters", "token/keyraw.go", "if !ident.Empty() {", "if false {", "./token", "MLDSA"},
	{"an OpenSSH key has one type", "token/keyraw.go", "if k.Type != a.sshType {", "if false {", "./token", "MLDSA"},
	{"ML-DSA keys are no next keys on the wire", "token/internal/wire/key.go", "if k.val > uint64(datalog.Secp256r1) {", "if k.val > uint64(datalog.MLDSA65) {", "./verify", "Vectors"},

	// Arguments.
	{"V13 no integer wraps around", "token/delegation/request.go", "if n > math.MaxInt64 {", "if false {", "./token/delegation", "IntegerKind"},
}
