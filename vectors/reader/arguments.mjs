// What the checks of a token say of arguments, and what a verifier states of these
// (spec/request.md, "Pointers" and "Numbers beyond Datalog").

import { addressBits, urlHost } from './derived.mjs';
import { refuse } from './refusal.mjs';
import { toTerm } from './request.mjs';

const maxPointers = 64;

// mentions lists the first terms of `NAME(.., ..)` in the queries of one block, each
// once.
export function mentions({ checks }, predicate = 'arg') {
  const terms = checks.flatMap(({ queries }) => queries).flatMap(({ body }) => body)
    .filter(({ name, terms }) => name === predicate && terms.length === 2)
    .map(({ terms: [term] }) => term);
  return {
    any: terms.some(({ type }) => type === 'variable'),
    names: new Set(terms.filter(({ type }) => type === 'string').map(({ value }) => value)),
  };
}

const isPointer = (name) => name.startsWith('/');
const derivations = { arg_ip: addressBits, arg_host: urlHost };

export function requireFewPointers(bodies) {
  const places = bodies.flatMap((body) => [
    ...[...mentions(body).names].filter(isPointer),
    ...Object.keys(derivations).flatMap((predicate) => [...mentions(body, predicate).names]),
  ]);
  if (places.length > maxPointers) refuse('profile', 'more than 64 places inside arguments, addresses and URLs');
}

const named = (args, name) => (isPointer(name) ? lookUp(args, name) : args.get(name));

// insideFacts states the values at the places that one block names, and what is
// derived of them. A block that speaks of a value which no fact can hold is not let
// find it absent.
export function insideFacts(body, args) {
  const { any, names } = mentions(body);
  const spoken = [...names].map((name) => ({ name, value: named(args, name) }));
  const values = [...spoken.map(({ value }) => value), ...(any ? args.values() : [])];
  if (values.some((value) => value !== undefined && toTerm(value) === undefined)) {
    refuse('check_failed', 'a check speaks of a number beyond Datalog');
  }
  const fact = (predicate, name, value) => ({ name: predicate, terms: [toTerm(name), toTerm(value)] });
  const derived = Object.entries(derivations).flatMap(([predicate, derive]) =>
    [...mentions(body, predicate).names].filter((name) => named(args, name) !== undefined)
      .map((name) => fact(predicate, name, derive(named(args, name)) ?? refuse('check_failed', `${name} has no single reading`))));
  return [
    ...spoken.filter(({ name, value }) => isPointer(name) && value !== undefined).map(({ name, value }) => fact('arg', name, value)),
    ...derived,
  ];
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
