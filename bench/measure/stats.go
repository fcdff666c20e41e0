package measure

import "slices"

// Quartiles describe figures that scatter.
type Quartiles struct{ Low, Median, High float64 }

// QuartilesOf sorts the figures.
func QuartilesOf(v []float64) Quartiles {
	if len(v) == 0 {
		return Quartiles{}
	}
	slices.Sort(v)
	return Quartiles{Quantile(v, 0.25), Quantile(v, 0.5), Quantile(v, 0.75)}
}

// Quantile interpolates between the figures, which are sorted.
func Quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}
