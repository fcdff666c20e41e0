// Approvals (spec/approvals.md): the caveat that demands one, and the third-party
// block that gives one.

import * as caveats from './caveats.mjs';

const maxKeys = 8;
const digestSize = 32;

const speaksOf = ({ name, terms }, wanted) =>
  name === wanted && terms.length === 1 && terms[0].type === 'variable' && terms[0].name === 'a';

// `check if action($a), approved($a) trusting K1, K2`: the keys as text, or undefined
// for any other check. usable says which keys a caveat may name.
export function approvers({ kind, queries: [query, ...others] }, usable) {
  const { body, expressions, scopes } = query;
  if (kind !== 'check if' || others.length > 0 || expressions.length > 0 || body.length !== 2) return undefined;
  if (!speaksOf(body[0], 'action') || !speaksOf(body[1], 'approved')) return undefined;
  if (scopes.length < 1 || scopes.length > maxKeys || !scopes.every((scope) => typeof scope === 'object' && usable(scope))) return undefined;
  const keys = scopes.map(({ text }) => text);
  return new Set(keys).size === keys.length ? keys : undefined;
}

// approval reads the body of a third-party block: { action, parent, expires }, or
// undefined where it is not exactly an approval.
export function approval({ context, facts, rules, scopes, checks, callsHost }) {
  if (context !== undefined || rules.length > 0 || scopes.length > 0 || callsHost) return undefined;
  if (facts.length !== 2 || checks.length !== 1) return undefined;
  const [action, parent] = ['approved', 'parent'].map((name, i) => {
    const { terms } = facts[i];
    const isDigest = facts[i].name === name && terms.length === 1 && terms[0].type === 'bytes' && terms[0].value.length === digestSize;
    return isDigest ? terms[0].value : undefined;
  });
  const expires = caveats.expiry(checks[0]);
  return action && parent && expires !== undefined ? { action, parent, expires } : undefined;
}
