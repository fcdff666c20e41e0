// Package agent is a small local signer, as ssh-agent is for SSH: it keeps an agent's
// keys and the tokens that it holds, and answers programs that ask for an invocation.
// They never see a key.
//
// The signer:
//
//	ring := agent.NewKeyring(&agent.Options{Roots: roots})
//	_, err := ring.Add("deploy", held, key)
//	socket, err := agent.Listen("/run/user/1000/whittle/agent.sock")
//	err = agent.Serve(ctx, socket, ring, nil)
//
// A program that uses it:
//
//	client, err := agent.FromEnvironment()
//	transport, err := httpauth.NewTransport("https://certs.example.org", "svc:certs",
//		client.Invoker("deploy"), nil)
//
// The protocol is JSON over HTTP/1.1 on a Unix socket, which only the user that owns
// it can open: spec/agent.md. No operation signs bytes of the caller's choosing; what
// leaves is a token for one request, for one connection, or a held one, which is worth
// nothing without its key.
//
// Whoever may use the socket may use every token that is held, as with ssh-agent. The
// keys are safe from it, for they do not leave, and what it can do ends with the agent.
// Keys are in the memory of the process. Go gives no way to erase every copy of them.
package agent
