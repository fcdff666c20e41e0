package cli

import (
	"encoding/hex"
	"time"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

func (in *inspection) json() any {
	type holder struct {
		Holder string `json:"holder"`
		Key    string `json:"key"`
		Agent  string `json:"agent"`
	}
	out := struct {
		Form          string            `json:"form"`
		Verified      string            `json:"verified"`
		Problem       string            `json:"problem,omitempty"`
		Delegator     string            `json:"delegator,omitempty"`
		Chain         []holder          `json:"chain,omitempty"`
		Scope         *delegation.Scope `json:"scope,omitempty"`
		Audience      string            `json:"audience,omitempty"`
		Expires       string            `json:"expires,omitempty"`
		Expired       bool              `json:"expired"`
		Channel       string            `json:"channel,omitempty"`
		RootKeyID     *uint32           `json:"root_key_id"`
		Blocks        []blockJSON       `json:"blocks"`
		RevocationIDs []string          `json:"revocation_ids"`
	}{Form: in.Unverified.Form().String(), Verified: string(in.Verified), RootKeyID: rootKeyID(in.Unverified), Blocks: blocksJSON(in.Blocks), RevocationIDs: idsOf(in.Blocks)}
	if in.Why != nil {
		out.Problem = in.Why.Error()
	}
	if in.Chain != nil {
		out.Form = reading.FormName(in.Token, in.Chain)
		out.Delegator, out.Scope = in.Chain.Delegator, &in.Chain.Scope
		for _, l := range in.Chain.Links {
			if l.Kind != delegation.LinkNarrow {
				out.Chain = append(out.Chain, holder{l.Holder, l.Key.String(), in.names.agent(l.Key)})
			}
		}
		if in.Chain.Invocation != nil {
			out.Audience, out.Channel = in.Chain.Invocation.Audience, in.Chain.Invocation.Channel.String()
		}
	}
	if at, ok := in.Expiry(); ok {
		out.Expires, out.Expired = at.Format(time.RFC3339), !in.Now.Before(at)
	}
	return out
}

// blockJSON is a block in the shape of the Biscuit project's samples.json.
type blockJSON struct {
	Symbols     []string `json:"symbols"`
	PublicKeys  []string `json:"public_keys"`
	ExternalKey *string  `json:"external_key"`
	Code        string   `json:"code"`
	Version     uint32   `json:"version"`
}

func blocksJSON(blocks []token.Block) []blockJSON {
	out := make([]blockJSON, len(blocks))
	for i, b := range blocks {
		out[i] = blockJSON{Symbols: []string{}, PublicKeys: []string{}, Code: b.Datalog.String(), Version: b.Version}
		out[i].Symbols = append(out[i].Symbols, b.Symbols...)
		for _, k := range b.Keys {
			out[i].PublicKeys = append(out[i].PublicKeys, k.String())
		}
		if !b.External.IsZero() {
			key := b.External.String()
			out[i].ExternalKey = &key
		}
	}
	return out
}

func idsOf(blocks []token.Block) []string {
	ids := make([]string, len(blocks))
	for i, b := range blocks {
		ids[i] = hex.EncodeToString(b.Signature)
	}
	return ids
}

func rootKeyID(u *token.Unverified) *uint32 {
	id, ok := u.RootKeyID()
	if !ok {
		return nil
	}
	return &id
}
