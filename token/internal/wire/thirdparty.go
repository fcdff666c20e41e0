package wire

// ThirdPartyRequest asks a third party to sign a block that follows the block
// with the given signature (schema message ThirdPartyBlockRequest).
type ThirdPartyRequest struct {
	PreviousSignature []byte
}

// DecodeThirdPartyRequest reads a request. One of the format before 3.3, which
// carries public keys, is refused as unsupported. The result aliases data.
func DecodeThirdPartyRequest(data []byte, l *Limits) (*ThirdPartyRequest, error) {
	d, err := newDecoder(data, l.or(tokenLimits))
	if err != nil {
		return nil, err
	}
	r := &ThirdPartyRequest{}
	f := d.over(msgThirdPartyRequest, 0, len(data))
	for f.next() {
		if f.num < 3 {
			return nil, f.in(unsupported(f.at, "a third-party request in the legacy format"))
		}
		if r.PreviousSignature, err = f.signature(); err != nil {
			return nil, err
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return r, nil
}

// Encode returns the request's bytes.
func (r *ThirdPartyRequest) Encode() []byte {
	return appendBytesField(make([]byte, 0, len(r.PreviousSignature)+4), 3, r.PreviousSignature)
}

// ThirdPartyContents is a third party's answer to a request (schema message
// ThirdPartyBlockContents).
type ThirdPartyContents struct {
	Payload  []byte // a Block message, see [DecodeBlock]
	External External
}

// DecodeThirdPartyContents reads an answer. The payload is not looked into. The
// byte slices of the result alias data.
func DecodeThirdPartyContents(data []byte, l *Limits) (*ThirdPartyContents, error) {
	d, err := newDecoder(data, l.or(tokenLimits))
	if err != nil {
		return nil, err
	}
	c := &ThirdPartyContents{}
	f := d.over(msgThirdPartyContents, 0, len(data))
	for f.next() {
		switch f.num {
		case 1:
			c.Payload = f.bytes()
		case 2:
			if err := f.external(&c.External); err != nil {
				return nil, err
			}
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return c, nil
}

// Encode returns the answer's bytes.
func (c *ThirdPartyContents) Encode() []byte {
	b := appendBytesField(make([]byte, 0, len(c.Payload)+len(c.External.Signature)+64), 1, c.Payload)
	b, at := open(b, 2)
	return shut(appendExternal(b, &c.External), at)
}
