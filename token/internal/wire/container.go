package wire

import "github.com/whittle-auth/whittle/token/datalog"

// Container is a token as it travels: signed blocks of bytes that are not yet
// understood (schema message Biscuit). All byte slices of a decoded container
// alias the input, which must not change while it is in use.
type Container struct {
	RootKeyID    uint32
	HasRootKeyID bool
	Blocks       []SignedBlock // at least one; the first is the authority block
	Proof        Proof
}

// SignedBlock is one block with its signatures.
type SignedBlock struct {
	// Message is the SignedBlock message as on the wire, without tag and length.
	// The other fields are read from it.
	Message []byte

	Payload   []byte // the Block message, see [DecodeBlock]
	NextKey   datalog.Key
	Signature []byte // of any length to 4096 bytes; its form is not checked here
	External  *External
	Version   uint32 // of the signed payload's format: 0 or 1
}

// External is the signature of a third party.
type External struct {
	Signature []byte
	Key       datalog.Key
}

// ProofKind tells the sorts of [Proof] apart.
type ProofKind uint8

const (
	// ProofEmpty is a proof message without content: a token in held form.
	ProofEmpty ProofKind = iota

	// ProofNextSecret carries the private key of the last block's next key.
	ProofNextSecret

	// ProofFinalSignature seals the token.
	ProofFinalSignature
)

// Proof is the end of the chain. Data is nil for [ProofEmpty].
type Proof struct {
	Kind ProofKind
	Data []byte
}

// The signature versions of the specification, section "Cryptography".
const maxSignatureVersion = 1

// DecodeContainer reads a token's container. Block payloads are not looked into.
// The first block has no external signature, and others that have one state
// signature version 1.
func DecodeContainer(data []byte, l *Limits) (*Container, error) {
	r := NewBlockReader(nil, l)
	defer r.Release()
	d := &r.d
	err := d.start(data, r.lim)
	if err != nil {
		return nil, err
	}
	n := d.counts(0, len(data))
	c := &Container{Blocks: make([]SignedBlock, 0, min(n[2]+n[3], d.lim.Blocks))}
	f := d.over(msgBiscuit, 0, len(data))
	for f.next() {
		switch f.num {
		case 1:
			if c.RootKeyID, err = f.uint32(); err != nil {
				return nil, err
			}
			c.HasRootKeyID = true
		case 2, 3:
			if len(c.Blocks) >= d.lim.Blocks {
				return nil, f.failf("more than %d blocks", d.lim.Blocks)
			}
			c.Blocks = append(c.Blocks, SignedBlock{})
			if err := f.signedBlock(&c.Blocks[len(c.Blocks)-1]); err != nil {
				return nil, err
			}
		case 4:
			if c.Proof, err = f.proof(); err != nil {
				return nil, err
			}
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return c, nil
}

func (f *fields) signedBlock(b *SignedBlock) *Error {
	b.Message = f.bytes()
	s := f.d.over(msgSignedBlock, f.start, f.stop)
	external := 0
	for s.next() {
		var err *Error
		switch s.num {
		case 1:
			b.Payload = s.bytes()
		case 2:
			b.NextKey, err = s.key()
		case 3:
			b.Signature, err = s.signature()
		case 4:
			if f.num == 2 {
				return f.in(s.failf("the authority block cannot have an external signature"))
			}
			external = s.at
			b.External = new(External)
			err = s.external(b.External)
		case 5:
			if b.Version, err = s.uint32(); err == nil && b.Version > maxSignatureVersion {
				err = s.in(unsupported(s.at, "signature version %d", b.Version))
			}
		}
		if err != nil {
			return f.in(err)
		}
	}
	if s.err != nil {
		return f.in(s.err)
	}
	if b.External != nil && b.Version != 1 {
		return f.in(unsupported(external, "an external signature needs signature version 1, found %d", b.Version).
			under("externalSignature", -1))
	}
	return nil
}

func (f *fields) external(e *External) *Error {
	x := f.d.over(msgExternalSignature, f.start, f.stop)
	for x.next() {
		var err *Error
		switch x.num {
		case 1:
			e.Signature, err = x.signature()
		case 2:
			e.Key, err = x.key()
		}
		if err != nil {
			return f.in(err)
		}
	}
	return f.in(x.err)
}

func (f *fields) proof() (Proof, *Error) {
	p := f.d.over(msgProof, f.start, f.stop)
	var proof Proof
	for p.next() {
		data, err := p.signature()
		if err != nil {
			return proof, f.in(err)
		}
		switch p.num {
		case 1:
			proof = Proof{ProofNextSecret, data}
		case 2:
			proof = Proof{ProofFinalSignature, data}
		}
	}
	return proof, f.in(p.err)
}

// Encode returns the container's bytes. The Message of each block goes out
// untouched, so it must be set, by [DecodeContainer] or [EncodeSignedBlock].
func (c *Container) Encode() []byte {
	size := 16 + len(c.Proof.Data)
	for i := range c.Blocks {
		size += len(c.Blocks[i].Message) + 8
	}
	b := make([]byte, 0, size)
	if c.HasRootKeyID {
		b = appendVarintField(b, 1, uint64(c.RootKeyID))
	}
	for i := range c.Blocks {
		b = appendBytesField(b, 2+min(i, 1), c.Blocks[i].Message)
	}
	b, at := open(b, 4)
	switch c.Proof.Kind {
	case ProofEmpty:
	case ProofNextSecret:
		b = appendBytesField(b, 1, c.Proof.Data)
	case ProofFinalSignature:
		b = appendBytesField(b, 2, c.Proof.Data)
	}
	return shut(b, at)
}

// EncodeSignedBlock returns the SignedBlock message of the block's fields other
// than Message. Version 0 is expressed by leaving it out, as the reference does.
func EncodeSignedBlock(s *SignedBlock) []byte {
	b := make([]byte, 0, len(s.Payload)+len(s.Signature)+256)
	b = appendBytesField(b, 1, s.Payload)
	b, at := open(b, 2)
	b = shut(appendKey(b, s.NextKey), at)
	b = appendBytesField(b, 3, s.Signature)
	if s.External != nil {
		b, at = open(b, 4)
		b = shut(appendExternal(b, s.External), at)
	}
	if s.Version != 0 {
		b = appendVarintField(b, 5, uint64(s.Version))
	}
	return b
}

func appendExternal(b []byte, e *External) []byte {
	b = appendBytesField(b, 1, e.Signature)
	b, at := open(b, 2)
	return shut(appendKey(b, e.Key), at)
}
