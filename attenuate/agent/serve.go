package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// ServeOptions are what an agent may do otherwise. The zero value is the safe choice,
// and nil means it: programs can use what is held, and nothing else.
type ServeOptions struct {
	// Logger is told of each operation, whether it was done, and of refused connections;
	// nil means [slog.Default]. It never sees a token, a key or what a program sends.
	Logger *slog.Logger

	// AllowChanges lets programs add and remove tokens and keys.
	AllowChanges bool

	// AllowHandoff lets programs hand a token on to a key of their choice. What they
	// get outlives the agent, up to the token's expiry.
	AllowHandoff bool

	// receive bounds the time that a program takes to send its question.
	receive time.Duration
}

const (
	receiveTimeout = 10 * time.Second
	// answerTimeout leaves people the time to confirm a signature of a key that is in
	// an ssh-agent.
	answerTimeout = 75 * time.Second
	// endTimeout is how long questions that came before the end have for their answers.
	endTimeout = 5 * time.Second
)

// Serve answers on a socket until the context is done. It lets questions that came
// before that have their answers for five seconds, removes the socket, and empties the
// keyring.
func Serve(ctx context.Context, s *Socket, k *Keyring, o *ServeOptions) error {
	var options ServeOptions
	if o != nil {
		options = *o
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	if options.receive == 0 {
		options.receive = receiveTimeout
	}
	s.logger = options.Logger
	defer k.Clear()
	server := &http.Server{
		Handler:           &handler{k, options},
		ReadHeaderTimeout: options.receive,
		ReadTimeout:       options.receive,
		WriteTimeout:      answerTimeout,
		MaxHeaderBytes:    4 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // it repeats what programs send
	}
	// A connection for each question: programs that idle must not take the places of
	// others.
	server.SetKeepAlivesEnabled(false)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s) }()
	select {
	case err := <-ended:
		return errors.Join(err, s.Close())
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if server.Shutdown(grace) != nil {
		server.Close()
	}
	<-ended
	return s.Close()
}

type handler struct {
	ring    *Keyring
	options ServeOptions
}

// operations are what an agent does, by path, with the members that a message to each
// may have.
var operations = map[string]struct {
	members []string
	run     func(*handler, context.Context, message) (any, error)
}{
	"/v1/list":      {nil, (*handler).list},
	"/v1/invoke":    {[]string{"name", "token", "request", "seconds"}, (*handler).invoke},
	"/v1/session":   {[]string{"name", "token", "audience", "channel", "seconds"}, (*handler).session},
	"/v1/attenuate": {[]string{"name", "token", "caveats", "agent", "key"}, (*handler).attenuate},
	"/v1/attach":    {[]string{"name", "token", "approval"}, (*handler).attach},
	"/v1/show":      {[]string{"name"}, (*handler).show},
	"/v1/add":       {[]string{"name", "token", "secret"}, (*handler).add},
	"/v1/remove":    {[]string{"name", "key", "all"}, (*handler).remove},
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, ok := operations[r.URL.Path]
	switch {
	case !ok:
		h.fail(w, http.StatusNotFound, failure{Message: "the agent has no such operation"})
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		h.fail(w, http.StatusMethodNotAllowed, failure{Message: "operations are asked for with POST"})
		return
	case r.Header.Get("Content-Type") != "application/json":
		h.fail(w, http.StatusUnsupportedMediaType, failure{Message: "messages are application/json"})
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		h.fail(w, http.StatusRequestEntityTooLarge, failure{Message: fmt.Sprintf("a message has at most %d bytes", maxMessage)})
		return
	}
	if err != nil {
		h.fail(w, http.StatusBadRequest, failure{Message: "the message did not arrive as a whole"})
		return
	}
	found, err := members(data, op.members...)
	if err != nil {
		h.fail(w, http.StatusBadRequest, failure{Message: err.Error()})
		return
	}
	answer, err := op.run(h, r.Context(), found)
	if err != nil {
		h.refuse(w, err)
		h.options.Logger.Warn("refused", "operation", r.URL.Path, "code", codeOf(err))
		return
	}
	h.options.Logger.Info("done", "operation", r.URL.Path)
	h.answer(w, http.StatusOK, answer)
}

func codeOf(err error) token.Code {
	if e, ok := errors.AsType[*token.Error](err); ok {
		return e.Code
	}
	if _, ok := errors.AsType[*delegation.WideningError](err); ok {
		return token.CodeProfile
	}
	return ""
}

// refuse answers with the reason: whoever asks is the owner of the tokens.
func (h *handler) refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	code := codeOf(err)
	switch {
	case errors.Is(err, ErrNotHeld):
		status = http.StatusNotFound
	case errors.Is(err, ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, ErrNotAllowed), code != "":
		status = http.StatusForbidden
	}
	h.fail(w, status, failure{code, err.Error()})
}

func (h *handler) fail(w http.ResponseWriter, status int, f failure) { h.answer(w, status, f) }

func (h *handler) answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"message":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a program that is gone needs no answer
}
