package delegation

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token/datalog"
)

// variants calls f with copies of a check that differ from it in one place of the tree.
func variants(c datalog.Check, f func(datalog.Check)) {
	vary(reflect.ValueOf(c), func(v reflect.Value) { f(v.Interface().(datalog.Check)) })
}

// others stand in for terms and expressions.
var others = []any{
	datalog.Variable("t"), datalog.Variable("q"), datalog.String("a"), datalog.Integer(1), datalog.Date(1), datalog.Bytes("a"), datalog.Null{},
	datalog.Array{datalog.String("read")}, datalog.Array{}, datalog.Value{Term: datalog.Variable("t")}, datalog.Value{Term: datalog.String("a")},
	datalog.Value{Term: datalog.Array{}}, datalog.Binary{}, datalog.Unary{Op: datalog.OpParens, Arg: datalog.Value{Term: datalog.Bool(true)}},
	datalog.Binary{Op: datalog.OpOr, Left: datalog.Value{Term: datalog.Bool(true)}, Right: datalog.Value{Term: datalog.Bool(true)}}, datalog.Quantified{},
}

func vary(v reflect.Value, f func(reflect.Value)) {
	set := func(change func(copied reflect.Value)) {
		copied := reflect.New(v.Type()).Elem()
		copied.Set(v)
		change(copied)
		f(copied)
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			vary(v.Field(i), func(field reflect.Value) {
				set(func(copied reflect.Value) { copied.Field(i).Set(field) })
			})
		}
	case reflect.Slice:
		elems := func(list ...reflect.Value) {
			set(func(copied reflect.Value) {
				copied.Set(reflect.Append(reflect.MakeSlice(v.Type(), 0, len(list)), list...))
			})
		}
		var all []reflect.Value
		for i := range v.Len() {
			all = append(all, v.Index(i))
		}
		if v.Type().Elem() != reflect.TypeFor[datalog.Term]() { // no tree has a nil for a term
			elems(append(slices.Clone(all), reflect.Zero(v.Type().Elem()))...)
		}
		for i := range all {
			elems(slices.Delete(slices.Clone(all), i, i+1)...)
			elems(slices.Insert(slices.Clone(all), i, all[i])...)
			vary(all[i], func(e reflect.Value) {
				list := slices.Clone(all)
				list[i] = e
				elems(list...)
			})
		}
	case reflect.Interface:
		for _, other := range others {
			if reflect.TypeOf(other).Implements(v.Type()) {
				set(func(copied reflect.Value) { copied.Set(reflect.ValueOf(other)) })
			}
		}
		if !v.IsNil() {
			vary(v.Elem(), func(e reflect.Value) { set(func(copied reflect.Value) { copied.Set(e) }) })
		}
	case reflect.String:
		for _, s := range []string{"", v.String() + "x", v.String() + "/", "a", "t"} {
			set(func(copied reflect.Value) { copied.SetString(s) })
		}
	case reflect.Bool:
		set(func(copied reflect.Value) { copied.SetBool(!v.Bool()) })
	case reflect.Int, reflect.Int64, reflect.Int32:
		set(func(copied reflect.Value) { copied.SetInt(v.Int() + 1) })
	case reflect.Uint8, reflect.Uint64, reflect.Uint32:
		for n := range uint64(40) { // of operators, each
			set(func(copied reflect.Value) { copied.SetUint(n) })
		}
	}
}

// TestWritesIsWhatWritingAgainSays: comparing in place and comparing with the check
// written again agree, of every check that differs from a canonical one in one place, and
// of every caveat.
func TestWritesIsWhatWritingAgainSays(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	caveats := []Caveat{
		Expires(at), ValidFrom(at), Operation("read"), Operation("read", "a"), Audience("svc", "a"), Resource("a"), Resource("a/**"),
		Resource("a", "b/c"), Resource("a/**", "b/**"), Resource("b", "a/**", "c"), Operation(), Depth{Max: 1},
	}
	compared, same := 0, 0
	for _, origin := range caveats {
		try := func(c datalog.Check) {
			for _, cv := range caveats {
				compared++
				want := cv.Check().Equal(c)
				if want {
					same++
				}
				if got := writes(cv, c); got != want {
					t.Errorf("%s writes %v: %v, want %v", cv, c, got, want)
				}
			}
		}
		try(origin.Check())
		variants(origin.Check(), try)
	}
	if compared < 10000 || same < len(caveats) {
		t.Errorf("%d comparisons, %d the same", compared, same)
	}
}

// TestInvocationIsExactlyItsChecks: any check that differs in one place makes an invocation
// another one, or none.
func TestInvocationIsExactlyItsChecks(t *testing.T) {
	channel := Channel{Kind: TLSExporter, Value: [32]byte{1}}
	refused, read := 0, 0
	for _, inv := range []Invocation{
		{Request: Digest{1}, Audience: "svc", NotBefore: 5, Expires: 7}, {Channel: channel, Audience: "svc", NotBefore: 5, Expires: 7},
	} {
		for i := range 3 {
			variants(inv.checks()[i], func(c datalog.Check) {
				checks := inv.checks()
				checks[i] = c
				var got Invocation
				if !got.readChecks(checks) {
					refused++
					return
				}
				read++
				for i, c := range got.checks() {
					if !c.Equal(checks[i]) {
						t.Errorf("%v was read as %+v", checks, got)
					}
				}
			})
		}
	}
	if refused < 100 || read < 10 {
		t.Errorf("%d refused, %d read", refused, read)
	}
}
