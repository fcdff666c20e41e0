package cli

import (
	"encoding/hex"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// emitToken prints a token or writes it to -o FILE. JSON describes it too.
func emitToken(c *cli.Context, env *Env, t token.Chain) error {
	text := []byte(t.Text() + "\n")
	if !c.Bool("json") {
		return emit(c, env, text)
	}
	chain, err := delegation.ReadUnregistered(t)
	if err != nil {
		return err
	}
	out := struct {
		Token         string            `json:"token"`
		Form          string            `json:"form"`
		Delegator     string            `json:"delegator"`
		Holder        string            `json:"holder"`
		Scope         *delegation.Scope `json:"scope"`
		Expires       string            `json:"expires"`
		RevocationIDs []string          `json:"revocation_ids"`
	}{t.Text(), reading.FormName(t, chain), chain.Delegator, chain.Holder().Holder, &chain.Scope, "", hexes(token.RevocationIDs(t))}
	if at, ok := chain.Scope.Expires(); ok {
		out.Expires = at.Time().Format(time.RFC3339)
	}
	return emitJSON(c, env, out, text)
}

func hexes(ids [][]byte) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = hex.EncodeToString(id)
	}
	return texts
}
