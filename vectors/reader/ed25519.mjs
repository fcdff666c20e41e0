// Ed25519, strict (spec/keys.md, "Public keys", and spec/algorithms.md). OpenSSL takes
// keys and signatures that have to be refused, so everything but the equation
// itself is checked here.

import { createPrivateKey, createPublicKey, verify as opensslVerify } from 'node:crypto';
import { toInteger } from './bytes.mjs';

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (a) => ((a % p) + p) % p;
function power(base, exponent) {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n, base = mod(base * base)) {
    if (exponent & 1n) result = mod(result * base);
  }
  return result;
}
const d = mod(-121665n * power(121666n, p - 2n));

const littleEndian = (bytes) => toInteger(Buffer.from(bytes).reverse());

// The y coordinates of the eight points of small order: 1 and -1 (orders 1 and 2),
// 0 (order 4), and two of order 8, each the negative of the other.
const y8 = littleEndian(Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex'));
const smallOrder = new Set([0n, 1n, p - 1n, y8, p - y8]);

// Whether a table may hold the bytes as a key.
export const wellFormed = (bytes) => bytes.length === 32;

// Whether 32 bytes spell a point canonically that is not of small order, if they
// spell any: what is known of a key from its bytes alone.
export function acceptable(bytes) {
  if (bytes.length !== 32) return false;
  const y = littleEndian(bytes) & (2n ** 255n - 1n);
  return y < p && !smallOrder.has(y);
}

// Whether there is an x with -x^2 + y^2 = 1 + d x^2 y^2.
export function onCurve(bytes) {
  const y2 = mod((littleEndian(bytes) & (2n ** 255n - 1n)) ** 2n);
  const x2 = mod((y2 - 1n) * power(d * y2 + 1n, p - 2n));
  return x2 === 0n || power(x2, (p - 1n) / 2n) === 1n;
}

export function verify(key, message, signature) {
  if (signature.length !== 64) return false;
  if (!acceptable(signature.subarray(0, 32))) return false;
  if (littleEndian(signature.subarray(32)) >= order) return false;
  // RFC 8410: an algorithm identifier and the 32 bytes.
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
  return opensslVerify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
}

// The public key of a seed, or undefined when it is no seed.
export function publicKey(seed) {
  if (seed.length !== 32) return undefined;
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const secret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  return Buffer.from(createPublicKey(secret).export({ format: 'jwk' }).x, 'base64url');
}
