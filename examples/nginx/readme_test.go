// Package nginx has the example's test, which does what its README says.
package nginx

import (
	"testing"

	"github.com/whittle-auth/whittle/examples/internal/walk"
)

// TestREADME types the commands of the README.
func TestREADME(t *testing.T) {
	w := walk.Walk{
		Needs:   []string{"nginx", "curl"},
		Build:   []string{"../../cli/whittle"},
		Files:   []string{"gateway.toml", "nginx.conf", "site"},
		Ports:   []string{"8080", "9180", "9181"},
		Listens: map[string]string{"whittle": "127.0.0.1:9181", "nginx": "127.0.0.1:8080"},
		AtLeast: 15,
	}
	w.Follow(t)
}
