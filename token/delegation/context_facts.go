package delegation

import (
	"fmt"
	"maps"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// ContextFacts returns context(name, value) for what a service says of its own
// state, in the order of the names. Names are as [ValidName] wants them, values as
// in [Request].Args; unlike there, a value that no fact can hold is an error, since
// leaving it out would look as if it were not set.
func ContextFacts(state map[string]any) ([]datalog.Predicate, error) {
	if len(state) > maxArgs {
		return nil, fmt.Errorf("more than %d values of context", maxArgs)
	}
	if len(state) == 0 {
		return nil, nil
	}
	facts := make([]datalog.Predicate, 0, len(state))
	for _, name := range slices.Sorted(maps.Keys(state)) {
		if err := ValidName(name); err != nil {
			return nil, fmt.Errorf("context %q: %w", name, err)
		}
		value, err := normalValue(state[name], maxArgDepth)
		if err != nil {
			return nil, fmt.Errorf("context %q: %w", name, err)
		}
		t, ok := term(value)
		if !ok {
			return nil, fmt.Errorf("context %q holds a number that is no 64-bit integer", name)
		}
		facts = append(facts, fact("context", datalog.String(name), t))
	}
	return facts, nil
}
