// A request: the one spelling of its parts, its digests, and the facts that a
// verifier states of it (spec/request.md).
//
//   { operation, resources, audience, args: Map, body: Buffer or null }

import { sha256, uint32 } from './bytes.mjs';
import { encode } from './cbor.mjs';
import { refuse } from './refusal.mjs';
import * as values from './values.mjs';

const unfit = (message) => refuse('check_failed', message);
const isNFC = (text) => text === text.normalize('NFC');
const trimmed = (text) => !/^\p{White_Space}|\p{White_Space}$/u.test(text);

// Text as operations, audiences, resources and people's names have it.
export function isName(text, maxBytes = 256) {
  const length = Buffer.byteLength(text);
  return length >= 1 && length <= maxBytes && isNFC(text) && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text) && trimmed(text);
}

export function isResource(text) {
  if (!isName(text, 1024) || /[%\\]/.test(text)) return false;
  return text.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..' && trimmed(segment));
}

export function requireSpelling({ operation, resources, audience, args }) {
  if (!isName(operation)) unfit('operation');
  if (!isName(audience)) unfit('audience');
  if (resources.length < 1 || resources.length > 256 || !resources.every(isResource)) unfit('resources');
  if (args.size > 256) unfit('more than 256 arguments');
  for (const [name, value] of args) {
    if (name.startsWith('/')) unfit('the name of an argument begins with a slash');
    requireText(name, 1);
    requireText(value, 1);
  }
}

// requireText refuses text that is not NFC, anywhere inside, and values below the
// sixteenth level.
export function requireText(value, level) {
  if (level > 16) unfit('values nested too deep');
  if (typeof value === 'string' && !isNFC(value)) unfit('text that is not NFC');
  if (value instanceof Map) for (const name of value.keys()) requireText(name, 1);
  if (value instanceof Map || Array.isArray(value)) for (const item of value.values()) requireText(item, level + 1);
}

// Digests.

export function prefixHash(blocks) {
  return sha256('whittle/1 prefix\0', ...blocks.flatMap((raw) => [uint32(raw.length), raw]));
}

export function requestCBOR({ operation, resources, audience, args, body }, nonce) {
  return encode([operation, resources, audience, nonce, args, body]);
}

export function actionCBOR({ operation, resources, audience, args, body }) {
  return encode([operation, resources, audience, args, body]);
}

export const requestDigest = (prefix, cbor) => sha256('whittle/1 request\0', prefix, cbor);
export const actionDigest = (cbor) => sha256('whittle/1 action\0', cbor);

// Facts.

// toTerm is the term of an argument's value, or undefined where a float is
// anywhere within.
export function toTerm(value) {
  if (value === null) return values.nothing;
  if (typeof value === 'bigint') return values.integer(value);
  if (typeof value === 'string') return values.string(value);
  if (typeof value === 'boolean') return values.bool(value);
  if (typeof value === 'number') return undefined;
  if (Array.isArray(value)) {
    const items = value.map(toTerm);
    return items.includes(undefined) ? undefined : values.array(items);
  }
  const entries = [...value].map(([key, content]) => [values.string(key), toTerm(content)]);
  return entries.some(([, content]) => content === undefined) ? undefined : values.map(entries);
}

// stated makes the facts that hold for every block. seconds is the time; extra are
// those that depend on the form of the token.
export function stated(request, seconds, extra) {
  const fact = (name, ...terms) => ({ name, terms });
  const day = Math.floor(seconds / 86400);
  return [
    fact('operation', values.string(request.operation)),
    fact('audience', values.string(request.audience)),
    ...request.resources.map((resource) => fact('resource', values.string(resource))),
    ...[...request.args].flatMap(([name, value]) => {
      const term = toTerm(value);
      return term ? [fact('arg', values.string(name), term)] : [];
    }),
    fact('time', values.date(BigInt(seconds))),
    fact('weekday', values.integer(BigInt(((day + 3) % 7) + 1))), // 1 January 1970 was a Thursday
    fact('minute', values.integer(BigInt(Math.floor((seconds % 86400) / 60)))),
    fact('action', values.bytes(actionDigest(actionCBOR(request)))),
    ...extra.map(([name, term]) => fact(name, term)),
  ];
}
