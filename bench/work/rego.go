package work

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// opa is the grid as Rego: a rule for each of the grid's, its facts as data.
func (g grid) opa() (func() error, error) {
	var source strings.Builder
	source.WriteString("package bench\n\ndefault allow := false\n")
	for i := range g.rules {
		fmt.Fprintf(&source, "\nallow if {\n\tinput.file == %q\n\tdata.member[input.user] == %q\n}\n", fileName(i), groupName(i))
	}
	member := map[string]any{}
	for i := range g.facts {
		member[userName(i)] = groupName(g.group(i))
	}
	return query("data.bench.allow", source.String(), map[string]any{"member": member},
		map[string]any{"user": userName(g.user()), "file": fileName(g.group(g.user()))}, nil)
}

// opaClosure is the closure of a path by OPA's built-in function; Rego has no recursion.
func opaClosure(edges int, patience time.Duration) (func() error, error) {
	graph := map[string]any{}
	for i := range edges {
		graph[fmt.Sprint(i)] = []any{fmt.Sprint(i + 1)}
	}
	graph[fmt.Sprint(edges)] = []any{}
	const source = `package bench

path contains [a, b] if {
	some a, _ in data.graph
	some b in graph.reachable(data.graph, {a})
}

allow if ["0", input.last] in path
`
	deadline := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), patience)
	}
	return query("data.bench.allow", source, map[string]any{"graph": graph}, map[string]any{"last": fmt.Sprint(edges)}, deadline)
}

// query prepares a query that must be true. deadline is nil where none is needed.
func query(text, source string, data, input map[string]any, deadline func() (context.Context, context.CancelFunc)) (func() error, error) {
	prepared, err := rego.New(rego.Query(text), rego.Module("bench.rego", source), rego.Store(inmem.NewFromObject(data))).
		PrepareForEval(context.Background())
	if err != nil {
		return nil, err
	}
	return func() error {
		ctx := context.Background()
		if deadline != nil {
			var cancel context.CancelFunc
			ctx, cancel = deadline()
			defer cancel()
		}
		results, err := prepared.Eval(ctx, rego.EvalInput(input))
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("no answer in time: %w", ctx.Err())
		case err != nil:
			return err
		case !results.Allowed():
			return errors.New("denied")
		}
		return nil
	}, nil
}
