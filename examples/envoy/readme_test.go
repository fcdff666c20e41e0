// Package envoy has the example's test, which does what its README says.
package envoy

import (
	"testing"

	"github.com/whittle-auth/whittle/examples/internal/walk"
)

// TestREADME types the commands of the README.
func TestREADME(t *testing.T) {
	w := walk.Walk{
		Needs:   []string{"envoy", "curl"},
		Build:   []string{"../../cli/whittle", "../../verify/extauthz/whittle-envoy"},
		Files:   []string{"gateway.toml", "envoy.yaml"},
		Ports:   []string{"8080", "9180"},
		Listens: map[string]string{"whittle-envoy": "127.0.0.1:9180", "envoy": "127.0.0.1:8080"},
		AtLeast: 17,
	}
	w.Follow(t)
}
