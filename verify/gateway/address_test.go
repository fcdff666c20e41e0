package gateway_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/verify/gateway"
)

// TestAddresses: on this machine only, unless another place is allowed by name.
func TestAddresses(t *testing.T) {
	w := newWorld(t)
	for server, want := range map[string]string{
		"":                           " ",
		`listen = "127.0.0.1:9180"`:  "127.0.0.1:9180 ",
		`listen = "[::1]:0"`:         "[::1]:0 ",
		`admin = "unix:/run/a.sock"`: " unix:/run/a.sock",
		`admin = "unix:a.sock"`:      " unix:" + filepath.Join(w.dir, "a.sock"),
		"allow_remote = true\nlisten = \"0.0.0.0:80\"": "0.0.0.0:80 ",
		`listen = "0.0.0.0:80"`:                        "",
		`listen = "192.0.2.1:80"`:                      "",
		`listen = "[::]:80"`:                           "",
		`admin = "0.0.0.0:80"`:                         "",
		`listen = "localhost:80"`:                      "",
		`listen = ":80"`:                               "",
		`listen = "127.0.0.1"`:                         "",
		`listen = "[fe80::1%lo]:80"`:                   "",
		`listen = "unix:"`:                             "",
	} {
		w.write("gateway.toml", configuration("nginx")+"\n[server]\n"+server+"\n")
		g, err := gateway.Open(filepath.Join(w.dir, "gateway.toml"), &gateway.Options{FirstStart: true})
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "line 21: ") {
				t.Errorf("%s: %v", server, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", server, err)
			continue
		}
		a := g.Addresses()
		if got := a.Listen.String() + " " + a.Admin.String(); got != want {
			t.Errorf("%s: %q, want %q", server, got, want)
		}
		g.Close()
	}
}
