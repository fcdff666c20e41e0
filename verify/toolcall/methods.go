package toolcall

import (
	"fmt"
	"strings"

	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// Undecided reports whether a method passes without a decision, from either side: what
// begins a session and keeps it, and nothing that a server acts on. All others are to be
// refused unless the server's owner allows them by name, tools/call and tools/list
// apart.
func Undecided(method string) bool {
	switch method {
	case "initialize", "server/discover", "ping", "logging/setLevel",
		"notifications/initialized", "notifications/cancelled", "notifications/progress":
		return true
	}
	return false
}

// ValidAllow refuses names of methods that cannot be allowed without a decision.
func ValidAllow(methods []string) error {
	for _, method := range methods {
		switch strings.TrimSpace(strictjson.Fold(method)) {
		case strictjson.Fold("tools/call"), strictjson.Fold("tools/list"), "":
			return fmt.Errorf("the method %q cannot be let through undecided", method)
		}
	}
	return nil
}
