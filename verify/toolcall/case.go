package toolcall

import (
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// OtherCase refuses, with the code check_failed, arguments whose name differs in case
// only from one that the token's caveats or the service's policy speak of: "FORCE"
// where a caveat wants force unset. Of the servers behind a proxy nobody knows whether
// they tell the two apart; some fill one field with either. The policy may be nil.
//
// Of a check that leaves the name open, as in arg($n, $v), a text that the name is
// compared with counts as named: in ==, !=, starts_with, ends_with and contains. Where it
// does anything else with the name, such as matches, every argument is refused whose name
// has a letter of which there are two.
func OtherCase(scope *delegation.Scope, policy *datalog.Authorizer, args map[string]any) error {
	var spoken datalog.Authorizer
	if policy != nil {
		spoken = *policy
	}
	spoken.Checks = slices.Clone(spoken.Checks)
	for _, b := range scope.Bounds {
		spoken.Checks = append(spoken.Checks, b.Caveat.Check())
	}
	mentions := delegation.MentionsOf(&spoken)
	for _, list := range [][]string{mentions.Names, mentions.Addresses, mentions.URLs, mentions.Pointers} {
		for _, place := range list {
			path := []string{place}
			if inside, ok := strings.CutPrefix(place, "/"); ok {
				path = strings.Split(inside, "/")
			}
			if name, found := otherCase(path, args); found {
				return token.Errorf(token.CodeCheckFailed, -1, "the argument %q differs in case only from %q, which a caveat names", name, place)
			}
		}
	}
	if name, text, found := openNamesOf(&spoken).otherwise(args); found && text == "" {
		return token.Errorf(token.CodeCheckFailed, -1, "the argument %q could have another meaning in another case to a caveat that asks for names", name)
	} else if found {
		return token.Errorf(token.CodeCheckFailed, -1, "the argument %q has in another case what a caveat asks of names: %q", name, text)
	}
	return nil
}

// otherCase walks a path of names (RFC 6901) and returns the first name that is there in
// another case.
func otherCase(path []string, value any) (name string, found bool) {
	if len(path) == 0 {
		return "", false
	}
	switch v := value.(type) {
	case map[string]any:
		step := strings.ReplaceAll(strings.ReplaceAll(path[0], "~1", "/"), "~0", "~")
		for name := range v {
			if name != step && strictjson.Fold(name) == strictjson.Fold(step) {
				return name, true
			}
		}
		return otherCase(path[1:], v[step])
	case []any:
		for _, e := range v {
			if name, found := otherCase(path[1:], e); found {
				return name, true
			}
		}
	}
	return "", false
}
