// Lists of what is revoked (spec/revocation.md).

import { fromHex } from './bytes.mjs';
import { invocationKey } from './chain.mjs';
import { fromText } from './keys.mjs';
import { lowS } from './p256.mjs';
import { refuse } from './refusal.mjs';
import { isDelegator } from './trust.mjs';

const maxBytes = 16 << 20;
const maxStale = 24 * 3600;
const skew = 30;

export class ListError extends Error {}

// Both forms of a P-256 signature are one id.
export const blockId = (signature) => (lowS(signature) ?? signature).toString('hex');

// parseList returns { asOf, entries }: what is revoked, as `kind value`, until when.
export function parseList(text) {
  const wrong = (line) => {
    throw new ListError(`not a line of a list: ${line}`);
  };
  if (Buffer.byteLength(text) > maxBytes || /[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) wrong('control characters, or too many');
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.pop() !== 'end') wrong('no end');
  const list = { asOf: undefined, entries: new Map() };
  for (const line of lines) {
    const [kind, value, ...more] = fieldsOf(line);
    if (kind === undefined) continue;
    if (kind === 'as-of') {
      if (list.asOf !== undefined || list.entries.size > 0 || more.length > 0) wrong(line);
      list.asOf = time(value) ?? wrong(line);
      continue;
    }
    if (list.asOf === undefined || more.length > 1 || !isEntry(kind, value)) wrong(line);
    const until = more.length === 0 ? Infinity : time(/^until=(.*)$/.exec(more[0])?.[1]) ?? wrong(line);
    const entry = `${kind} ${kind === 'block' ? blockId(fromHex(value)) : value}`;
    list.entries.set(entry, Math.max(until, list.entries.get(entry) ?? 0));
  }
  return list.asOf === undefined ? wrong('no as-of') : list;
}

// The fields of a line, without its comment: that begins where a field other than the
// second begins with #, since a name may begin with it too.
function fieldsOf(line) {
  const fields = line.split(/[ \t]+/).filter((field) => field !== '');
  const comment = fields.findIndex((field, i) => i !== 1 && field.startsWith('#'));
  return comment < 0 ? fields : fields.slice(0, comment);
}

function time(text) {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text ?? '')) return undefined;
  const milliseconds = Date.parse(text);
  return new Date(milliseconds || 0).toISOString().startsWith(text.slice(0, -1)) ? milliseconds / 1000 : undefined;
}

function isEntry(kind, value = '') {
  if (kind === 'block') return /^([0-9a-f]{2}){8,8192}$/.test(value);
  if (kind === 'delegator') return isDelegator(value);
  if (kind !== 'key' || value !== value.toLowerCase() || value === invocationKey.text) return false;
  try {
    return fromText(value).text === value;
  } catch {
    return false;
  }
}

// requireUnrevoked looks up everything that is in a token. What an old list revokes
// stays revoked.
export function requireUnrevoked(lists, { blocks }, root, { delegator }, now) {
  const keys = [root, ...blocks.flatMap(({ nextKey, external }) => [nextKey, ...(external ? [external.key] : [])])];
  const signatures = blocks.flatMap(({ signature, external }) => [signature, ...(external ? [external.signature] : [])]);
  const contained = [...signatures.map((signature) => `block ${blockId(signature)}`), ...keys.map(({ text }) => `key ${text}`), `delegator ${delegator}`];
  for (const { entries } of lists) {
    const found = contained.find((entry) => now < (entries.get(entry) ?? -Infinity));
    if (found) refuse('revoked', found);
  }
  for (const { asOf } of lists) if (now - asOf > maxStale || asOf - now > skew) refuse('stale', 'an old list, or one from the future');
}
