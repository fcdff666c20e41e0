// Runs all vectors, of this repository or of another folder:
//
//   node vectors/reader/run.mjs [--no-skips] [FOLDER]
//
// With --no-skips a case that cannot be decided is a failure.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readBlocks } from './block.mjs';
import { fromHex } from './bytes.mjs';
import { decodeContainer } from './container.mjs';
import { decide } from './decide.mjs';
import { parseJSON } from './json.mjs';
import { fromText as keyFromText } from './keys.mjs';
import { Memory } from './memory.mjs';
import { isKnown as knowsMLDSA } from './mldsa.mjs';
import * as print from './print.mjs';
import { Refusal, refuse } from './refusal.mjs';
import { actionCBOR, actionDigest, prefixHash, requestCBOR, requestDigest } from './request.mjs';
import { ListError, parseList } from './revocation.mjs';
import { signedByRoot, verifyChain } from './signatures.mjs';
import { factType, parseChannel } from './surroundings.mjs';
import { parseDirectory, parseTrust, TrustError } from './trust.mjs';

// Each returns undefined when the reader agrees, or what it makes of the case.

function wire({ root, token, expect, source }) {
  let text;
  const code = codeOf(() => {
    const container = decodeContainer(fromHex(token));
    if (!signedByRoot(keyFromText(root), container)) refuse('signature', 'block 0');
    verifyChain(container);
    text = readBlocks(container).map(print.block);
  });
  if ((code ?? 'ok') !== expect) return code ?? 'ok';
  return source && source.join('\n') !== text.join('\n') ? text.join('\n') : undefined;
}

function delegation({ token, trust, service, now, request, allow_bearer: allowBearer = false, directory, token_facts, expect, ...rest }) {
  const { operation, resources, args = new Map() } = Object.fromEntries(request);
  const verifier = {
    service, allowBearer, trust: parseTrust(trust), directory: parseDirectory(directory ?? ''), tokenFacts: (token_facts ?? []).map(factType),
  };
  const { context = new Map(), channel, facts = [] } = rest;
  const state = { context, channel: channel && parseChannel(channel), facts: facts.map((fact) => Object.fromEntries(fact)) };
  const code = codeOf(() => decide(token, { operation, resources, args, body: null }, verifier, Date.parse(now) / 1000, state));
  const allowed = code === undefined;
  const agrees = allowed === expect.get('allowed') && (allowed || !expect.has('code') || code === expect.get('code'));
  return agrees ? undefined : code ?? 'allowed';
}

// One verifier that is asked several times.
function state({ trust, service, allow_bearer: allowBearer = false, began, revoked = [], bad_list: isBad = false, steps = [] }) {
  let lists;
  try {
    lists = revoked.map(parseList);
  } catch (error) {
    if (error instanceof ListError) return isBad ? undefined : error.message;
    throw error;
  }
  if (isBad) return 'the list was read';
  const memory = new Memory(began === undefined ? undefined : Date.parse(began) / 1000);
  const verifier = { service, allowBearer, trust: parseTrust(trust), lists, memory };
  for (const [i, step] of steps.entries()) {
    const { token, now, request, expect } = Object.fromEntries(step);
    const { operation, resources, args = new Map() } = Object.fromEntries(request);
    const at = memory.time(Date.parse(now) / 1000);
    const code = codeOf(() => decide(token, { operation, resources, args, body: null }, verifier, at));
    if (code !== expect.get('code') || (code === undefined) !== expect.get('allowed')) return `step ${i}: ${code ?? 'allowed'}`;
  }
  return undefined;
}

function digest({ kind, blocks, prefix, nonce, operation, resources, audience, args = new Map(), body, cbor, digest: want }) {
  if (kind === 'prefix') return differs(prefixHash(blocks.map(fromHex)), want);
  const request = { operation, resources, audience, args, body: body === undefined ? null : fromHex(body) };
  const encoded = kind === 'request' ? requestCBOR(request, fromHex(nonce)) : actionCBOR(request);
  const result = kind === 'request' ? requestDigest(fromHex(prefix), encoded) : actionDigest(encoded);
  return differs(encoded, cbor) ?? differs(result, want);
}

// A token from an ML-DSA root where no library for it is installed. All that can be
// shown is that it is denied: the case is skipped, not passed.
function unknownRoot({ token, trust, service, now, request }) {
  const { operation, resources } = Object.fromEntries(request);
  try {
    decide(token, { operation, resources, args: new Map(), body: null }, { service, trust: parseTrust(trust) }, Date.parse(now) / 1000);
  } catch (error) {
    if (error instanceof Refusal || error instanceof TrustError) return skip;
    throw error;
  }
  return 'allowed';
}

const skip = Symbol('skip');

const differs = (bytes, want) => (bytes.toString('hex') === want ? undefined : bytes.toString('hex'));

function codeOf(action) {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { 'no-skips': { type: 'boolean', default: false } } });
const [folder = join(import.meta.dirname, '..')] = positionals;
let passed = 0;
let failed = 0;
const skipped = [];
const files = {
  'wire.json': wire,
  'delegation.json': delegation,
  'digest.json': digest,
  'state.json': state,
  'mldsa.json': knowsMLDSA ? delegation : unknownRoot,
};
for (const [file, check] of Object.entries(files)) {
  const cases = parseJSON(readFileSync(join(folder, file), 'utf8'));
  if (!Array.isArray(cases) || cases.length === 0) throw new Error(`${file} has no cases`);
  for (const members of cases) {
    const vector = Object.fromEntries(members);
    let result;
    try {
      result = check(vector);
    } catch (error) {
      result = error.stack;
    }
    if (result === undefined) {
      passed++;
      continue;
    }
    if (result === skip) {
      skipped.push(vector.name);
      continue;
    }
    failed++;
    console.log(`${file} ${vector.name}: ${result}`);
  }
}
if (skipped.length > 0) console.log(`skipped, as @noble/post-quantum is not installed: ${skipped.join(', ')}`);
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed > 0 || (options['no-skips'] && skipped.length > 0) ? 1 : 0;
