// The operators of expressions on values (Biscuit specification, "Operations";
// spec/evaluation.md). What an operator is not defined for is an error.

import { refuse } from './refusal.mjs';
import { matches } from './regex.mjs';
import * as values from './values.mjs';

const wrongType = (kind, ...operands) => refuse('evaluation', `${kind} of ${operands.map(({ type }) => type).join(' and ')}`);

export function unary(kind, operand) {
  const { type } = operand;
  switch (kind) {
    case 'negate':
      return type === 'bool' ? values.bool(!operand.value) : wrongType(kind, operand);
    case 'parens':
      return operand;
    case 'type':
      return values.string(type);
    case 'length':
      if (type === 'string') return length(Buffer.byteLength(operand.value));
      if (type === 'bytes') return length(operand.value.length);
      if (type === 'map') return length(operand.entries.length);
      return operand.items ? length(operand.items.length) : wrongType(kind, operand);
    default:
      return refuse('evaluation', `${kind} is not known`);
  }
}

const length = (n) => values.integer(BigInt(n));

export function binary(kind, a, b, budget) {
  switch (kind) {
    case '==':
      return values.bool(values.equal(a, b));
    case '!=':
      return values.bool(!values.equal(a, b));
    case 'contains':
      return values.bool(contains(a, b));
    case 'get':
      return get(a, b);
  }
  if (a.type !== b.type) return wrongType(kind, a, b);
  switch (kind) {
    case '===':
      return values.bool(values.equal(a, b));
    case '!==':
      return values.bool(!values.equal(a, b));
  }
  return byType[a.type]?.[kind]?.(a, b, budget) ?? wrongType(kind, a, b);
}

const ordered = {
  '<': (a, b) => values.bool(a.value < b.value),
  '>': (a, b) => values.bool(a.value > b.value),
  '<=': (a, b) => values.bool(a.value <= b.value),
  '>=': (a, b) => values.bool(a.value >= b.value),
};

// Integers are exact: what 64 bits cannot hold is an error.
const exact = (compute) => ({ value: a }, { value: b }) => {
  const result = compute(a, b);
  return result === BigInt.asIntN(64, result) ? values.integer(result) : refuse('evaluation', 'overflow');
};

const byType = {
  integer: {
    ...ordered,
    '+': exact((a, b) => a + b),
    '-': exact((a, b) => a - b),
    '*': exact((a, b) => a * b),
    '/': exact((a, b) => (b === 0n ? refuse('evaluation', 'division by zero') : a / b)),
    '&': exact((a, b) => a & b),
    '|': exact((a, b) => a | b),
    '^': exact((a, b) => a ^ b),
  },
  date: ordered,
  string: {
    '+': (a, b, budget) => {
      budget.spend((a.value.length + b.value.length) / 8);
      return values.string(a.value + b.value);
    },
    starts_with: (a, b) => values.bool(a.value.startsWith(b.value)),
    ends_with: (a, b) => values.bool(a.value.endsWith(b.value)),
    matches: (a, b, budget) => values.bool(matches(b.value, a.value, budget)),
  },
  bool: {
    eager_and: (a, b) => values.bool(a.value && b.value),
    eager_or: (a, b) => values.bool(a.value || b.value),
  },
  array: {
    starts_with: (a, b) => values.bool(values.equal(values.array(a.items.slice(0, b.items.length)), b)),
    ends_with: (a, b) => values.bool(b.items.length === 0 || values.equal(values.array(a.items.slice(-b.items.length)), b)),
  },
  set: {
    intersection: (a, b) => values.set(a.items.filter((item) => has(b.items, item))),
    union: (a, b) => values.set([...a.items, ...b.items]),
  },
};

const has = (items, value) => items.some((item) => values.equal(item, value));
const inSets = new Set(['integer', 'string', 'date', 'bytes', 'bool']);

function contains(a, b) {
  if (a.type === 'string' && b.type === 'string') return a.value.includes(b.value);
  if (a.type === 'array') return has(a.items, b);
  if (a.type === 'map') return a.entries.some(([key]) => values.equal(key, b));
  if (a.type === 'set' && b.type === 'set') return b.items.every((item) => has(a.items, item));
  if (a.type === 'set' && inSets.has(b.type)) return has(a.items, b);
  return wrongType('contains', a, b);
}

function get(a, b) {
  if (a.type === 'array' && b.type === 'integer') return (b.value >= 0n && a.items[b.value]) || values.nothing;
  if (a.type === 'map' && (b.type === 'integer' || b.type === 'string')) {
    return a.entries.find(([key]) => values.equal(key, b))?.[1] ?? values.nothing;
  }
  return wrongType('get', a, b);
}
