// What the checks of a token say of arguments, and what a verifier states of these
// (spec/request.md, "Pointers" and "Numbers beyond Datalog").

import { refuse } from './refusal.mjs';
import { toTerm } from './request.mjs';

const maxPointers = 64;

// mentions lists the first terms of `arg(.., ..)` in the queries of one block, each
// once.
export function mentions({ checks }) {
  const terms = checks.flatMap(({ queries }) => queries).flatMap(({ body }) => body)
    .filter(({ name, terms }) => name === 'arg' && terms.length === 2)
    .map(({ terms: [term] }) => term);
  return {
    any: terms.some(({ type }) => type === 'variable'),
    names: new Set(terms.filter(({ type }) => type === 'string').map(({ value }) => value)),
  };
}

const isPointer = (name) => name.startsWith('/');

export function requireFewPointers(bodies) {
  const pointers = bodies.flatMap((body) => [...mentions(body).names].filter(isPointer));
  if (pointers.length > maxPointers) refuse('profile', 'more than 64 places inside arguments');
}

// insideFacts states the values at the places that one block names. A block that
// speaks of a value which no fact can hold is not let find it absent.
export function insideFacts(body, args) {
  const { any, names } = mentions(body);
  const spoken = [...names].map((name) => ({ name, value: isPointer(name) ? lookUp(args, name) : args.get(name) }));
  const values = [...spoken.map(({ value }) => value), ...(any ? args.values() : [])];
  if (values.some((value) => value !== undefined && toTerm(value) === undefined)) {
    refuse('check_failed', 'a check speaks of a number beyond Datalog');
  }
  return spoken
    .filter(({ name, value }) => isPointer(name) && value !== undefined)
    .map(({ name, value }) => ({ name: 'arg', terms: [toTerm(name), toTerm(value)] }));
}

// lookUp follows a pointer (RFC 6901) into the arguments. What leads nowhere is
// undefined.
function lookUp(args, pointer) {
  let value = args;
  for (const step of pointer.slice(1).split('/')) {
    if (/~([^01]|$)/.test(step)) return undefined;
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (value instanceof Map) value = value.get(name);
    else if (Array.isArray(value) && /^(0|[1-9][0-9]*)$/.test(name)) value = value[name];
    else return undefined;
  }
  return value;
}
