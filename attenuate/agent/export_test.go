package agent

import (
	"log/slog"
	"net/http"
	"time"
)

const MaxMessage = maxMessage

// ReceiveWithin bounds the time that a program takes to send its question.
func ReceiveWithin(d time.Duration) *ServeOptions { return &ServeOptions{receive: d} }

// Handler answers without a socket.
func Handler(k *Keyring) http.Handler {
	return &handler{k, ServeOptions{Logger: slog.New(slog.DiscardHandler), AllowChanges: true}}
}
