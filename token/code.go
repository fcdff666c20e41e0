package token

import "fmt"

// A Code names why something was refused. Codes are spelled alike in Go, JSON,
// test vectors and specification (spec/errors.md). A service may send a code to
// its client; the reasons behind it stay with the service.
type Code string

const (
	// The bytes are no well-formed token, or more than is read.
	CodeMalformed Code = "malformed"
	// The token uses a version or an algorithm that is not known here.
	CodeUnsupported Code = "unsupported"
	// A signature or the final proof does not verify.
	CodeSignature Code = "signature"

	// Block 0 is signed by none of the trusted keys, or by one that may not
	// speak for the delegator.
	CodeUntrustedRoot Code = "untrusted_root"
	// The token is held or bearer where a presented one is needed.
	CodeNotPresented Code = "not_presented"
	// The token is a valid Biscuit that breaks a rule of delegation.
	CodeProfile Code = "profile"
	// The invocation is for another service.
	CodeAudience Code = "audience"
	// The token or invocation is not valid yet, no longer, or for too long.
	CodeWindow Code = "window"
	// The expiry of the token has passed.
	CodeExpired Code = "expired"
	// A block, a key or the delegator has been revoked.
	CodeRevoked Code = "revoked"
	// What is known of revocations is older than the service allows.
	CodeStale Code = "stale"
	// The invocation or an approval has been used, or may have been.
	CodeReplay Code = "replay"
	// A caveat or another check does not hold.
	CodeCheckFailed Code = "check_failed"
	// No policy of the service allows the request, or one denies it.
	CodePolicy Code = "policy"
	// A check or policy could not be evaluated.
	CodeEvaluation Code = "evaluation"
	// Evaluation went beyond its limit of facts, rounds or steps, or one
	// delegation beyond its share of what is remembered of used invocations.
	CodeLimit Code = "limit"
	// Something the decision needs could not be had.
	CodeUnavailable Code = "unavailable"
)

// An Error is a refusal with its code. Block is the number of the block that
// it concerns, or -1.
type Error struct {
	Code  Code
	Block int
	Msg   string
	Err   error // the cause, or nil
}

func (e *Error) Error() string {
	s := e.Msg
	if e.Err != nil {
		if s != "" {
			s += ": "
		}
		s += e.Err.Error()
	}
	if e.Block >= 0 {
		return fmt.Sprintf("block %d: %s", e.Block, s)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error with the given code about one block, or about the
// token as a whole where block is -1.
func Errorf(code Code, block int, format string, args ...any) *Error {
	return &Error{Code: code, Block: block, Msg: fmt.Sprintf(format, args...)}
}

// A SignatureFormatError says that bytes cannot be a signature of any message.
type SignatureFormatError struct {
	Signature []byte
	Reason    string
}

func (e *SignatureFormatError) Error() string { return e.Reason }
