// What a service knows besides the request (spec/request.md, "What a service states";
// spec/delegation.md, "Facts that a service registers").

import { refuse } from './refusal.mjs';
import { isName, requireText, toTerm } from './request.mjs';
import * as values from './values.mjs';

const vocabulary = [
  'delegator', 'holder', 'nonce', 'approved', 'parent', 'time', 'weekday', 'minute', 'operation', 'resource', 'arg', 'arg_ip', 'arg_host',
  'audience', 'agent_key', 'agent', 'depth', 'request', 'action', 'channel', 'context',
];
const types = ['integer', 'string', 'date', 'bytes', 'bool', 'set', 'null', 'array', 'map'];

// parseChannel reads kind:HEX. A channel is { kind, value }.
export function parseChannel(text) {
  const [, kind, digits] = /^(tls-exporter|client-cert):([0-9a-f]{64})$/.exec(text) ?? [];
  if (!kind || /^0*$/.test(digits)) throw new Error(`channel ${text}`);
  return { kind, value: Buffer.from(digits, 'hex') };
}

export const sameChannel = (a, b) => a !== undefined && b !== undefined && a.kind === b.kind && a.value.equals(b.value);

// factType reads name(type, ..), the type of a fact that block 0 may tell.
export function factType(text) {
  const [, name, list] = /^([A-Za-z][A-Za-z0-9_:]*)\((.+)\)$/.exec(text) ?? [];
  const wanted = list?.split(',').map((type) => type.trim());
  if (!wanted?.every((type) => types.includes(type)) || vocabulary.includes(name)) throw new Error(`no type of a fact: ${text}`);
  return { name, types: wanted };
}

export const isOfType = (fact, { name, types }) =>
  fact.name === name && fact.terms.length === types.length && fact.terms.every(({ type }, i) => type === types[i]);

// stateFacts makes the facts that a service states of itself. What cannot be stated
// denies, whether anybody asks or not.
export function stateFacts({ context, channel, facts }) {
  if (context.size > 256) refuse('check_failed', 'more than 256 values of context');
  const known = [...context].map(([name, value]) => {
    requireText(value, 1);
    if (!isName(name) || toTerm(value) === undefined) refuse('check_failed', `context ${name} cannot be stated`);
    return { name: 'context', terms: [values.string(name), toTerm(value)] };
  });
  const further = facts.map(({ name, terms }) => {
    if (vocabulary.includes(name)) refuse('check_failed', `${name} is a fact of the vocabulary`);
    return { name, terms: terms.map(toTerm) };
  });
  const connection = channel ? [{ name: 'channel', terms: [values.string(channel.kind), values.bytes(channel.value)] }] : [];
  return [...known, ...connection, ...further];
}
