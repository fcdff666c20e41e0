// ECDSA on P-256 with SHA-256: compressed keys and strict DER (spec/algorithms.md).

import { createECDH, createPublicKey, verify as opensslVerify } from 'node:crypto';
import { toInteger } from './bytes.mjs';

const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

function power(base, exponent) {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n, base = (base * base) % p) {
    if (exponent & 1n) result = (result * base) % p;
  }
  return result;
}

const to32 = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

export function acceptable(bytes) {
  return bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3);
}

export const wellFormed = acceptable;

// The point that a compressed key spells, or undefined: y^2 = x^3 - 3x + b, and
// the first byte says whether y is odd.
function point(bytes) {
  const x = toInteger(bytes.subarray(1));
  if (x >= p) return undefined;
  const y2 = (((x * x * x - 3n * x + b) % p) + p) % p;
  let y = power(y2, (p + 1n) / 4n);
  if ((y * y) % p !== y2) return undefined;
  if ((y & 1n) !== BigInt(bytes[0] & 1)) y = p - y;
  return { x: to32(x), y: to32(y) };
}

export const onCurve = (bytes) => point(bytes) !== undefined;

// r and s of a signature in strict DER, or undefined: SEQUENCE of two INTEGERs
// with minimal lengths and values from 1 to n-1, and nothing behind either level.
function parse(der) {
  if (der.length < 8 || der.length > 72 || der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const integers = [];
  let at = 2;
  while (at < der.length) {
    const length = der[at + 1];
    const bytes = der.subarray(at + 2, at + 2 + length);
    if (der[at] !== 0x02 || length === 0 || bytes.length !== length) return undefined;
    if (bytes[0] & 0x80 || (bytes[0] === 0 && length > 1 && !(bytes[1] & 0x80))) return undefined;
    const value = toInteger(bytes);
    if (value === 0n || value >= n) return undefined;
    integers.push(value);
    at += 2 + length;
  }
  return integers.length === 2 ? { r: integers[0], s: integers[1] } : undefined;
}

// Whether s is at most (n-1)/2, as it has to be in our tokens.
export function isLowS(signature) {
  const parsed = parse(signature);
  return parsed !== undefined && parsed.s <= (n - 1n) / 2n;
}

export function verify(key, message, signature) {
  const parsed = parse(signature);
  if (!parsed) return false;
  const { x, y } = point(key);
  const jwk = { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') };
  const raw = Buffer.concat([to32(parsed.r), to32(parsed.s)]);
  return opensslVerify('sha256', message, { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, raw);
}

// The compressed public key of a scalar, or undefined unless it is from 1 to n-1.
export function publicKey(scalar) {
  if (scalar.length !== 32 || toInteger(scalar) === 0n || toInteger(scalar) >= n) return undefined;
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(scalar);
  return pair.getPublicKey(null, 'compressed');
}

// Whether 65 bytes are a point, uncompressed.
export function isPoint(bytes) {
  const found = point(Buffer.concat([Buffer.of(2 | (bytes[64] & 1)), bytes.subarray(1, 33)]));
  return found !== undefined && found.y.equals(bytes.subarray(33));
}

// lowS is a signature with the lower of its two s, or undefined if it is none.
export function lowS(signature) {
  const parsed = parse(signature);
  if (!parsed) return undefined;
  const integer = (value) => {
    const digits = value.toString(16);
    const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
    const unsigned = bytes[0] & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
    return Buffer.concat([Buffer.of(0x02, unsigned.length), unsigned]);
  };
  const { r, s } = parsed;
  const body = Buffer.concat([integer(r), integer(s < n - s ? s : n - s)]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}
