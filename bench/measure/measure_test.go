package measure

import (
	"errors"
	"testing"
	"time"
)

// scripted is a side whose runs take what it is told, by no clock.
func scripted(name string, each time.Duration) Side {
	return Side{Name: name, Run: func(times int) (Cost, error) {
		return Cost{Wall: time.Duration(times) * each, CPU: time.Duration(times) * each / 2}, nil
	}}
}

func TestMeasureComparesWithTheFirstSide(t *testing.T) {
	refused := Side{Name: "refused", Run: func(int) (Cost, error) { return Cost{}, errors.New("denied") }}
	got := Plan{Turns: 4, Turn: time.Millisecond, Most: time.Second}.Measure([]Side{
		scripted("ours", time.Microsecond), scripted("theirs", 4*time.Microsecond), refused,
	})
	if r := got[1].CPURatio; r != (Quartiles{0.25, 0.25, 0.25}) {
		t.Errorf("ratio %v", r)
	}
	if got[1].Wall.Median != 4000 || got[1].CPU.Median != 2000 || got[1].Turns != 4 {
		t.Errorf("figure %+v", got[1])
	}
	if got[2].Failure != "denied" || got[2].Turns != 0 {
		t.Errorf("a side that fails: %+v", got[2])
	}
}

// A slow side is run once to see how slow it is, and that counts.
func TestSlowSidesTakeFewerTurns(t *testing.T) {
	got := Plan{Turns: 40, Turn: time.Millisecond, Most: 8 * time.Second}.Measure([]Side{
		scripted("slow", 2*time.Second), scripted("slower", 2*time.Minute),
	})
	if got[0].Turns != 4 || got[1].Turns != 1 {
		t.Errorf("%d and %d turns", got[0].Turns, got[1].Turns)
	}
}

func TestQuantile(t *testing.T) {
	if q := QuartilesOf([]float64{5, 1, 3, 2, 4}); q != (Quartiles{2, 3, 4}) {
		t.Errorf("quartiles %v", q)
	}
	if q := Quantile([]float64{1, 2}, 0.5); q != 1.5 {
		t.Errorf("between two figures: %v", q)
	}
}

func TestAllocations(t *testing.T) {
	var keep []byte
	count, bytes, err := Allocations(func() error { keep = make([]byte, 1024); return nil }, 10)
	if err != nil || count < 1 || bytes < 1024 {
		t.Errorf("%v allocations of %v bytes, %v", count, bytes, err)
	}
	_ = keep
}
