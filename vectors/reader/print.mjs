// The text of blocks (spec/datalog.md, "Printing").

import { leftmost } from './expression.mjs';

// The tighter an operator binds, the higher. Comparisons do not chain.
const levels = [['||'], ['&&'], ['<', '>', '<=', '>=', '===', '!==', '==', '!='], ['^'], ['|'], ['&'], ['+', '-'], ['*', '/']];
const comparison = 2;
const sum = 6;
const negation = levels.length;
const method = negation + 1;

export function block({ scopes, facts, rules, checks }) {
  const lines = [
    ...(scopes.length > 0 ? [trusting(scopes)] : []),
    ...facts.map(predicate),
    ...rules.map((rule) => `${predicate(rule.head)} <- ${query(rule)}`),
    ...checks.map(check),
  ];
  return lines.map((line) => `${line};\n`).join('');
}

export const check = ({ kind, queries }) => `${kind} ${queries.map(query).join(' or ')}`;

export function query({ body, expressions, scopes }) {
  const parts = [...body.map(predicate), ...expressions.map((node) => expression(node))].join(', ');
  return scopes.length > 0 ? `${parts} ${trusting(scopes)}` : parts;
}

const trusting = (scopes) => `trusting ${scopes.map((scope) => scope.text ?? scope).join(', ')}`;

export const predicate = ({ name, terms }) => `${name}(${terms.map(term).join(', ')})`;

export function term(value) {
  switch (value.type) {
    case 'variable':
      return `$${value.name}`;
    case 'string':
      return `"${value.value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
    case 'date':
      return date(value.value);
    case 'bytes':
      return `hex:${value.value.toString('hex')}`;
    case 'null':
      return 'null';
    case 'set':
      return value.items.length > 0 ? `{${value.items.map(term).join(', ')}}` : '{,}';
    case 'array':
      return `[${value.items.map(term).join(', ')}]`;
    case 'map':
      return `{${value.entries.map(([key, content]) => `${term(key)}: ${term(content)}`).join(', ')}}`;
    default:
      return String(value.value);
  }
}

// RFC 3339 in UTC. JavaScript's dates end before those of the wire, so years beyond
// are counted off in the 400 years after which the calendar repeats.
export function date(seconds) {
  const cycle = 146097n * 86400n;
  const cycles = seconds / cycle;
  const [year, rest] = new Date(Number(seconds % cycle) * 1000).toISOString().replace('.000', '').split(/-(.*)/s);
  return `${String(BigInt(year) + 400n * cycles).padStart(4, '0')}-${rest}`;
}

// expression prints node where operators looser than level need parentheses.
export const expression = (node, level = 0) => spell(node, level).text;

// nesting is how deep the text of node is: each bracket, parenthesis, negation,
// method's argument and closure counts one.
export const nesting = (node) => spell(node, 0).depth;

// spell returns the text of a node, how tight its operator binds, and its depth,
// with parentheses where the operator binds looser than least. What stands leftmost
// can be thousands of nodes down, so the way back from there is a loop; anything
// else is as deep as the limit on nesting at most.
function spell(node, least) {
  const { leaf, spine } = leftmost(node);
  let left = spellLeaf(leaf);
  for (const parent of spine) left = spellOperator(parent, left);
  return enclosed(left, least);
}

function enclosed(spelled, least) {
  const { text, level, depth } = spelled;
  return level < least ? { text: `(${text})`, level: method, depth: depth + 1 } : spelled;
}

function spellLeaf(node) {
  if (node.op === 'closure') return spell(node.body, 0);
  const level = node.term.type === 'date' ? negation : method; // a method needs parentheses around a date
  return { text: term(node.term), level, depth: depthOf(node.term) };
}

function spellOperator(node, first) {
  const name = node.kind === 'extern' ? `extern::${node.name}` : node.kind;
  const own = levelOf(node);
  if (node.op === 'unary') {
    const { text, depth } = enclosed(first, { negate: sum, parens: 0 }[name] ?? method);
    if (name === 'negate') return { text: `!${text}`, level: own, depth: depth + 1, open: true };
    if (name === 'parens') return { text: `(${text})`, level: own, depth: depth + 1 };
    return { text: `${text}.${name}()`, level: own, depth };
  }
  const right = node.right.op === 'closure' ? node.right.body : node.right;
  if (own < negation) {
    // A negation reaches over the sum or product behind it.
    const left = enclosed(first, own >= sum && first.open ? method : own + (own === comparison));
    const second = spell(right, own + 1);
    const depth = Math.max(left.depth, second.depth);
    return { text: `${left.text} ${name} ${second.text}`, level: own, depth, open: second.open };
  }
  const left = enclosed(first, method);
  const argument = spell(right, 0);
  const params = (node.right.params ?? []).map((param) => `$${param} -> `).join('');
  const depth = Math.max(left.depth, argument.depth + 1);
  return { text: `${left.text}.${name}(${params}${argument.text})`, level: own, depth };
}

function levelOf({ op, kind }) {
  if (op === 'unary') return kind === 'negate' ? negation : method;
  const level = levels.findIndex((kinds) => kinds.includes(kind));
  return level >= 0 ? level : method;
}

function depthOf(value) {
  const items = value.items ?? value.entries?.map(([, content]) => content);
  return items ? 1 + Math.max(0, ...items.map(depthOf)) : 0;
}
