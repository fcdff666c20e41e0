// Byte strings: hexadecimal, SHA-256, strict UTF-8, integers of fixed width.
// Bytes are Node's Buffers throughout.

import { createHash } from 'node:crypto';
import { malformed } from './refusal.mjs';

export function fromHex(text) {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) malformed('not hexadecimal digits');
  return Buffer.from(text, 'hex');
}

export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// utf8 refuses what is not UTF-8: stray bytes, overlong forms, surrogates.
export function utf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return malformed('text that is not UTF-8');
  }
}

// compareText orders strings by their UTF-8 bytes, as JavaScript's own order, by
// UTF-16 units, does not.
export const compareText = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

export function uint32(value, order) {
  const bytes = Buffer.alloc(4);
  if (order === 'little endian') bytes.writeUInt32LE(value);
  else bytes.writeUInt32BE(value);
  return bytes;
}

// The integer that bytes spell, most significant first.
export const toInteger = (bytes) => BigInt(`0x${bytes.toString('hex') || '0'}`);
