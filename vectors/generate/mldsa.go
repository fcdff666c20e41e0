package main

import "github.com/cloudflare/circl/sign"

// Post-quantum keys, which can be roots and nothing else.
var (
	aliceMLDSA44 = mldsaKey(algMLDSA44, "alice")
	aliceMLDSA65 = mldsaKey(algMLDSA65, "alice")
	otherMLDSA44 = mldsaKey(algMLDSA44, "stranger")
	mldsaHop     = mldsaKey(algMLDSA44, "hop")
)

// mldsaCases are tokens from post-quantum roots. In a file of their own, because
// an implementation may well know no such roots.
func mldsaCases() []delegationCase {
	root := func(k key) *chain { return new(chain).add(grant(), link{signer: k, next: ci.publicKey}) }
	forged := func(forge func(payload, sig []byte) []byte) string {
		return new(chain).add(grant(), link{signer: aliceMLDSA44, next: ci.publicKey, forge: forge}).invoke(ci, usual())
	}
	lists := func(k key) option { return trusting(trustLine(delegator, forWhittle, k.publicKey)) }
	direct := root(aliceMLDSA44).invoke(ci, usual())
	inContext := func(payload, _ []byte) []byte {
		return aliceMLDSA44.mldsa.Scheme().Sign(aliceMLDSA44.mldsa, payload, &sign.SignatureOpts{Context: "whittle"})
	}
	badHop := root(aliceMLDSA44).add(handed("agent:runner"), link{signer: ci, next: runner.publicKey, forge: func(_, sig []byte) []byte {
		sig[40] ^= 1
		return sig
	}})

	return []delegationCase{
		allowed("mldsa44-root", "The root key is ML-DSA-44.", "V1", direct, lists(aliceMLDSA44)),
		allowed("mldsa65-root", "The root key is ML-DSA-65.", "V1", root(aliceMLDSA65).invoke(ci, usual()), lists(aliceMLDSA65)),
		allowed("mldsa65-handed-on", "From an ML-DSA-65 root, handed on twice, to P-256 and back to Ed25519.", "V1",
			root(aliceMLDSA65).handoff(ci, runnerP256, "agent:runner").handoff(runnerP256, tester, "agent:tester").invoke(tester, usual()), lists(aliceMLDSA65)),
		allowed("mldsa44-among-others", "The trust file lists keys of each algorithm for the same person.", "V2", direct,
			trusting(aliceTrust()+trustLine(delegator, forWhittle, aliceP256.publicKey)+
				trustLine(delegator, forWhittle, aliceMLDSA65.publicKey)+trustLine(delegator, forWhittle, aliceMLDSA44.publicKey))),

		denied("mldsa44-not-listed", "mldsa44-root", "The trust file lists an Ed25519 key of the same person only.", "V2", untrustedRoot, direct),
		denied("mldsa44-another-key", "mldsa44-root", "The trust file lists another ML-DSA-44 key.", "V2", untrustedRoot, direct, lists(otherMLDSA44)),
		denied("mldsa44-under-65", "mldsa44-root", "The trust file lists an ML-DSA-65 key of the same person.", "V2", untrustedRoot, direct, lists(aliceMLDSA65)),
		denied("mldsa44-git-namespace", "mldsa44-root", "The trust file lists the key for git.", "V2", untrustedRoot, direct,
			trusting(trustLine(delegator, `namespaces="git"`, aliceMLDSA44.publicKey))),
		denied("mldsa44-signature-changed", "mldsa44-root", "One bit of the root's signature differs.", "V1", untrustedRoot,
			forged(func(_, sig []byte) []byte { sig[1000] ^= 1; return sig }), lists(aliceMLDSA44)),
		denied("mldsa44-signature-longer", "mldsa44-root", "A zero byte follows the root's signature.", "V1", untrustedRoot,
			forged(func(_, sig []byte) []byte { return append(sig, 0) }), lists(aliceMLDSA44)),
		denied("mldsa44-with-context", "mldsa44-root", "The root's signature was made with the context whittle.", "V1", untrustedRoot,
			forged(inContext), lists(aliceMLDSA44)),
		denied("mldsa44-ed25519-signature", "mldsa44-root", "Block 0 has an Ed25519 signature of the same person.", "V1", untrustedRoot,
			mint(grant()).invoke(ci, usual()), lists(aliceMLDSA44)),
		denied("mldsa44-holder", "mldsa44-root", "The holder's key is ML-DSA-44.", "V1", unsupported,
			new(chain).add(grant(), link{signer: aliceMLDSA44, next: mldsaHop.publicKey}).invoke(mldsaHop, usual()), lists(aliceMLDSA44)),
		denied("mldsa44-third-party", "mldsa44-root", "A third party signs with ML-DSA-44.", "V1", unsupported,
			root(aliceMLDSA44).add(block{}, link{signer: ci, next: ci.publicKey, external: &mldsaHop}).invoke(ci, usual()), lists(aliceMLDSA44)),
		denied("mldsa44-approver", "mldsa44-root", "The checks say trusting and an ML-DSA-44 key.", "V9", unsupported,
			new(chain).add(grant(approvalBy(mldsaHop)), link{signer: aliceMLDSA44, next: ci.publicKey}).invoke(ci, usual()), lists(aliceMLDSA44)),
		denied("mldsa44-hop-changed", "mldsa44-root", "One bit of the signature after the root's differs.", "V1", signature,
			badHop.invoke(runner, usual()), lists(aliceMLDSA44)),
		denied("mldsa44-other-request", "mldsa44-root", "The request is another than the one that was signed for.", "V8", checkFailed, direct,
			lists(aliceMLDSA44), asked(to("read", certificate).action)),
	}
}
