package main

import "encoding/hex"

// A wireCase is one entry of wire.json.
type wireCase struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Rule        string   `json:"rule"`
	Sibling     string   `json:"sibling,omitempty"`
	Root        string   `json:"root"`
	Token       string   `json:"token"`
	Expect      string   `json:"expect"`
	Source      []string `json:"source,omitempty"`
}

// Keys of the wire vectors: one root of each algorithm, and holders by number.
var (
	edRoot    = edKey("root")
	p256Root  = p256Key("root")
	ed1       = edKey("holder 1")
	ed2       = edKey("holder 2")
	ed3       = edKey("holder 3")
	p1        = p256Key("holder 1")
	p2        = p256Key("holder 2")
	edThird   = edKey("third party")
	p256Third = p256Key("third party")
)

// accepted is a token that verifies under root and prints as source. No source
// means that the text is not compared.
func accepted(name, description, rule string, root key, token []byte, source ...string) wireCase {
	return wireCase{
		Name: name, Description: description, Rule: rule,
		Root: root.text(), Token: hex.EncodeToString(token), Expect: "ok", Source: source,
	}
}

// refused is a token that differs in one thing from the accepted sibling.
func refused(name, sibling, description, rule, code string, root key, token []byte) wireCase {
	return wireCase{
		Name: name, Description: description, Rule: rule, Sibling: sibling,
		Root: root.text(), Token: hex.EncodeToString(token), Expect: code,
	}
}

const (
	malformed   = "malformed"
	unsupported = "unsupported"
	signature   = "signature"
)

func wireCases() []wireCase {
	var all []wireCase
	for _, cases := range [][]wireCase{
		acceptedForms(), acceptedTerms(), acceptedExpressions(), acceptedDatalog(),
		refusedContainers(), refusedKeys(), refusedSignatures(), refusedProofs(),
		refusedSymbols(), refusedTerms(), refusedExpressions(), refusedVersions(), statementCases(), limitCases(),
	} {
		all = append(all, cases...)
	}
	return all
}

// The blocks that most wire vectors are made of.
func rightBlock() block {
	return block{facts: []node{pred("right", str("file1"), str("read"))}}
}

const rightSource = "right(\"file1\", \"read\");\n"

func resourceBlock() block {
	return block{checks: []node{check(checkIf, query{body: []node{pred("resource", str("file1"))}})}}
}

const resourceSource = "check if resource(\"file1\");\n"

// twoBlocks is the usual sibling: root signs a right, holder 1 a check.
func twoBlocks() *chain {
	return new(chain).
		add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
		add(resourceBlock(), link{signer: ed1, next: ed2.publicKey})
}

// oneBlock wraps a block into a token signed by the Ed25519 root.
func oneBlock(b block) []byte {
	return new(chain).add(b, link{signer: edRoot, next: ed1.publicKey}).wire(secretProof(ed1.secret))
}

// factBlock holds the fact v with the given terms.
func factBlock(terms ...node) block { return block{facts: []node{pred("v", terms...)}} }

// exprBlock holds a check of nothing but one expression.
func exprBlock(e expr) block {
	return block{checks: []node{check(checkIf, query{exprs: []expr{e}})}}
}
