// Public keys of each algorithm (spec/keys.md, spec/algorithms.md).

import { fromHex } from './bytes.mjs';
import * as ed25519 from './ed25519.mjs';
import * as mldsa from './mldsa.mjs';
import * as p256 from './p256.mjs';
import { malformed, refuse } from './refusal.mjs';

// By the number that stands on the wire: those of the keys that a token may name.
const algorithms = [
  { number: 0, name: 'ed25519', ...ed25519 },
  { number: 1, name: 'secp256r1', ...p256 },
];

// Those of the keys that stand elsewhere: in trust files and lists.
const rootAlgorithms = [...algorithms, ...mldsa.algorithms];

// A key is { algorithm, bytes, text }: text is its one spelling, and equal texts
// are equal keys.
function key(algorithm, bytes) {
  if (!algorithm.acceptable(bytes)) malformed(`no ${algorithm.name} key`);
  return { algorithm, bytes, text: `${algorithm.name}/${bytes.toString('hex')}` };
}

// fromMessage makes a key of a PublicKey message. Whether it is a point on its
// curve is found out when it is used.
export function fromMessage({ algorithm, key: bytes }) {
  return key(algorithms[algorithm] ?? refuse('unsupported', `algorithm ${algorithm}`), bytes);
}

// named makes a key of a PublicKey message in a table. It may verify nothing: Datalog
// only compares it.
export function named({ algorithm: number, key: bytes }) {
  const algorithm = algorithms[number] ?? refuse('unsupported', `algorithm ${number}`);
  if (!algorithm.wellFormed(bytes)) malformed(`no ${algorithm.name} key`);
  return { algorithm, bytes, text: `${algorithm.name}/${bytes.toString('hex')}` };
}

export const isAcceptable = ({ algorithm, bytes }) => algorithm.acceptable(bytes);

// fromText reads NAME/HEX.
export function fromText(text) {
  const [name, digits] = text.split('/', 2);
  return fromBytes(name, fromHex(digits ?? ''));
}

export function fromBytes(name, bytes) {
  const algorithm = rootAlgorithms.find((a) => a.name === name) ?? refuse('unsupported', `algorithm ${name}`);
  const result = key(algorithm, bytes);
  requirePoint(result);
  return result;
}

export function requirePoint({ algorithm, bytes }) {
  if (!algorithm.onCurve(bytes)) malformed(`a key that is no point on the curve of ${algorithm.name}`);
}

// verify reports whether signature is key's for message. A key that is no point is
// malformed.
export function verify(signer, message, signature) {
  requirePoint(signer);
  return signer.algorithm.verify(signer.bytes, message, signature);
}

// isSecretOf reports whether secret belongs to key. What is no secret at all is
// malformed.
export function isSecretOf(secret, { algorithm, bytes }) {
  const half = algorithm.publicKey(secret) ?? malformed(`no ${algorithm.name} secret`);
  return half.equals(bytes);
}

export const isLowS = ({ algorithm }, signature) => !algorithm.isLowS || algorithm.isLowS(signature);
