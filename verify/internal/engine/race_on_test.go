//go:build race

package engine

// underRace: the race detector makes pools forget what they hold, at random.
const underRace = true
