package grpcauth

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/emptypb"
)

// carry returns a message whose encoding is the given bytes. To a message without fields
// all that is in them is unknown, and what is unknown is kept and written as it stands.
func carry(encoded []byte) proto.Message {
	m := new(emptypb.Empty)
	m.ProtoReflect().SetUnknown(encoded)
	return m
}

// receive takes the next message off the wire as it is, without knowing what it is of.
// Tags that are longer than they need be come out in their one short spelling: whoever
// signed such bytes is denied, since the digest is of what is decoded afterwards.
func receive(next func(any) error) ([]byte, error) {
	m := new(emptypb.Empty)
	if err := next(m); err != nil {
		return nil, err
	}
	return m.ProtoReflect().GetUnknown(), nil
}

// encode returns the bytes of a message of the generated code.
func encode(m any) ([]byte, error) {
	p, err := message(m)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(p)
}

// decode reads them into one.
func decode(encoded []byte, m any) error {
	p, err := message(m)
	if err != nil {
		return err
	}
	return proto.Unmarshal(encoded, p)
}

func message(m any) (proto.Message, error) {
	switch m := m.(type) {
	case proto.Message:
		return m, nil
	case protoadapt.MessageV1:
		return protoadapt.MessageV2Of(m), nil
	}
	return nil, fmt.Errorf("%T is no protobuf message", m)
}
