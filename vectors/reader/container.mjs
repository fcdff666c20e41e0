// The container of a token: signed blocks and the proof (spec/wire.md).

import { fromMessage } from './keys.mjs';
import { decode } from './protobuf.mjs';
import { malformed, refuse } from './refusal.mjs';

const maxBytes = 65536;
const maxBlocks = 32;
const maxSignature = 4096;

// decodeContainer returns { rootKeyId, blocks, proof }. A block is { raw, payload,
// nextKey, signature, version, external }: raw is the SignedBlock message as it was
// received, external is undefined or { key, signature }. A proof is { kind, bytes },
// kind being held, nextSecret or finalSignature.
export function decodeContainer(bytes) {
  if (bytes.length > maxBytes) malformed('more than 65536 bytes');
  const biscuit = decode('Biscuit', bytes);
  const messages = [biscuit.authority, ...biscuit.blocks];
  if (messages.length > maxBlocks) malformed('more than 32 blocks');
  return {
    rootKeyId: biscuit.rootKeyId,
    blocks: messages.map(signedBlock),
    proof: {
      kind: biscuit.proof.oneof ?? 'held',
      bytes: limited(biscuit.proof[biscuit.proof.oneof] ?? Buffer.alloc(0)),
    },
  };
}

function signedBlock({ raw, block, nextKey, signature, externalSignature, version = 0 }, index) {
  if (version > 1) refuse('unsupported', `signature version ${version}`);
  if (externalSignature && index === 0) malformed('an external signature on block 0');
  if (externalSignature && version !== 1) refuse('unsupported', 'an external signature without signature version 1');
  return {
    raw,
    payload: block,
    nextKey: fromMessage(nextKey),
    signature: limited(signature),
    version,
    external: externalSignature && {
      key: fromMessage(externalSignature.publicKey),
      signature: limited(externalSignature.signature),
    },
  };
}

function limited(bytes) {
  if (bytes.length > maxSignature) malformed('a signature or secret of more than 4096 bytes');
  return bytes;
}
