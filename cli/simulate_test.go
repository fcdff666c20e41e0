package cli

import (
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/cli/reading"
)

func TestParseSimulated(t *testing.T) {
	const good = `{"operation":"o","resource":"r"}`
	for name, c := range map[string]struct {
		data string
		want int    // requests
		err  string // part of the error
	}{
		"lines":            {good + "\n\n" + good + "\n", 2, ""},
		"array":            {" [" + good + "," + good + "]\n", 2, ""},
		"everything":       {`{"name":"n","operation":"o","resources":["a","b"],"args":{"x":1},"audience":"s","context":{"t":"T"},"at":"2030-01-01T00:00:00Z","expect":"denied"}`, 1, ""},
		"nothing":          {"\n", 0, "no request"},
		"empty array":      {"[]", 0, "no request"},
		"no object":        {"[1]", 0, "request 1: it is no JSON object"},
		"member unknown":   {`{"operation":"o","resource":"r","expects":"allowed"}`, 0, `request 1: there is no member "expects"`},
		"member twice":     {good + "\n" + `{"operation":"o","operation":"p","resource":"r"}`, 0, "line 2: "},
		"no operation":     {`{"resource":"r"}`, 0, "operation is missing"},
		"no resource":      {`{"operation":"o"}`, 0, "either a resource"},
		"no resources":     {`{"operation":"o","resources":[]}`, 0, "either a resource"},
		"two resources":    {`{"operation":"o","resource":"r","resources":["r"]}`, 0, "either a resource"},
		"other type":       {`{"operation":1,"resource":"r"}`, 0, "operation has a value of another type"},
		"no list of texts": {`{"operation":"o","resources":["r",1]}`, 0, "resources has a value of another type"},
		"null":             {`{"operation":"o","resource":"r","args":null}`, 0, "args has a value of another type"},
		"no time":          {`{"operation":"o","resource":"r","at":"today"}`, 0, "no RFC 3339 time"},
		"before 1970":      {`{"operation":"o","resource":"r","at":"1969-01-01T00:00:00Z"}`, 0, "no RFC 3339 time"},
		"expect unknown":   {`{"operation":"o","resource":"r","expect":"yes"}`, 0, `expect "yes" is none of`},
		"expect nothing":   {`{"operation":"o","resource":"r","expect":""}`, 0, `expect "" is none of`},
		"context a float":  {`{"operation":"o","resource":"r","context":{"x":1.5}}`, 0, "context: "},
		"too many":         {strings.Repeat(good+"\n", maxSimulated+1), 0, "more than 10000"},
		"no JSON":          {good + "\nx", 0, "line 2: "},
	} {
		got, err := parseSimulated([]byte(c.data))
		if len(got) != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d requests and the error %v, want %d and %q", name, len(got), err, c.want, c.err)
		}
	}
}

func FuzzParseSimulated(f *testing.F) {
	f.Add([]byte(`{"operation":"o","resource":"r","args":{"x":[1,{"y":null}]},"expect":"allowed"}`))
	f.Add([]byte(`[{"operation":"o","resources":["r"],"at":"2030-01-01T00:00:00Z","context":{"t":"T"}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		requests, err := parseSimulated(data)
		if (err == nil) != (len(requests) > 0) {
			t.Fatalf("%d requests and %v", len(requests), err)
		}
		for _, r := range requests {
			if r.req.Operation == "" && err != nil {
				t.Fatal("a request and an error")
			}
			_ = reading.RequestLine(&r.req)
		}
	})
}
