// The signatures of a chain of blocks and its proof (Biscuit specification,
// "Cryptography"; spec/wire.md, "Signed bytes").

import { uint32 } from './bytes.mjs';
import { isSecretOf, requirePoint, verify } from './keys.mjs';
import { refuse } from './refusal.mjs';

const tag = (name) => Buffer.from(`\0${name}\0`);
const number = (value) => uint32(value, 'little endian');

// What the owner of the previous block's nextKey signs, or for block 0 the root.
function blockPayload(block, previous) {
  const { payload, nextKey, external } = block;
  const algorithm = number(nextKey.algorithm.number);
  if (block.version === 0) return Buffer.concat([payload, algorithm, nextKey.bytes]);
  return Buffer.concat([
    tag('BLOCK'), tag('VERSION'), number(block.version), tag('PAYLOAD'), payload, tag('ALGORITHM'), algorithm,
    tag('NEXTKEY'), nextKey.bytes,
    ...(previous ? [tag('PREVSIG'), previous.signature] : []),
    ...(external ? [tag('EXTERNALSIG'), external.signature] : []),
  ]);
}

// What a third party signs.
function externalPayload(block, previous) {
  return Buffer.concat([
    tag('EXTERNAL'), tag('VERSION'), number(block.version), tag('PAYLOAD'), block.payload, tag('PREVSIG'), previous.signature,
  ]);
}

// What the owner of the last nextKey signs to seal a token.
function sealPayload({ payload, nextKey, signature }) {
  return Buffer.concat([payload, number(nextKey.algorithm.number), nextKey.bytes, signature]);
}

export const signedByRoot = (root, container) => verify(root, blockPayload(container.blocks[0]), container.blocks[0].signature);

// verifyChain checks all signatures after that of block 0, and the proof. That of
// the held form says nothing; its last key still has to be a point.
export function verifyChain({ blocks, proof }) {
  blocks.forEach((block, i) => {
    if (i === 0) return;
    const previous = blocks[i - 1];
    if (!verify(previous.nextKey, blockPayload(block, previous), block.signature)) refuse('signature', `block ${i}`);
    if (block.external && !verify(block.external.key, externalPayload(block, previous), block.external.signature)) {
      refuse('signature', `third party of block ${i}`);
    }
  });
  const last = blocks.at(-1);
  requirePoint(last.nextKey);
  if (proof.kind === 'nextSecret' && !isSecretOf(proof.bytes, last.nextKey)) refuse('signature', 'secret of another key');
  if (proof.kind === 'finalSignature' && !verify(last.nextKey, sealPayload(last), proof.bytes)) {
    refuse('signature', 'final signature');
  }
}
