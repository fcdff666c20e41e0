// Values of Datalog. A value is { type, .. }:
//
//   integer, date   value: BigInt              string    value: string
//   bytes           value: Buffer              bool      value: boolean
//   null                                       set, array  items: values
//   map             entries: [key, value] pairs
//
// and a variable { type: 'variable', name } stands where a value may.

import { compareText } from './bytes.mjs';

export const integer = (value) => ({ type: 'integer', value });
export const string = (value) => ({ type: 'string', value });
export const date = (value) => ({ type: 'date', value });
export const bytes = (value) => ({ type: 'bytes', value });
export const bool = (value) => ({ type: 'bool', value });
export const nothing = { type: 'null' };
export const array = (items) => ({ type: 'array', items });
export const variable = (name) => ({ type: 'variable', name });

// Sets and maps are kept in one order, so that comparing is enough to know them
// equal. Elements that are equal are one.
export function set(items) {
  const sorted = [...items].sort(compare);
  return { type: 'set', items: sorted.filter((item, i) => i === 0 || !equal(item, sorted[i - 1])) };
}

export function map(entries) {
  return { type: 'map', entries: [...entries].sort((a, b) => compare(a[0], b[0])) };
}

const types = ['variable', 'integer', 'string', 'date', 'bytes', 'bool', 'null', 'set', 'array', 'map'];

// compare orders all values: by type, then numbers by size, text and bytes by
// bytes, false before true, collections element by element.
export function compare(a, b) {
  if (a.type !== b.type) return types.indexOf(a.type) - types.indexOf(b.type);
  switch (a.type) {
    case 'variable':
      return compareText(a.name, b.name);
    case 'string':
      return compareText(a.value, b.value);
    case 'bytes':
      return Buffer.compare(a.value, b.value);
    case 'integer':
    case 'date':
    case 'bool':
      return a.value < b.value ? -1 : Number(a.value > b.value);
    case 'null':
      return 0;
    case 'map':
      return compareLists(a.entries.flat(), b.entries.flat());
    default:
      return compareLists(a.items, b.items);
  }
}

function compareLists(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

export const equal = (a, b) => compare(a, b) === 0;
