//go:build race

package verify_test

// underRace: the race detector makes pools forget what they hold, at random.
const underRace = true
