package toolcall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/delegation"
)

// A template is a resource with places for arguments: texts[0], the argument
// holes[0], texts[1], and so on.
type template struct {
	texts []string // one more than holes
	holes []hole
}

type hole struct {
	arg  string
	many bool // any number of segments
	// rooted says that the value brings the slash before it.
	rooted bool
}

// parseTemplate reads a template as [Options] describes it.
func parseTemplate(text string) (template, error) {
	t, rest := template{}, text
	for {
		before, after, ok := strings.Cut(rest, "{")
		t.texts = append(t.texts, before)
		if !ok {
			break
		}
		name, behind, ok := strings.Cut(after, "}")
		h := hole{arg: name, rooted: before != "" && !strings.HasSuffix(before, "/")}
		h.arg, h.many = strings.CutSuffix(name, "...")
		switch {
		case !ok || h.arg == "" || strings.ContainsRune(h.arg, '{'):
			return t, fmt.Errorf("an argument stands in braces, as in {path}")
		case h.many && behind != "":
			return t, fmt.Errorf("{%s} stands only at the end", name)
		case behind != "" && behind[0] != '/' || !h.many && h.rooted || before == "" && len(t.holes) > 0:
			return t, fmt.Errorf("{%s} is a whole segment", name)
		}
		t.holes, rest = append(t.holes, h), behind
	}
	if strings.ContainsRune(strings.Join(t.texts, ""), '}') {
		return t, fmt.Errorf("an argument stands in braces, as in {path}")
	}
	sample := map[string]any{}
	for _, h := range t.holes {
		sample[h.arg] = "x"
	}
	if n := len(t.holes); n > 0 && t.holes[n-1].rooted {
		if slices.ContainsFunc(t.holes[:n-1], func(h hole) bool { return h.arg == t.holes[n-1].arg }) {
			return t, fmt.Errorf("{%s} cannot both begin with a slash and be a segment", t.holes[n-1].arg)
		}
		sample[t.holes[n-1].arg] = "/x"
	}
	_, err := t.fill(sample)
	return t, err
}

// fill returns the resources for the given arguments. Nothing is cleaned: whatever is
// not canonical is refused.
func (t template) fill(args map[string]any) ([]string, error) {
	if len(t.holes) == 1 {
		if list, ok := args[t.holes[0].arg].([]any); ok && len(list) > 0 {
			resources := make([]string, len(list))
			for i, value := range list {
				var err error
				if resources[i], err = t.one(map[string]any{t.holes[0].arg: value}); err != nil {
					return nil, err
				}
			}
			return resources, nil
		}
	}
	resource, err := t.one(args)
	return []string{resource}, err
}

func (t template) one(args map[string]any) (string, error) {
	resource := t.texts[0]
	for i, h := range t.holes {
		value, ok := args[h.arg].(string)
		switch {
		case !ok:
			return "", fmt.Errorf("the argument %q is to be a string, which names the resource", h.arg)
		case !h.many && strings.Contains(value, "/"):
			return "", fmt.Errorf("the argument %q is to be a resource's segment, without slashes", h.arg)
		case h.rooted != strings.HasPrefix(value, "/"):
			not := " not"
			if h.rooted {
				not = ""
			}
			return "", fmt.Errorf("the argument %q is%s to begin with a slash", h.arg, not)
		}
		resource += value + t.texts[i+1]
	}
	if err := delegation.ValidResource(resource); err != nil {
		return "", fmt.Errorf("resource %q: %w", resource, err)
	}
	return resource, nil
}
