package httpauth

import (
	"fmt"
	"net/http"
	"strings"
)

// oneHop refuses what is said to the next hop only. A proxy that obeys an Upgrade
// passes on whatever follows on the connection, further requests among it, and nobody
// decides on them: net/http/httputil does so, and Caddy. Connection can name any
// header to be removed on the way, of which what stands behind sees nothing then.
func oneHop(h http.Header) error {
	for _, name := range []string{"Upgrade", "Http2-Settings"} {
		if len(h.Values(name)) > 0 {
			return fmt.Errorf("the request has the header %s: a connection that changes its protocol is not decided on", name)
		}
	}
	for _, value := range h.Values("Connection") {
		for option := range strings.SplitSeq(value, ",") {
			switch option = strings.ToLower(strings.Trim(option, " \t")); option {
			case "", "close", "keep-alive", "te":
			default:
				return fmt.Errorf("the header Connection names %.64q", option)
			}
		}
	}
	return nil
}
