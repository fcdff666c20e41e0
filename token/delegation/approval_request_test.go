package delegation_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/delegation"
)

func anyValue(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		kinds := 7
		if depth == 0 {
			kinds = 5
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return rapid.Int64().Draw(t, "integer")
		case 3:
			return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1, -1, 1e21, math.Copysign(0, -1)}),
				rapid.Map(rapid.IntRange(-1000, 1000), func(i int) float64 { return float64(i) })).Draw(t, "float")
		case 4:
			return rapid.StringMatching(`[a-z"\\<&é\x00-\x1f]{0,6}`).Draw(t, "text")
		case 5:
			list := []any{}
			for range rapid.IntRange(0, 3).Draw(t, "length") {
				list = append(list, anyValue(depth-1).Draw(t, "element"))
			}
			return list
		}
		object := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			object[rapid.StringMatching(`[a-z"é~/]{0,3}`).Draw(t, "name")] = anyValue(depth-1).Draw(t, "member")
		}
		return object
	})
}

// TestApprovalRequestArrives: the action that an approver reads is the one that was
// asked for, whatever is in it.
func TestApprovalRequestArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &delegation.ApprovalRequest{Token: "whittle:AA", Action: delegation.Request{
			Operation: "read", Resources: []string{"a", "b/c"}, Audience: "svc", Args: map[string]any{},
		}}
		for range rapid.IntRange(0, 4).Draw(t, "args") {
			r.Action.Args[rapid.StringMatching(`[a-z"é]{0,3}`).Draw(t, "name")] = anyValue(3).Draw(t, "value")
		}
		if rapid.Bool().Draw(t, "body") {
			r.Action.BodyDigest = rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "digest")
		}
		want, err := digestOf(&r.Action)
		if err != nil {
			t.Skip(err)
		}
		data, err := json.MarshalIndent(r, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		arrived, err := delegation.ParseApprovalRequest(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		got, err := digestOf(&arrived.Action)
		if err != nil || got != want || arrived.Token != r.Token {
			t.Fatalf("%s: %x, %v, want %x", data, got, err, want)
		}
	})
}

func digestOf(r *delegation.Request) (delegation.Digest, error) {
	checked, err := r.Check()
	if err != nil {
		return delegation.Digest{}, err
	}
	return checked.ActionDigest()
}

func TestParseApprovalRequest(t *testing.T) {
	const good = `{"token":"whittle:AA","operation":"read","resources":["a"],"audience":"svc","args":{"n":1,"f":1.0},"body":"00ff"}`
	r, err := delegation.ParseApprovalRequest([]byte(" " + good + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &delegation.ApprovalRequest{Token: "whittle:AA", Action: delegation.Request{
		Operation: "read", Resources: []string{"a"}, Audience: "svc", Args: map[string]any{"n": int64(1), "f": 1.0}, BodyDigest: []byte{0, 255},
	}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v", r)
	}
	for from, to := range map[string]string{
		`"token":"whittle:AA",`: ``,
		`"operation":"read",`:   ``,
		`"resources":["a"],`:    ``,
		`"audience":"svc",`:     ``,
		`"whittle:AA"`:          `7`,
		`"read"`:                `["read"]`,
		`["a"]`:                 `"a"`,
		`"resources":["a"]`:     `"resources":[1]`,
		`["a"],`:                `["a/../b"],`,
		`{"n":1,"f":1.0}`:       `[1]`,
		`"n":1`:                 `"n":1,"n":2`,
		`"n":1,`:                `"/n":1,`,
		`"n":1,"f"`:             `"n":9223372036854775808,"f"`,
		`"00ff"`:                `"0g"`,
		`"00ff"}`:               `"00ff","colour":"red"}`,
		`,"body"`:               `,"operation":"delete","body"`,
		`"args"`:                `"\u006fperation":"delete","args"`,
		`00ff"}`:                `00ff"} {}`,
		`{"token"`:              `[{"token"`,
		good:                    ``,
	} {
		source := strings.Replace(good, from, to, 1)
		if source == good {
			t.Fatalf("nothing was replaced by %s", to)
		}
		if r, err := delegation.ParseApprovalRequest([]byte(source)); err == nil {
			t.Errorf("%s reads as %+v", source, r)
		}
	}
	if _, err := delegation.ParseApprovalRequest([]byte(strings.Replace(good, "read", strings.Repeat(" ", 1<<20), 1))); err == nil {
		t.Error("a file of more than a megabyte")
	}
	if _, err := (&delegation.ApprovalRequest{Token: "x"}).MarshalJSON(); err == nil {
		t.Error("written without an action")
	}
}

func FuzzParseApprovalRequest(f *testing.F) {
	f.Add([]byte(`{"token":"whittle:AA","operation":"read","resources":["a"],"audience":"svc","args":{"n":[1.5,{}]},"body":""}`))
	f.Add([]byte(`{"token":"x","operation":"a","resources":["é"],"audience":"b"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := delegation.ParseApprovalRequest(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		s, err := delegation.ParseApprovalRequest(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		one, err1 := digestOf(&r.Action)
		two, err2 := digestOf(&s.Action)
		if err1 != nil || err2 != nil || one != two || r.Token != s.Token {
			t.Fatalf("%s became %s: %v, %v", data, again, err1, err2)
		}
	})
}
