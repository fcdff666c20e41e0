package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A chart shows how long sides take at several sizes, as bars. Where figures are orders
// of magnitude apart its scale is logarithmic.
type chart struct {
	title, sizes, unit string
	logarithmic        bool
	at                 []int // the sizes
	series             []series
}

// A series is one side's figures, NaN where it has none. A side has the same colour
// whatever others are missing.
type series struct {
	name   string
	colour int
	values []float64
}

const (
	chartWidth, chartHeight = 720, 400
	plotLeft, plotRight     = 70, 700
	plotTop, plotBottom     = 56, 300
)

// The colours are told apart by people who do not see all of them, on light and dark
// grounds alike.
const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.s0 { fill: #0969da } .s1 { fill: #bc4c00 } .s2 { fill: #8250df } .s3 { fill: #6e7781 } .s4 { fill: #1a7f37 } .s5 { fill: #bf3989 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.grid { stroke: #30363d }
.s0 { fill: #58a6ff } .s1 { fill: #f0883e } .s2 { fill: #bc8cff } .s3 { fill: #8b949e } .s4 { fill: #3fb950 } .s5 { fill: #f778ba }
}
</style>
`

func (c *chart) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", chartWidth, chartHeight, c.title)
	b.WriteString(style)
	fmt.Fprintf(&b, `<text class="title" x="16" y="26">%s</text>`+"\n", c.title)
	share, ticks := c.scale()
	for _, tick := range ticks {
		at := height(share(tick))
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, plotRight, at, at, plotLeft-8, at+4, tickText(tick))
	}
	c.bars(&b, share)
	c.legend(&b)
	b.WriteString("</svg>\n")
	return b.String()
}

// height is where on the page a share of the plot's height lies.
func height(share float64) float64 { return plotBottom - share*(plotBottom-plotTop) }

func tickText(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func (c *chart) bars(b *strings.Builder, share func(float64) float64) {
	slot := float64(plotRight-plotLeft) / float64(len(c.at))
	width := slot * 0.8 / float64(max(1, len(c.series)))
	for i, size := range c.at {
		left := plotLeft + slot*(float64(i)+0.1)
		for s, line := range c.series {
			v := line.values[i]
			if math.IsNaN(v) {
				continue
			}
			top := height(share(v))
			fmt.Fprintf(b, `<rect class="s%d" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s, %s %d: %s %s</title></rect>`+"\n",
				line.colour, left+float64(s)*width, top, width*0.92, plotBottom-top, line.name, c.sizes, size, number(v), c.unit)
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", left+slot*0.4, plotBottom+20, size)
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", plotLeft-8, plotBottom+20, c.sizes)
}

func (c *chart) legend(b *strings.Builder) {
	for s, line := range c.series {
		x, y := 70+s%3*210, plotBottom+52+s/3*24
		fmt.Fprintf(b, `<rect class="s%d" x="%d" y="%d" width="12" height="12"/><text x="%d" y="%d">%s</text>`+"\n", line.colour, x, y-11, x+18, y, line.name)
	}
}

// scale says which share of the plot's height a figure takes, and where lines are drawn.
func (c *chart) scale() (share func(float64) float64, ticks []float64) {
	if c.logarithmic {
		low, high := c.decades()
		for d := low; d <= high; d++ {
			ticks = append(ticks, math.Pow(10, d))
		}
		return func(v float64) float64 { return (math.Log10(v) - low) / (high - low) }, ticks
	}
	step, most := c.steps()
	for n := range int(math.Round(most/step)) + 1 {
		ticks = append(ticks, float64(n)*step)
	}
	return func(v float64) float64 { return v / most }, ticks
}

// steps are 1, 2 or 5 times a power of ten apart, at most six of them.
func (c *chart) steps() (step, most float64) {
	_, high := c.bounds()
	for step = math.Pow(10, math.Floor(math.Log10(high/6))); ; {
		for _, by := range []float64{1, 2, 5} {
			if by*step*6 >= high {
				return by * step, by * step * math.Ceil(high/(by*step))
			}
		}
		step *= 10
	}
}

// decades bound the figures, as powers of ten.
func (c *chart) decades() (low, high float64) {
	l, h := c.bounds()
	low, high = math.Floor(math.Log10(l)), math.Ceil(math.Log10(h))
	if low == high {
		high++
	}
	return low, high
}

// bounds are the least and the greatest figure; 1 and 10 where there are none.
func (c *chart) bounds() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range c.series {
		for _, v := range s.values {
			if v > 0 {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if math.IsInf(low, 0) {
		return 1, 10
	}
	return low, high
}
