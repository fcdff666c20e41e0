package main

// keyMutants are the rules of keys, signatures and key files (V1). That S is below
// the order of the curve, and that a P-256 signature is strict DER when it is
// verified, is left to crypto/ed25519 and crypto/ecdsa: there is no line of ours to
// take out, only TestEd25519RefusesLargeS and TestP256StrictDER.
var keyMutants = []mutant{
	// Ed25519.
	{"keys: no non-canonical point", "token/ed25519.go", "return errNotCanonical\n}\n", "return nil\n}\n", tokenPackage, "TestEd25519"},
	{"keys: no small-order R", "token/ed25519.go", "if err := checkEncoding([32]byte(sig[:32])); err != nil {", "if err := checkEncoding([32]byte(sig[:32])); err != nil && false {", tokenPackage, "TestEd25519"},
	{"keys: an Ed25519 key is on the curve", "token/ed25519.go", "if err != nil {\n\t\treturn errNotOnCurve", "if err != nil {\n\t\treturn nil", tokenPackage, "TestEd25519"},
	{"keys: an Ed25519 signature has 64 bytes", "token/ed25519.go", "if len(sig) != ed25519.SignatureSize {", "if false {", tokenPackage, "TestEveryLength"},
	{"keys: an Ed25519 pair has 64 bytes", "token/ed25519.go", "if len(pair) != ed25519.PrivateKeySize {", "if false {", tokenPackage, "TestNewSignerRefuses"},

	// P-256.
	{"keys: a P-256 key is on the curve", "token/p256.go", "if x == nil {\n\t\treturn nil, errNotOnCurve\n\t}", "if x == nil {\n\t\tx, y = elliptic.P256().Params().Gx, elliptic.P256().Params().Gy\n\t}", tokenPackage, "TestP256Keys"},
	{"keys: only the curve P-256", "token/p256.go", "pub == nil || pub.Curve != elliptic.P256() {", "pub == nil {", tokenPackage, "TestPublicKeyFromCrypto"},
	{"keys: nothing after a signature", "token/p256.go", "|| !input.Empty() ||", "||", tokenPackage, "TestP256"},
	{"keys: nothing after a signature's integers", "token/p256.go", "|| !inner.Empty() {", "{", tokenPackage, "TestP256"},
	{"keys: a signature's integers are in range", "token/p256.go", "if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(order) >= 0 || s.Cmp(order) >= 0 {", "if order == nil {", tokenPackage, "TestP256"},
	{"keys: low S is the lower half", "token/p256.go", "return err == nil && s.Cmp(halfOrder()) <= 0\n", "return err == nil && s != nil\n", tokenPackage, "TestP256LowS"},
	{"keys: signers' signatures become low-S", "token/p256.go", "if s.Cmp(halfOrder()) <= 0 {\n\t\treturn bytes.Clone(sig), nil", "if s.Sign() > 0 {\n\t\treturn bytes.Clone(sig), nil", tokenPackage, "TestP256LowS|TestNewSigner"},

	// Sizes.
	{"keys: size of a public key", "token/key.go", "if len(k.Bytes) != a.publicSize {", "if len(k.Bytes) < a.publicSize {", tokenPackage, "TestEveryLength"},
	{"keys: size of a secret", "token/signer.go", "if len(secret) != a.secretSize {", "if len(secret) < a.secretSize {", tokenPackage, "TestEveryLength"},
	{"keys: a key is a point", "token/key.go", "if err := pub.checkPoint(); err != nil {", "if err := pub.checkPoint(); err != nil && false {", tokenPackage, "TestEd25519RefusesBadPoints|TestP256Keys"},
	{"keys: the key of a held token is a point", "token/unverified.go", "// No signature is verified against this key, which would check it too.\n\t\tif err := key.checkPoint(); err != nil {", "if err := error(nil); err != nil {", tokenPackage, "TestHeldByNoPoint"},
	{"keys: a secret that is no key", "token/unverified.go", "if err != nil {\n\t\t\treturn &Error{Code: CodeMalformed, Block: -1, Msg: \"proof\", Err: err}", "if err != nil {\n\t\t\treturn nil", "./verify", "Vectors"},

	// Public halves are recomputed, never trusted.
	{"keys: the public half of a pair", "token/signer.go", "if !pair.algorithm.scheme.samePublic([]byte(pair.public.key.Bytes), stored) {", "if false {", tokenPackage, "TestWrongPublicHalf"},
	{"keys: all of y in a P-256 pair", "token/p256.go", "return err == nil && bytes.Equal(pub, compressed(stored))", "return err != nil || bytes.Equal(pub, compressed(stored))", tokenPackage, "TestWrongPublicHalf"},
	{"keys: the public half in PKCS#8", "token/keyfile.go", "if err := key.checkStored(public); err != nil {", "if err := key.checkStored(public); err != nil && false {", tokenPackage, "TestWrongPublicHalf"},
	{"keys: the public half in SEC 1", "token/keyfile.go", "if err := k.checkStored(stored); err != nil {", "if err := k.checkStored(stored); err != nil && false {", tokenPackage, "TestWrongPublicHalf"},
	{"keys: the public half outside OpenSSH's encryption", "token/keyfile.go", "if !bytes.Equal(outer.Public, own) {", "if own == nil {", tokenPackage, "TestWrongPublicHalf"},

	// Files and text.
	{"keys: limit on a key file", "token/keyfile.go", "if len(data) > maxKeyFile {", "if false {", tokenPackage, "TestParsePrivateKeyRefuses"},
	{"keys: nothing after a private key's PEM", "token/keyfile.go", "if len(bytes.TrimSpace(rest)) > 0 {", "if false {", tokenPackage, "TestParsePrivateKeyRefuses"},
	{"keys: no PEM headers in a private key", "token/keyfile.go", "if len(block.Headers) > 0 && block.Type != \"ENCRYPTED PRIVATE KEY\" {", "if false {", tokenPackage, "TestParsePrivateKeyRefuses"},
	{"keys: nothing after PKCS#8", "token/keyfile.go", "if !input.ReadASN1(&body, asn1.SEQUENCE) || !input.Empty() ||\n\t\t!body.ReadASN1Integer(&version) || version < 0", "if !input.ReadASN1(&body, asn1.SEQUENCE) ||\n\t\t!body.ReadASN1Integer(&version) || version < 0", tokenPackage, "TestParsePrivateKeyRefuses"},
	{"keys: limit on a public key's text", "token/keytext.go", "if len(s) > maxKeyText {", "if false {", tokenPackage, "TestParsePublicKeyRefuses"},
	{"keys: nothing after a public key's PEM", "token/keytext.go", `if strings.TrimSpace(string(rest)) != "" {`, "if rest == nil {", tokenPackage, "TestParsePublicKeyRefuses"},
	{"keys: the type within an OpenSSH key", "token/keytext.go", "if k.Type() != fields[0] {", "if false {", tokenPackage, "TestParsePublicKeyRefuses"},
	{"keys: strict base64 in an OpenSSH key", "token/keytext.go", "base64.StdEncoding.Strict().DecodeString", "base64.StdEncoding.DecodeString", tokenPackage, "TestParsePublicKeyRefuses"},

	// The text of a token.
	{"text: no stray bits", "token/text.go", "base64.RawURLEncoding.Strict()", "base64.RawURLEncoding", tokenPackage, "TestText"},
	{"text: limit on characters", "token/text.go", "len(body) > most {", "false && most > 0 {", "./verify", "TestHugeInput"},
	{"text: whittle: is for held tokens", "token/text.go", "if marked && u.Form() != Held {", "if false {", tokenPackage, "TestText"},
	{"text: whole padding or none", "token/text.go", "padding > 0 && (padding > 2 || len(body)%4 != 0) {", "padding > 3 && len(unpadded) == 0 {", tokenPackage, "TestText"},
}

const tokenPackage = "./token"
