// What a verifier remembers: what was used, and its latest time (spec/replay.md).

import { sha256 } from './bytes.mjs';
import { refuse } from './refusal.mjs';
import { lowS } from './p256.mjs';

const used = (signature, from) => ({ key: sha256(lowS(signature) ?? signature).toString('hex'), from });

// A Memory belongs to one verifier. began is in seconds, perhaps with a fraction;
// without it nothing was ever used before. This one keeps everything and has no
// limits, which a store of a service must have.
export class Memory {
  entries = new Set();
  latest = -Infinity;

  constructor(began = -Infinity) {
    this.began = Math.ceil(began);
  }

  // The verifier's time does not go back.
  time(now) {
    this.latest = Math.max(this.latest, now);
    return this.latest;
  }

  requireUnused(uses) {
    for (const { key, from } of uses) {
      if (this.entries.has(key)) refuse('replay', 'used already');
      if (from < this.began) refuse('replay', 'perhaps used before the memory began');
    }
  }

  record(uses) {
    for (const { key } of uses) this.entries.add(key);
  }
}

// usesOf lists what a request uses up: of a presented token that is no session, its
// invocation; and the approvals of the very action by those whom a caveat names.
export function usesOf({ blocks }, { invocation, approvals, demanded }, action) {
  const invoked = invocation && !invocation.channel ? [used(blocks.at(-1).signature, invocation.from)] : [];
  const needed = approvals.filter((given) => demanded.includes(given.by) && given.action.equals(action));
  return [...invoked, ...needed.map(({ signature, from }) => used(signature, from))];
}
