// Command service is a service that agents use with tokens: see README.md.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/replay"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()
	roots, err := trust.Open("trust", nil) // and again when it changes
	if err != nil {
		log.Fatal(err)
	}
	used, err := replay.OpenFile("used", time.Now(), &replay.Options{FirstStart: true}) // kept when it starts again
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.New("svc:certs", roots, &verify.Options{Replay: used})
	if err != nil {
		log.Fatal(err)
	}
	certs := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s, on behalf of %s\n", r.URL.Path, httpauth.DecisionFrom(r.Context()).Delegator)
	})
	server := &http.Server{Addr: *addr, Handler: httpauth.Protect(v, certs, nil), ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
