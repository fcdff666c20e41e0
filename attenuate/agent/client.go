package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// Variable is the name of the environment variable with the path of the agent's socket.
const Variable = "WHITTLE_AGENT_SOCK"

// ErrNoAgent says that no agent can be reached.
var ErrNoAgent = errors.New("no whittle agent can be reached")

// A Client asks an agent. It opens a connection for each question, so that there is
// nothing to close. It is safe for concurrent use.
//
// Errors match [ErrNoAgent], [ErrNotHeld], [ErrConflict] and [ErrNotAllowed], and are a
// [*token.Error] where a token was refused.
type Client struct {
	socket string
	http   *http.Client
}

// Open returns a client of the agent at a socket. Whether there is one shows with the
// first question. The socket must be of the user of this process: others are told
// nothing.
func Open(socket string) (*Client, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	if socket == "" {
		return nil, fmt.Errorf("%w: %s is not set", ErrNoAgent, Variable)
	}
	c := &Client{socket: socket}
	c.http = &http.Client{
		Timeout:       answerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		},
	}
	return c, nil
}

// FromEnvironment is [Open] with the socket that WHITTLE_AGENT_SOCK names.
func FromEnvironment() (*Client, error) { return Open(os.Getenv(Variable)) }

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.socket)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	if err := fromOwner(conn.(*net.UnixConn)); err != nil {
		conn.Close()
		return nil, fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	return conn, nil
}

// ask sends one question and reads the answer into v.
func (c *Client) ask(ctx context.Context, operation string, question, v any) error {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false) // it would make six bytes of one
	if err := e.Encode(question); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://agent/v1/"+operation, &data)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // its URL means nothing to anybody
		}
		if errors.Is(err, ErrNoAgent) || ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("reading the agent's answer: %w", err)
	}
	if len(text) > maxAnswer {
		return fmt.Errorf("the agent's answer is longer than %d bytes", maxAnswer)
	}
	if resp.StatusCode != http.StatusOK {
		return failed(resp.StatusCode, text)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("the agent's answer is not of this protocol: %w", err)
	}
	return nil
}

// failed makes an error of what the agent says.
func failed(status int, text []byte) error {
	var f failure
	if err := json.Unmarshal(text, &f); err != nil || f.Message == "" {
		return fmt.Errorf("the agent answers with the status %d, and not in this protocol", status)
	}
	if f.Code != "" {
		return token.Errorf(f.Code, -1, "%s", f.Message)
	}
	kind := map[int]error{http.StatusNotFound: ErrNotHeld, http.StatusConflict: ErrConflict, http.StatusForbidden: ErrNotAllowed}[status]
	return &answerError{f.Message, kind}
}

// An answerError is what an agent says, in its words.
type answerError struct {
	message string
	kind    error // nil where it is none of those that a program can act on
}

func (e *answerError) Error() string { return e.message }
func (e *answerError) Unwrap() error { return e.kind }

// List describes the tokens that the agent holds, and its keys.
func (c *Client) List(ctx context.Context) ([]Token, []token.PublicKey, error) {
	var answer contents
	err := c.ask(ctx, "list", struct{}{}, &answer)
	return answer.Tokens, answer.Keys, err
}

// Add gives the agent a token under a name, and the key of its holder. The zero key
// stands for one that the agent has.
func (c *Client) Add(ctx context.Context, name, held string, key token.PrivateKey) (*Token, error) {
	var answer added
	err := c.ask(ctx, "add", struct {
		Name   string `json:"name"`
		Token  string `json:"token"`
		Secret string `json:"secret,omitempty"`
	}{name, held, key.Text()}, &answer)
	if err == nil && answer.Token == nil {
		err = fmt.Errorf("the agent does not say what it has added")
	}
	return answer.Token, err
}

// AddKey gives the agent a key, for tokens that come later.
func (c *Client) AddKey(ctx context.Context, key token.PrivateKey) error {
	return c.ask(ctx, "add", struct {
		Secret string `json:"secret"`
	}{key.Text()}, &added{})
}

// Remove makes the agent forget a token.
func (c *Client) Remove(ctx context.Context, name string) error {
	return c.ask(ctx, "remove", struct {
		Name string `json:"name"`
	}{name}, &struct{}{})
}

// RemoveKey makes the agent forget a key, and the tokens that it is the holder of.
func (c *Client) RemoveKey(ctx context.Context, key token.PublicKey) error {
	return c.ask(ctx, "remove", struct {
		Key token.PublicKey `json:"key"`
	}{key}, &struct{}{})
}

// Clear makes the agent forget everything.
func (c *Client) Clear(ctx context.Context) error {
	return c.ask(ctx, "remove", struct {
		All bool `json:"all"`
	}{true}, &struct{}{})
}

// meant is how questions say which token is meant.
type meant struct {
	Name  string `json:"name,omitempty"`
	Token string `json:"token,omitempty"`
}

// Invoke asks for a token that is bound to one request, in text form. A zero window
// means [attenuate.Window]; it counts in whole seconds, one at least.
func (c *Client) Invoke(ctx context.Context, w Which, req delegation.Request, window time.Duration) (presented string, err error) {
	text, err := delegation.MarshalRequest(&req)
	if err != nil {
		return "", err
	}
	return c.make(ctx, "invoke", false, struct {
		meant
		Request json.RawMessage `json:"request"`
		Seconds int64           `json:"seconds,omitempty"`
	}{meant{w.Name, w.Text}, text, seconds(window)})
}

// InvokeSession asks for a token that is bound to one connection, in text form. A zero
// window means [attenuate.SessionWindow]; it counts likewise.
func (c *Client) InvokeSession(ctx context.Context, w Which, audience string, channel delegation.Channel, window time.Duration) (presented string, err error) {
	return c.make(ctx, "session", false, struct {
		meant
		Audience string `json:"audience"`
		Channel  string `json:"channel"`
		Seconds  int64  `json:"seconds,omitempty"`
	}{meant{w.Name, w.Text}, audience, channel.String(), seconds(window)})
}

func seconds(window time.Duration) int64 {
	if window <= 0 {
		return 0
	}
	return max(1, int64(window/time.Second))
}

// Narrow asks for a token with further caveats, for the same holder.
func (c *Client) Narrow(ctx context.Context, w Which, caveats ...delegation.Caveat) (held string, err error) {
	return c.Handoff(ctx, w, "", token.PublicKey{}, caveats...)
}

// Handoff asks for a token that another agent holds.
func (c *Client) Handoff(ctx context.Context, w Which, agent string, key token.PublicKey, caveats ...delegation.Caveat) (held string, err error) {
	texts := make([]string, len(caveats))
	for i, cv := range caveats {
		texts[i] = cv.String()
	}
	q := struct {
		meant
		Caveats []string `json:"caveats,omitempty"`
		Agent   string   `json:"agent,omitempty"`
		Key     string   `json:"key,omitempty"`
	}{meant{w.Name, w.Text}, texts, agent, ""}
	if !key.IsZero() {
		q.Key = key.String()
	}
	return c.make(ctx, "attenuate", true, q)
}

// Attach asks for a token with an approval that was given for it.
func (c *Client) Attach(ctx context.Context, w Which, approval []byte) (held string, err error) {
	return c.make(ctx, "attach", true, struct {
		meant
		Approval string `json:"approval"`
	}{meant{w.Name, w.Text}, token.EncodeText(approval)})
}

// Held asks for a token as it is held. It is worth nothing without its key.
func (c *Client) Held(ctx context.Context, name string) (held string, err error) {
	return c.make(ctx, "show", true, struct {
		Name string `json:"name"`
	}{name})
}

// make asks for a token of one form. What the agent says is believed no further than
// that.
func (c *Client) make(ctx context.Context, operation string, held bool, question any) (string, error) {
	var answer made
	if err := c.ask(ctx, operation, question, &answer); err != nil {
		return "", err
	}
	u, err := token.ParseText(answer.Token, nil)
	if err != nil {
		return "", fmt.Errorf("the agent's answer is no token: %w", err)
	}
	if (u.Form() == token.Held) != held {
		return "", fmt.Errorf("the agent's answer is a token of another form than was asked for")
	}
	return answer.Token, nil
}

// An Invoker uses one token of an agent, as packages like httpauth want it.
type Invoker struct {
	client *Client
	which  Which
}

// Invoker returns an invoker for the token of a name.
func (c *Client) Invoker(name string) *Invoker { return &Invoker{c, Which{Name: name}} }

// InvokerFor returns an invoker for a held token that the program has itself, and whose
// holder's key is in the agent.
func (c *Client) InvokerFor(held string) *Invoker { return &Invoker{c, Which{Text: held}} }

// Invoke is [Client.Invoke] for the usual window.
func (i *Invoker) Invoke(ctx context.Context, req delegation.Request) (presented string, err error) {
	return i.client.Invoke(ctx, i.which, req, 0)
}

// InvokeSession is [Client.InvokeSession] for the usual window.
func (i *Invoker) InvokeSession(ctx context.Context, audience string, channel delegation.Channel) (presented string, err error) {
	return i.client.InvokeSession(ctx, i.which, audience, channel, 0)
}
