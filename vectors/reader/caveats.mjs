// The caveats that a verifier has to recognise by their canonical form
// (spec/delegation.md, "Caveats"; spec/invocation.md, "Layout"). Each function takes
// a check and returns what it says, or undefined for any other check.

import { isName, isResource } from './request.mjs';

// The check `check all NAME($VARIABLE), EXPRESSION`, of one query: its expression.
function about(check, name, variable) {
  const [query, ...others] = check.queries;
  const { body, expressions, scopes } = query;
  if (check.kind !== 'check all' || others.length > 0 || scopes.length > 0) return undefined;
  if (body.length !== 1 || body[0].name !== name || body[0].terms.length !== 1 || expressions.length !== 1) return undefined;
  return isVariable(body[0].terms[0], variable) ? expressions[0] : undefined;
}

const isVariable = (term, name) => term.type === 'variable' && term.name === name;
const holdsVariable = (node, name) => node.op === 'value' && isVariable(node.term, name);

// `$VARIABLE KIND value` or `$VARIABLE.KIND(value)`: the value, of the type wanted.
function compared(node, variable, kind, type) {
  if (node?.op !== 'binary' || node.kind !== kind || !holdsVariable(node.left, variable)) return undefined;
  return node.right.op === 'value' && node.right.term.type === type ? node.right.term.value : undefined;
}

// Dates are whole seconds of the years 1970 to 9999.
const lastSecond = 253402300799n;
function time(node, kind) {
  const value = compared(node, 't', kind, 'date');
  return value <= lastSecond ? Number(value) : undefined;
}

export const notBefore = (check) => time(about(check, 'time', 't'), '>=');
export const expiry = (check) => time(about(check, 'time', 't'), '<');

const maxAlternatives = 256;
const isList = (items) => items.length >= 1 && items.length <= maxAlternatives && new Set(items).size === items.length;

// `["x", "y"].contains($o)`: the names.
export function operations(check) {
  const node = about(check, 'operation', 'o');
  if (node?.op !== 'binary' || node.kind !== 'contains' || !holdsVariable(node.right, 'o')) return undefined;
  if (node.left.op !== 'value' || node.left.term.type !== 'array') return undefined;
  const { items } = node.left.term;
  const names = items.map(({ type, value }) => (type === 'string' && isName(value) ? value : undefined));
  return !names.includes(undefined) && isList(names) ? names : undefined;
}

// `$r == "a"` for a path and `$r == "a" || $r.starts_with("a/")` for a subtree,
// joined by `||`, leftmost first: patterns as text, a or a/**.
export function resources(check) {
  const node = about(check, 'resource', 'r');
  if (!node) return undefined;
  const parts = alternatives(node);
  const patterns = [];
  while (parts.length > 0) {
    const path = compared(parts.shift(), 'r', '==', 'string');
    if (path === undefined || !isResource(path) || path.includes('*')) return undefined;
    const below = parts.length > 0 && compared(parts[0], 'r', 'starts_with', 'string') === `${path}/`;
    if (below) parts.shift();
    patterns.push(below ? `${path}/**` : path);
  }
  return isList(patterns) ? patterns : undefined;
}

// The operands of a chain of ||, of which the leftmost two were joined first.
function alternatives(node) {
  const parts = [];
  while (node.op === 'binary' && node.kind === '||') {
    parts.unshift(node.right.body);
    node = node.left;
  }
  return [node, ...parts];
}

// The three checks of an invocation.

export const requestDigest = (check) => compared(about(check, 'request', 'q'), 'q', '==', 'bytes');

// `check all channel("KIND", $c), $c == hex:..`, in the place of the request check of
// a session: the channel.
export function channel(check) {
  const [query] = check.queries;
  const [kind, variable] = query.body[0]?.terms ?? [];
  if (!['tls-exporter', 'client-cert'].includes(kind?.type === 'string' && kind.value) || query.body[0].terms.length !== 2) return undefined;
  const rest = { ...check, queries: [{ ...query, body: [{ ...query.body[0], terms: [variable] }] }, ...check.queries.slice(1)] };
  const value = compared(about(rest, 'channel', 'c'), 'c', '==', 'bytes');
  return value?.length === 32 && value.some((byte) => byte !== 0) ? { kind: kind.value, value } : undefined;
}

export function audience(check) {
  const name = compared(about(check, 'audience', 'a'), 'a', '==', 'string');
  return name !== undefined && isName(name) ? name : undefined;
}

export function invocationWindow(check) {
  const node = about(check, 'time', 't');
  if (node?.op !== 'binary' || node.kind !== '&&') return undefined;
  const from = time(node.left, '>=');
  const until = time(node.right.body, '<');
  return from === undefined || until === undefined ? undefined : { from, until };
}
