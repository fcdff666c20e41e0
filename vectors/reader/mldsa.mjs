// ML-DSA-44 and ML-DSA-65, for roots only (spec/algorithms.md). Node.js 20 has
// neither; a library brings them where it is installed, and without it no such key is
// known.

import { refuse } from './refusal.mjs';

const sets = [
  { name: 'mldsa44', export: 'ml_dsa44', keySize: 1312, signatureSize: 2420 },
  { name: 'mldsa65', export: 'ml_dsa65', keySize: 1952, signatureSize: 3309 },
];

// A public key is 32 bytes, of which the matrix A is made, and the vector t1.
const seedSize = 32;

const library = await import('@noble/post-quantum/ml-dsa.js').catch((error) => {
  if (error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes("'@noble/post-quantum'")) return undefined;
  throw error;
});

export const isKnown = library !== undefined;

// They have no numbers here, as no token names one of their keys.
export const algorithms = sets.map(algorithm);

function algorithm({ name, export: set, keySize, signatureSize }) {
  // Anybody can sign for a key with t1 = 0. All else is the encoding of a key.
  const acceptable = (bytes) => {
    if (!isKnown) refuse('unsupported', `algorithm ${name}, for which @noble/post-quantum is not installed`);
    return bytes.length === keySize && bytes.subarray(seedSize).some((byte) => byte !== 0);
  };
  return {
    name,
    acceptable,
    onCurve: acceptable,
    // Pure, with an empty context.
    verify: (key, message, signature) => signature.length === signatureSize && library[set].verify(signature, message, key),
  };
}
