package grpcauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/whittle-auth/whittle/token"
)

func (g *guard) stream(name string, clientStreams bool, next grpc.StreamHandler) grpc.StreamHandler {
	method, unmapped := g.options.Mapping.find(name)
	return func(srv any, ss grpc.ServerStream) error {
		c := &call{guard: g, ctx: ss.Context(), name: name, method: method}
		if unmapped != nil {
			return c.refuse(nil, refused(unmapped))
		}
		if err := c.credential(); err != nil {
			return c.refuse(nil, err)
		}
		s := &stream{ServerStream: ss, call: c}
		var o *outcome
		var err error
		if method.AllowUnbound {
			o, err = c.decide(nil)
		} else if s.first, err = receive(ss.RecvMsg); errors.Is(err, io.EOF) {
			err = c.refuse(nil, refused(errNoMessage))
		} else if err == nil {
			s.each = clientStreams
			o, err = c.decide(s.first)
		}
		if err != nil {
			return err
		}
		if s.each && o.decision.Request != [32]byte{} {
			return c.refuse(o.decision, refused(errUnbound))
		}
		s.pending = !method.AllowUnbound
		// By the verifier's clock, which need not be the machine's.
		left := o.decision.Expires.Sub(o.decision.At)
		ctx, cancel := context.WithTimeoutCause(o.context(ss.Context()), left, errExpired)
		defer cancel()
		s.ctx = ctx
		err = next(srv, s)
		if denied := s.denied.Load(); denied != nil { // whatever the service makes of it
			return *denied
		}
		return err
	}
}

var (
	errNoMessage = errors.New("the client sent no message")
	errUnbound   = errors.New("an invocation binds one message: it opens a stream of them only where the mapping allows unbound messages")
	errExpired   = token.Errorf(token.CodeExpired, -1, "the token expired while the stream was open")
)

// stream is what a service gets of a stream that was decided on.
type stream struct {
	grpc.ServerStream
	call *call
	ctx  context.Context

	first   []byte // decided on before the service was called
	pending bool   // the service has yet to read it
	each    bool   // the others are decided on one by one

	denied atomic.Pointer[error] // what ended it; the service may send in another goroutine
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) RecvMsg(m any) error {
	if s.pending {
		message := s.first
		s.first, s.pending = nil, false
		return s.call.decode(message, m)
	}
	if !s.each {
		if err := s.ServerStream.RecvMsg(m); err != nil {
			return err
		}
		return s.alive()
	}
	message, err := receive(s.ServerStream.RecvMsg)
	if err != nil {
		return err
	}
	if err := s.alive(); err != nil {
		return err
	}
	if _, err := s.call.decide(message); err != nil {
		return s.end(err)
	}
	return s.call.decode(message, m)
}

func (s *stream) SendMsg(m any) error {
	if err := s.alive(); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(m)
}

// alive refuses to go on when a message was denied or the token has expired.
func (s *stream) alive() error {
	if denied := s.denied.Load(); denied != nil {
		return *denied
	}
	if errors.Is(context.Cause(s.ctx), errExpired) {
		return s.end(s.call.refuse(nil, errExpired))
	}
	return nil
}

func (s *stream) end(err error) error {
	s.denied.CompareAndSwap(nil, &err)
	return err
}

// decode gives the service the message that was decided on.
func (c *call) decode(encoded []byte, m any) error {
	if err := decode(encoded, m); err != nil {
		return c.unreadable(fmt.Errorf("the message cannot be read: %w", err))
	}
	return nil
}
