package cli_test

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// forge makes tokens that no honest program makes:
//
//	forge drop N IN OUT             without block N, which is not 0
//	forge swap N IN OUT             with blocks N and N+1 in the other order
//	forge splice A B OUT            block 0 of A, all the rest of B
//	forge flip BIT IN OUT           with one bit of the message inverted; below 0 from the end
//	forge cut N IN OUT              the first N bytes of the message
//	forge append DATALOG IN OUT     a block signed with the secret in the proof
//	forge held IN OUT               with an empty proof
//	forge raw IN OUT                the message itself, no text
func forge(ts *testscript.TestScript, _ bool, args []string) {
	kind, out := args[0], args[len(args)-1]
	read := func(name string) []byte {
		text := strings.TrimSpace(ts.ReadFile(name))
		text = strings.TrimPrefix(text, "whittle:")
		message, err := token.DecodeText(text, 1<<20)
		ts.Check(err)
		return message
	}
	var message []byte
	switch kind {
	case "drop":
		c := open(ts, read(args[2]))
		n := number(ts, args[1]) - 1
		c.blocks = append(c.blocks[:n:n], c.blocks[n+1:]...)
		message = c.encode()
	case "swap":
		c := open(ts, read(args[2]))
		n := number(ts, args[1]) - 1
		c.blocks[n], c.blocks[n+1] = c.blocks[n+1], c.blocks[n]
		message = c.encode()
	case "splice":
		c, rest := open(ts, read(args[1])), open(ts, read(args[2]))
		c.blocks, c.proof = rest.blocks, rest.proof
		message = c.encode()
	case "flip":
		message = read(args[2])
		bit := number(ts, args[1])
		if bit < 0 {
			bit += 8 * len(message)
		}
		message[bit/8] ^= 1 << (bit % 8)
	case "cut":
		message = read(args[2])[:number(ts, args[1])]
	case "append":
		message = extend(ts, read(args[2]), args[1])
	case "held":
		c := open(ts, read(args[1]))
		c.proof = []byte{}
		message = c.encode()
	case "raw":
		ts.Check(os.WriteFile(ts.MkAbs(out), read(args[1]), 0o600))
		return
	default:
		ts.Fatalf("forge %s?", kind)
	}
	text := token.EncodeText(message)
	if u, err := token.Parse(message, nil); err == nil {
		text = u.Text()
	}
	ts.Check(os.WriteFile(ts.MkAbs(out), []byte(text+"\n"), 0o600))
}

// extend appends a block with the secret that a token carries.
func extend(ts *testscript.TestScript, message []byte, source string) []byte {
	u, err := token.Parse(message, nil)
	ts.Check(err)
	t, err := u.VerifyUnrooted()
	ts.Check(err)
	block, err := datalog.ParseBlock(source, nil)
	ts.Check(err)
	longer, err := t.Append(nil, block, token.SameNext(t))
	ts.Check(err)
	return longer.Bytes()
}

// container is the outermost message of a token (schema.proto, Biscuit), its
// parts as they travel.
type container struct {
	rootKeyID []byte // the field, or nothing
	authority []byte
	blocks    [][]byte
	proof     []byte
}

func open(ts *testscript.TestScript, message []byte) *container {
	c := new(container)
	for len(message) > 0 {
		number, _, n := protowire.ConsumeField(message)
		if n < 0 {
			ts.Fatalf("the token to forge from is no message")
		}
		field := message[:n]
		message = message[n:]
		_, _, tag := protowire.ConsumeTag(field)
		body := field[tag:]
		if number != 1 {
			body, _ = protowire.ConsumeBytes(body)
		}
		switch number {
		case 1:
			c.rootKeyID = field
		case 2:
			c.authority = body
		case 3:
			c.blocks = append(c.blocks, body)
		case 4:
			c.proof = body
		default:
			ts.Fatalf("the token to forge from has a field %d", number)
		}
	}
	return c
}

func (c *container) encode() []byte {
	out := append([]byte{}, c.rootKeyID...)
	add := func(number protowire.Number, body []byte) {
		out = protowire.AppendTag(out, number, protowire.BytesType)
		out = protowire.AppendBytes(out, body)
	}
	add(2, c.authority)
	for _, b := range c.blocks {
		add(3, b)
	}
	add(4, c.proof)
	return out
}
