package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// grace is how long requests that came in before the end may take.
const grace = 10 * time.Second

// A Service is a server and where it listens.
type Service struct {
	Name     string
	Listener net.Listener
	Server   *http.Server
}

// Run serves until the context ends or one of the services fails. Requests that came in
// before are answered. It closes all listeners.
func Run(ctx context.Context, logger *slog.Logger, services ...Service) error {
	failed := make(chan error, len(services))
	for _, s := range services {
		logger.Info("listening", slog.String("for", s.Name), slog.String("at", s.Listener.Addr().String()))
		go func() { failed <- s.Server.Serve(s.Listener) }()
	}
	var err error
	waiting := len(services)
	select {
	case <-ctx.Done():
		logger.Info("ending")
	case err = <-failed:
		waiting--
	}
	ending, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, s := range services {
		if e := s.Server.Shutdown(ending); e != nil {
			s.Server.Close()
			err = errors.Join(err, e)
		}
	}
	for range waiting {
		if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}
