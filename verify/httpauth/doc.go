// Package httpauth puts a verifier in front of an [http.Handler], and invokes a
// token for each request of an [http.Client].
//
// A service:
//
//	v, err := verify.New("svc:certs", roots, nil)
//	http.ListenAndServeTLS(addr, cert, key, httpauth.Protect(v, handler, nil))
//
// An agent:
//
//	transport, err := httpauth.NewTransport("https://certs.example.org", "svc:certs",
//		httpauth.Hold(held, key), nil)
//	client := &http.Client{Transport: transport}
//
// [NewSessionTransport] presents one token for each TLS connection instead, where the
// service allows sessions. Package attenuate/agent has both invokers for keys that are in
// another process.
//
// Both ends make the same [delegation.Request] of the same HTTP request, by a
// [Mapping]. Without one, the operation is the method in lower case, the resource the
// path without its first slash, each query parameter is an argument, and a body is
// bound by its SHA-256 digest: GET /payments/api?page=2 asks for the operation "get"
// on "payments/api" with the argument page "2". What a mapping does not speak of is
// refused. A path or a query in another spelling than the usual one is refused too,
// never cleaned, and so is an upgrade to another protocol: see spec/http.md.
//
// Nothing binds headers, the host among them. A handler must not take from them what
// it acts on, such as X-HTTP-Method-Override.
package httpauth
