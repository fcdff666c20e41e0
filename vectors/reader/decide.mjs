// Deciding a request (spec/delegation.md, "Order of verification"). The steps are
// numbered as there; the first that fails gives the code.

import { insideFacts } from './arguments.mjs';
import { readBlocks } from './block.mjs';
import { readChain, requireDelegator } from './chain.mjs';
import { decodeContainer } from './container.mjs';
import { Budget, holds } from './evaluate.mjs';
import { sha256 } from './bytes.mjs';
import { usesOf } from './memory.mjs';
import { malformed, refuse } from './refusal.mjs';
import { actionCBOR, actionDigest, prefixHash, requestCBOR, requestDigest, requireSpelling, stated } from './request.mjs';
import { requireUnrevoked } from './revocation.mjs';
import { signedByRoot, verifyChain } from './signatures.mjs';
import { fromText } from './text.mjs';
import { sameChannel, stateFacts } from './surroundings.mjs';
import { agentOf, covers, isValidAt } from './trust.mjs';
import * as values from './values.mjs';

const skew = 30;
const maxTTL = 24 * 3600;
const maxWindow = 5 * 60;
const maxSession = 10 * 60;
const maxDepth = 8;
const maxBlocks = 24;
const maxCandidates = 8;
const nothing = { context: new Map(), channel: undefined, facts: [] };

// decide throws a Refusal, or returns the chain of a token that allows the request.
//
//   verifier  { service, trust: entries, allowBearer, directory: entries, tokenFacts: types,
//               lists of what is revoked, memory of what was used }
//   request   { operation, resources, args, body }
//   now       seconds since 1970
//   state     { context, channel, facts }, what the service knows besides
export function decide(token, request, verifier, now, state = nothing) {
  // 1
  const asked = { ...request, audience: verifier.service };
  requireSpelling(asked);
  const known = stateFacts(state);

  // 2
  const { bytes, held } = fromText(token);
  const container = decodeContainer(bytes);
  if (held && container.proof.kind !== 'held') malformed('whittle: before a token that is not held');

  // 3 and 4
  const entries = verifier.trust.filter((entry) => isValidAt(entry, now));
  const root = rootOf(container, entries.map(({ key }) => key));
  verifyChain(container);
  const bodies = readBlocks(container);

  // 5 and 6
  const chain = readChain(container, bodies, root, verifier.tokenFacts);
  requireDelegator(chain);
  if (!entries.some((entry) => entry.key.text === root.text && covers(entry, chain.delegator))) {
    refuse('untrusted_root', `the root key may not speak for ${chain.delegator}`);
  }

  // 7
  if (container.blocks.length > maxBlocks) refuse('limit', `more than ${maxBlocks} blocks`);
  if (chain.depth > maxDepth) refuse('limit', `changed hands more than ${maxDepth} times`);
  const own = chain.approvals.find(({ by }) => chain.owners.includes(by));
  if (own) refuse('profile', `block ${own.block}: the approver is the root or a holder`);
  if (chain.form === 'held') refuse('not_presented', 'held: only its holder can use it');
  if (chain.form === 'bearer' && !verifier.allowBearer) refuse('not_presented', 'a bearer token');

  // 8
  requireTimes(chain.times, now);

  // 9
  const extra = [['depth', values.integer(BigInt(chain.depth))]];
  if (chain.form === 'presented') {
    const digest = requireInvocation(chain.invocation, container, asked, now, state.channel);
    if (digest) extra.push(['request', values.bytes(digest)]);
    extra.push(['agent_key', values.string(chain.agentKey.text)]);
    const agent = agentOf(verifier.directory ?? [], chain.agentKey, now);
    if (agent !== undefined) extra.push(['agent', values.string(agent)]);
  }

  // 10 and 11
  requireUnrevoked(verifier.lists ?? [], container, root, chain, now);
  const uses = verifier.memory ? usesOf(container, chain, actionDigest(actionCBOR(asked))) : [];
  verifier.memory?.requireUnused(uses);

  // 12 and 13
  requireChecks(bodies, container.blocks, asked, [...stated(asked, now, extra), ...known]);
  verifier.memory?.record(uses);
  return chain;
}

// rootOf finds the key that signed block 0 among those that are trusted now. The
// token's hint says which to try first.
function rootOf(container, trusted) {
  const keys = [...new Map(trusted.map((key) => [key.text, key])).values()];
  const hinted = (key) => sha256(key.text).readUInt32BE() === container.rootKeyId;
  const candidates = [...keys.filter(hinted), ...keys.filter((key) => !hinted(key))].slice(0, maxCandidates);
  return candidates.find((key) => signedByRoot(key, container)) ?? refuse('untrusted_root', 'no trusted key signed block 0');
}

function requireTimes({ first, all }, now) {
  if (first.notBefore === undefined) refuse('window', 'block 0 does not say from when it is valid');
  if (first.expires <= first.notBefore || first.expires - first.notBefore > maxTTL + skew) refuse('window', 'valid for too long');
  if (now >= all.expires) refuse('expired', 'the token has expired');
  if (now < all.notBefore) refuse('window', 'the token is not valid yet');
}

// The digest of the request, undefined for a session, which is bound to a connection.
function requireInvocation({ nonce, request, channel, audience, from, until }, { blocks }, asked, now, arrivedOn) {
  if (audience !== asked.audience) refuse('audience', `invoked for ${audience}`);
  if (until <= from || until - from > (channel ? maxSession : maxWindow) + skew) refuse('window', 'invoked for too long');
  if (now < from || now >= until) refuse('window', 'invoked for another time');
  if (channel) return sameChannel(channel, arrivedOn) ? undefined : refuse('check_failed', 'a session on another connection');
  const prefix = prefixHash(blocks.slice(0, -1).map(({ raw }) => raw));
  const digest = requestDigest(prefix, requestCBOR(asked, nonce));
  if (!digest.equals(request)) refuse('check_failed', 'invoked for another request');
  return digest;
}

// requireChecks evaluates all checks of all blocks. A block sees the verifier's
// facts, those of block 0 and its own; a check that trusts keys sees what they signed
// in place of block 0.
function requireChecks(bodies, blocks, { args }, common) {
  const budget = new Budget();
  const facts = [
    ...common,
    ...bodies.flatMap((body, origin) => [...body.facts, ...insideFacts(body, args)].map((fact) => ({ ...fact, origin }))),
  ];
  const failed = bodies.flatMap(({ checks }, i) => {
    const seen = ({ queries: [{ scopes }] }) => {
      const keys = scopes.map(({ text }) => text);
      const trusted = (origin) => (keys.length === 0 ? origin === 0 : keys.includes(blocks[origin].external?.key.text));
      return facts.filter(({ origin }) => origin === undefined || origin === i || trusted(origin));
    };
    return checks.filter((check) => !holds(check, seen(check), budget)).map(() => i);
  });
  if (failed.length > 0) refuse('check_failed', `a check of block ${failed[0]}`);
}
