package token

import (
	"encoding/binary"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/internal/wire"
)

// Signature versions of a SignedBlock (specification, "Signed payload
// generation"). Version 0 is read, never written: its payload does not cover
// the previous signature, so blocks can be moved between tokens.
const (
	signatureV0 = 0
	signatureV1 = 1
)

// blockPayload appends to buf what the signature of b covers. previous is the
// signature of the block before, nil for block 0.
func blockPayload(buf []byte, b *wire.SignedBlock, previous []byte) []byte {
	if b.Version == signatureV0 {
		buf = append(buf, b.Payload...)
		if b.External != nil {
			buf = append(buf, b.External.Signature...)
		}
		return appendKey(buf, b.NextKey)
	}
	buf = append(buf, "\x00BLOCK\x00\x00VERSION\x00"...)
	buf = binary.LittleEndian.AppendUint32(buf, b.Version)
	buf = append(buf, "\x00PAYLOAD\x00"...)
	buf = append(buf, b.Payload...)
	buf = append(buf, "\x00ALGORITHM\x00"...)
	buf = binary.LittleEndian.AppendUint32(buf, uint32(b.NextKey.Algorithm))
	buf = append(buf, "\x00NEXTKEY\x00"...)
	buf = append(buf, b.NextKey.Bytes...)
	if previous != nil {
		buf = append(buf, "\x00PREVSIG\x00"...)
		buf = append(buf, previous...)
	}
	if b.External != nil {
		buf = append(buf, "\x00EXTERNALSIG\x00"...)
		buf = append(buf, b.External.Signature...)
	}
	return buf
}

// externalPayload appends to buf what a third party signs: the content of its
// block, tied to one token by the signature of the block before.
func externalPayload(buf, payload, previous []byte) []byte {
	buf = append(buf, "\x00EXTERNAL\x00\x00VERSION\x00"...)
	buf = binary.LittleEndian.AppendUint32(buf, signatureV1)
	buf = append(buf, "\x00PAYLOAD\x00"...)
	buf = append(buf, payload...)
	buf = append(buf, "\x00PREVSIG\x00"...)
	return append(buf, previous...)
}

// sealPayload appends to buf what the final signature of a sealed token covers.
func sealPayload(buf []byte, last *wire.SignedBlock) []byte {
	buf = append(buf, last.Payload...)
	buf = appendKey(buf, last.NextKey)
	return append(buf, last.Signature...)
}

func appendKey(buf []byte, k datalog.Key) []byte {
	buf = binary.LittleEndian.AppendUint32(buf, uint32(k.Algorithm))
	return append(buf, k.Bytes...)
}
