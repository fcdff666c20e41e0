// Reading a chain of blocks as delegation (spec/delegation.md, spec/forms.md,
// spec/invocation.md): who delegated to whom, what form the token has, and which
// rules of the profile it breaks.

import * as approvals from './approvals.mjs';
import { requireFewPointers } from './arguments.mjs';
import { sha256 } from './bytes.mjs';
import * as caveats from './caveats.mjs';
import { fromText, isAcceptable, isLowS } from './keys.mjs';
import { refuse } from './refusal.mjs';
import { isName, prefixHash } from './request.mjs';
import { isPortable } from './subset.mjs';
import { isOfType } from './surroundings.mjs';
import { isDelegator } from './trust.mjs';

const invocationSecret = sha256('whittle/1 invocation key');
export const invocationKey = fromText('ed25519/69da8921c469cc5437a55d64f84fba3f8134adbdd5b9a78b61ad080fa6b61ae5');

const profile = (i, message) => refuse('profile', `block ${i}: ${message}`);

// readChain returns { form, delegator, hops, depth, agentKey, invocation, times,
// approvals, demanded, owners }. A hop is { holder, key }; an approval is { block, by,
// action, signature, from }, which can be used first at from; demanded are the keys that caveats name;
// owners are the keys of the root and of all who hold the token or held it; times are those of block 0 (first) and of all blocks
// (all), each { notBefore, expires } in seconds. signers are the keys that signed
// each block, the root's first.
// registered are the types of the facts that block 0 may tell.
export function readChain({ blocks, proof }, bodies, root, registered = []) {
  const signers = [root, ...blocks.map(({ nextKey }) => nextKey)];
  const chain = { hops: [], depth: 0, times: { first: {}, all: {} }, approvals: [], owners: signers.map(({ text }) => text) };
  blocks.forEach((block, i) => requireSignature(block, signers[i], i));
  bodies.forEach((body, i) => requireContent(body, i));
  blocks.forEach((block, i) => {
    if (block.external) readApproval(chain, blocks, bodies[i], i);
    else readBlock(chain, block, bodies[i], signers[i], i, blocks.length - 1, proof, registered);
  });
  requireCaveats(bodies[0]);
  requireFewPointers(bodies);

  bodies.forEach(({ checks }, i) => {
    if (chain.invocation && i === bodies.length - 1) return;
    for (const given of chain.approvals) if (given.block === i) given.from = chain.times.all.notBefore ?? -Infinity;
    for (const times of i === 0 ? [chain.times.first, chain.times.all] : [chain.times.all]) narrow(times, checks);
  });
  chain.demanded = bodies.flatMap(({ checks }) => checks.flatMap((check) => approvals.approvers(check, mayApprove) ?? []));
  if (chain.invocation) chain.form = 'presented';
  else chain.form = proof.kind === 'held' ? 'held' : 'bearer';
  return chain;
}

// V1 and V9.
function requireSignature(block, signer, i) {
  if (block.version !== 1) profile(i, 'signature version 0');
  if (!isLowS(signer, block.signature)) profile(i, 'a high-S signature');
  if (!block.external) return;
  if (!isLowS(block.external.key, block.external.signature)) profile(i, 'a high-S signature of a third party');
  if (block.external.key.text === invocationKey.text) profile(i, 'signed by anybody');
}

// V9. Nothing but an approval of this very chain.
function readApproval(chain, blocks, body, i) {
  if (blocks[i].nextKey.text !== blocks[i - 1].nextKey.text) profile(i, 'a third party that changes nextKey');
  const given = approvals.approval(body) ?? profile(i, 'signed by a third party, and no approval');
  if (!given.parent.equals(prefixHash(blocks.slice(0, i).map(({ raw }) => raw)))) profile(i, 'an approval of another chain');
  chain.approvals.push({ block: i, by: blocks[i].external.key.text, action: given.action, signature: blocks[i].external.signature });
}

const mayApprove = (key) => isAcceptable(key) && key.text !== invocationKey.text;

// V6 and V7: what no block may hold.
function requireContent({ rules, scopes, checks, callsHost, patterns }, i) {
  if (rules.length > 0) profile(i, 'a rule');
  if (scopes.length > 0) profile(i, 'trusting of a whole block');
  if (callsHost) profile(i, 'a call of an extern function');
  if (!patterns.every(({ op, term }) => op === 'value' && term.type === 'string' && isPortable(term.value))) {
    profile(i, 'a regular expression that implementations read differently');
  }
  for (const check of checks) {
    const trusts = check.queries.some((query) => query.scopes.length > 0);
    if (trusts && !approvals.approvers(check, mayApprove)) profile(i, 'a check that says trusting');
  }
}

// V3, V4, V6 and V8, for one block after those before it.
function readBlock(chain, block, body, signer, i, last, proof, registered) {
  const isInvocation = block.nextKey.text === invocationKey.text;
  const changes = i === 0 || block.nextKey.text !== signer.text;
  const vocabulary = isInvocation ? ['nonce'] : ['delegator', 'holder'];
  for (const fact of body.facts) {
    if (i === 0 && registered.some((type) => isOfType(fact, type))) continue;
    if (!vocabulary.includes(fact.name)) profile(i, `the fact ${fact.name}`);
  }

  if (isInvocation) {
    if (i === 0 || i !== last) profile(i, 'the invocation key before the last block');
    if (chain.isBearer) profile(i, 'an invocation of a bearer token');
    if (proof.kind !== 'nextSecret' || !proof.bytes.equals(invocationSecret)) profile(i, 'the invocation key without its secret');
    chain.invocation = readInvocation(body, i);
    chain.agentKey = signer;
    return;
  }

  const delegators = body.facts.filter(({ name }) => name === 'delegator');
  const holders = body.facts.filter(({ name }) => name === 'holder');
  if (i === 0) chain.delegator = oneName(delegators, i);
  else if (delegators.length > 0) profile(i, 'a delegator');

  if (!changes) {
    if (holders.length > 0) profile(i, 'a holder where nextKey is kept');
  } else if (holders.length > 0) {
    if (chain.isBearer) profile(i, 'a handoff of a bearer token');
    chain.hops.push({ holder: oneName(holders, i), key: block.nextKey });
    if (i > 0) chain.depth++;
  } else {
    if (proof.kind === 'held') profile(i, 'no holder where nextKey changes');
    chain.isBearer = true;
  }
}

// The one name that the one fact states.
function oneName(facts, i) {
  const [term, ...more] = facts[0]?.terms ?? [];
  if (facts.length !== 1 || more.length > 0 || term?.type !== 'string' || !isName(term.value)) profile(i, 'not one name');
  return term.value;
}

function readInvocation({ facts, checks }, i) {
  const [nonce, ...more] = facts.flatMap(({ terms }) => terms);
  if (facts.length !== 1 || more.length > 0 || nonce?.type !== 'bytes' || nonce.value.length < 16) profile(i, 'not one nonce');
  if (checks.length !== 3) profile(i, 'not three checks');
  const request = caveats.requestDigest(checks[0]);
  const channel = caveats.channel(checks[0]);
  const audience = caveats.audience(checks[1]);
  const window = caveats.invocationWindow(checks[2]);
  if ((!request && !channel) || !audience || !window) profile(i, 'not the checks of an invocation');
  return { nonce: nonce.value, request, channel, audience, ...window };
}

// V7: what block 0 has to bound.
function requireCaveats({ checks }) {
  for (const [kind, read] of Object.entries({ expiry: caveats.expiry, resource: caveats.resources, operation: caveats.operations })) {
    if (!checks.some((check) => read(check) !== undefined)) profile(0, `no ${kind} caveat`);
  }
}

function narrow(times, checks) {
  for (const check of checks) {
    const notBefore = caveats.notBefore(check);
    const expires = caveats.expiry(check);
    if (notBefore !== undefined) times.notBefore = Math.max(notBefore, times.notBefore ?? notBefore);
    if (expires !== undefined) times.expires = Math.min(expires, times.expires ?? expires);
  }
}

// V2: the delegator's name in its one spelling.
export function requireDelegator({ delegator }) {
  if (!isDelegator(delegator)) refuse('profile', 'the delegator has no canonical name');
}
