package delegation_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

// Every kind of integer is the same argument: one digest and one fact, also inside
// lists and maps. What a signed integer of 64 bits cannot hold is refused, and so is
// what is an address or bytes.
func TestEveryIntegerKind(t *testing.T) {
	digest := func(v any) (delegation.Digest, string, error) {
		r := delegation.Request{Operation: "pay", Resource: "a", Audience: "svc:x", Args: map[string]any{"n": v, "in": []any{map[string]any{"n": v}}}}
		c, err := r.Check()
		if err != nil {
			return delegation.Digest{}, "", err
		}
		d, err := c.Digest([32]byte{}, make([]byte, 16))
		fact := ""
		for _, f := range c.Facts() {
			if f.Name == "arg" && f.Terms[0] == datalog.Term(datalog.String("n")) {
				fact = f.String()
			}
		}
		return d, fact, err
	}
	for number, kinds := range map[int64][]any{
		100:           {int(100), int8(100), int16(100), int32(100), uint(100), uint8(100), uint16(100), uint32(100), uint64(100)},
		-100:          {int(-100), int8(-100), int16(-100), int32(-100)},
		math.MinInt8:  {int8(math.MinInt8)},
		math.MaxUint8: {uint8(math.MaxUint8), uint16(math.MaxUint8)},
		math.MinInt16: {int16(math.MinInt16)},
		65535:         {uint16(math.MaxUint16)},
		1<<32 - 1:     {uint32(math.MaxUint32), uint(math.MaxUint32)},
		math.MaxInt64: {uint64(math.MaxInt64)},
	} {
		want, fact, err := digest(number)
		if err != nil || fact == "" {
			t.Fatalf("int64 %d: %q, %v", number, fact, err)
		}
		for _, v := range kinds {
			got, stated, err := digest(v)
			if err != nil || got != want || stated != fact {
				t.Errorf("%T %v: %x, %s, %v, want %x, %s", v, v, got, stated, err, want, fact)
			}
		}
	}
	refused := []any{uint64(math.MaxInt64) + 1, uintptr(1), []byte{1}, complex(1, 0)}
	if strconv.IntSize == 64 {
		refused = append(refused, uint(math.MaxUint))
	}
	for _, v := range refused {
		if _, _, err := digest(v); err == nil || !strings.Contains(err.Error(), `"n"`) && !strings.Contains(err.Error(), `"in"`) {
			t.Errorf("%T %v: %v", v, v, err)
		}
	}
}
