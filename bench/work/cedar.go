package work

import (
	"fmt"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/ast"
)

// cedar is the grid as Cedar policies and entities.
func (g grid) cedar() func() error {
	uid := func(kind cedar.EntityType, id string) cedar.EntityUID {
		return cedar.NewEntityUID(kind, cedar.String(id))
	}
	set := cedar.NewPolicySet()
	for i := range g.rules {
		set.Add(cedar.PolicyID(groupName(i)), cedar.NewPolicyFromAST(
			ast.Permit().PrincipalIn(uid("Group", groupName(i))).ResourceEq(uid("File", fileName(i)))))
	}
	entities := cedar.EntityMap{}
	for i := range g.facts {
		user := uid("User", userName(i))
		entities[user] = cedar.Entity{UID: user, Parents: cedar.NewEntityUIDSet(uid("Group", groupName(g.group(i))))}
	}
	req := cedar.Request{
		Principal: uid("User", userName(g.user())),
		Action:    uid("Action", "read"),
		Resource:  uid("File", fileName(g.group(g.user()))),
	}
	return func() error {
		if decision, why := cedar.Authorize(set, entities, req); decision != cedar.Allow {
			return fmt.Errorf("denied: %v", why)
		}
		return nil
	}
}
