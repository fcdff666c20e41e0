package grpcauth

import (
	"fmt"
	"log/slog"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify"
)

// ErrorDomain is the domain of the google.rpc.ErrorInfo in the status of a denial.
const ErrorDomain = "whittle"

// refused is the denial of a call that cannot be mapped to a request.
func refused(err error) error {
	return &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: err}
}

// refuse tells the log why, and returns what the client is told: the code.
func (c *call) refuse(d *verify.Decision, err error) error {
	code := verify.CodeOf(err)
	c.log(code, d, err)
	s := status.New(statusOf(code), string(code))
	detailed, err := s.WithDetails(&errdetails.ErrorInfo{Reason: strings.ToUpper(string(code)), Domain: ErrorDomain})
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}

// unreadable is the status that grpc has for a message that is none.
func (c *call) unreadable(err error) error {
	c.log(token.CodeMalformed, nil, err)
	return status.Error(codes.Internal, "the message cannot be read")
}

// statusOf returns the status of a denial: Unauthenticated where the token itself is not
// good here, PermissionDenied where a good one does not allow the call, Unavailable where
// the service cannot tell.
func statusOf(code token.Code) codes.Code {
	switch code {
	case token.CodeCheckFailed, token.CodePolicy, token.CodeEvaluation:
		return codes.PermissionDenied
	case token.CodeLimit:
		return codes.ResourceExhausted
	case token.CodeStale, token.CodeUnavailable:
		return codes.Unavailable
	}
	return codes.Unauthenticated
}

// CodeOf returns the code in the error of a call that a service behind [Protect] denied,
// empty for any other. It is what the service says.
func CodeOf(err error) token.Code {
	s, ok := status.FromError(err)
	if !ok {
		return ""
	}
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == ErrorDomain {
			return token.Code(strings.ToLower(info.GetReason()))
		}
	}
	return ""
}

// Bounds on what a line of the log repeats of a call, whose bytes are anybody's.
const (
	maxLogged  = 1024
	maxReasons = 16
)

func (c *call) log(code token.Code, d *verify.Decision, err error) {
	logger := c.options.Logger
	if logger == nil {
		logger = slog.Default()
	}
	reasons := []string{clip(err.Error())}
	delegator, action := "", ""
	if d != nil {
		delegator = d.Delegator
		if digest := d.Action(); digest != [32]byte{} {
			action = fmt.Sprintf("%x", digest)
		}
		if len(d.Reasons) > 0 {
			reasons = nil
		}
		for _, reason := range d.Reasons[:min(len(d.Reasons), maxReasons)] {
			reasons = append(reasons, clip(reason.String()))
		}
	}
	logger.LogAttrs(c.ctx, slog.LevelWarn, "call denied",
		slog.String("code", string(code)),
		slog.String("method", clip(c.name)),
		slog.String("delegator", delegator),
		slog.String("action", action),
		slog.Any("reasons", reasons),
	)
}

func clip(s string) string {
	if len(s) <= maxLogged {
		return s
	}
	return strings.ToValidUTF8(s[:maxLogged], "") + ".."
}
