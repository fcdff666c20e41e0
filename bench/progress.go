package main

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// A progress line tells a person at a terminal how far the run is.
type progress struct {
	shown       bool
	done, total int
}

func newProgress(total int) *progress {
	return &progress{shown: term.IsTerminal(int(os.Stderr.Fd())), total: total}
}

func (p *progress) step(what string) {
	p.done++
	if p.shown {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%d/%d %s", p.done, p.total, what)
	}
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
