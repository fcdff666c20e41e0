package replay

import (
	"context"
	"testing"
)

// BenchmarkMemory records one use after the other, of which as many end as begin.
func BenchmarkMemory(b *testing.B) {
	m := memory(b, &Options{Capacity: 1 << 17, Quota: 1 << 17})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		u := use(i/1000, i/1000+90, byte(i), i)
		if m.Check(context.Background(), u) != nil || m.Record(context.Background(), u) != nil {
			b.Fatal("refused")
		}
	}
}

// BenchmarkFile is the same with a write and a sync for each.
func BenchmarkFile(b *testing.B) {
	f, err := OpenFile(b.TempDir()+"/used", start, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for i := 0; b.Loop(); i++ {
		if err := f.Record(context.Background(), use(i/100, i/100+90, byte(i), i)); err != nil {
			b.Fatal(err)
		}
	}
}
