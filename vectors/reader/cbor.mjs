// CBOR in its core deterministic encoding (RFC 8949, section 4.2.1), as far as
// digests need it (spec/request.md, "Digests"). BigInt is an integer, Number a
// float, Map a map with text keys.

import { refuse } from './refusal.mjs';

export function encode(value) {
  if (value === null) return Buffer.of(0xf6);
  if (typeof value === 'boolean') return Buffer.of(value ? 0xf5 : 0xf4);
  if (typeof value === 'bigint') return value < 0n ? head(1, -1n - value) : head(0, value);
  if (typeof value === 'number') return float(value);
  if (typeof value === 'string') return withHead(3, Buffer.from(value));
  if (Buffer.isBuffer(value)) return withHead(2, value);
  if (Array.isArray(value)) return Buffer.concat([head(4, BigInt(value.length)), ...value.map(encode)]);
  const entries = [...value].map(([key, content]) => [encode(key), encode(content)]);
  entries.sort((a, b) => Buffer.compare(a[0], b[0]));
  return Buffer.concat([head(5, BigInt(value.size)), ...entries.flat()]);
}

const withHead = (major, bytes) => Buffer.concat([head(major, BigInt(bytes.length)), bytes]);

// head is the major type and the shortest spelling of a number below 2^64.
function head(major, number) {
  const type = major << 5;
  if (number < 24n) return Buffer.of(type | Number(number));
  const size = [1, 2, 4, 8].find((bytes) => number < 1n << BigInt(8 * bytes));
  const bytes = Buffer.from(number.toString(16).padStart(2 * size, '0'), 'hex');
  return Buffer.concat([Buffer.of(type | (24 + Math.log2(size))), bytes]);
}

// float is the shortest of 16, 32 and 64 bits that keeps the value.
function float(value) {
  if (!Number.isFinite(value)) refuse('check_failed', 'a number that is none');
  const half = toHalf(value);
  if (half !== undefined) return Buffer.of(0xf9, half >> 8, half & 0xff);
  if (Object.is(Math.fround(value), value)) {
    const bytes = Buffer.alloc(5, 0xfa);
    bytes.writeFloatBE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9, 0xfb);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

// The bits of a float of 16 bits, or undefined when it cannot hold the value: ten
// bits of fraction, exponents from -14, below that steps of 2^-24.
function toHalf(value) {
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === 0) return sign;
  let exponent = -14;
  while (exponent < 15 && size >= 2 ** (exponent + 1)) exponent++;
  const steps = size / 2 ** (exponent - 10);
  if (!Number.isInteger(steps) || steps >= 2048) return undefined;
  return sign | (steps < 1024 ? steps : ((exponent + 15) << 10) | (steps - 1024));
}
