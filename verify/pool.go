package verify

import (
	"runtime"

	"github.com/whittle-auth/whittle/token"
)

// maxWorkers is how many workers a verifier has unless it is asked for more. A chain of
// usual length has no use for others.
const maxWorkers = 3

// newPool returns a verifier's own pool. It is fixed when the verifier is made, starts no
// goroutine before there is a chain to share, and leaves none behind.
func newPool(workers int) *token.Pool {
	switch {
	case workers < 0:
		return nil
	case workers == 0:
		workers = min(runtime.GOMAXPROCS(0)-1, maxWorkers)
	}
	return token.NewPool(workers)
}
