package grpcauth

// Carry lets the tests send any bytes as a message, Receive take them off the wire.
var (
	Carry   = carry
	Receive = receive
	Decode  = decode
)

// RequestOf lets them look at a mapping without a token.
func RequestOf(m *Mapping, name string, message []byte) (any, error) {
	c, err := m.find(name)
	if err != nil {
		return nil, err
	}
	return c.request(message)
}
