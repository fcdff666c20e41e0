// Regular expressions within the subset that tokens may hold (spec/caveats.md,
// "Regular expressions"), searched for anywhere in the text, in time that grows with
// pattern times text and never beyond. A pattern becomes instructions, and all states
// that they can be in advance together, one character at a time.
//
//   { match: RegExp for one character } | { fork: [targets] } | { at: 'begin' | 'end' } | { end: true }

import { refuse } from './refusal.mjs';
import { isPortable } from './subset.mjs';

// matches reports whether pattern is found in text.
export function matches(pattern, text, budget) {
  if (!isPortable(pattern)) refuse('evaluation', 'a regular expression that not everybody reads alike');
  budget.spend(32 * pattern.length);
  return run(new Compiler(pattern).program(), [...text], budget);
}

function run(program, text, budget) {
  let current = new Set();
  for (let i = 0; i <= text.length; i++) {
    budget.spend(1 + program.length / 4);
    // The search may begin at each character, so the first instruction always joins.
    const states = new Set();
    const waiting = [0, ...current];
    while (waiting.length > 0) {
      const state = waiting.pop();
      if (states.has(state)) continue;
      states.add(state);
      const { fork, at, end } = program[state];
      if (end) return true;
      if (fork) waiting.push(...fork);
      if ((at === 'begin' && i === 0) || (at === 'end' && i === text.length)) waiting.push(state + 1);
    }
    current = new Set();
    for (const state of states) if (program[state].match?.test(text[i] ?? '')) current.add(state + 1);
  }
  return false;
}

// A Compiler goes once through a pattern that is known to lie in the subset. Each
// part that it reads is a list of instructions whose jumps count from themselves;
// they are made absolute at the end.
class Compiler {
  at = 0;

  constructor(pattern) {
    this.pattern = pattern;
  }

  program() {
    return [...this.alternatives(), { end: true }].map(({ jump, ...rest }, i) => (jump ? { fork: jump.map((step) => i + step) } : rest));
  }

  take(expected) {
    expected.lastIndex = this.at;
    const found = expected.exec(this.pattern);
    if (found) this.at += found[0].length;
    return found;
  }

  alternatives() {
    let result = this.sequence();
    while (this.take(/\|/y)) {
      const other = this.sequence();
      result = [{ jump: [1, result.length + 2] }, ...result, { jump: [other.length + 1] }, ...other];
    }
    return result;
  }

  sequence() {
    const parts = [];
    while (this.at < this.pattern.length && !'|)'.includes(this.pattern[this.at])) parts.push(...this.repeated());
    return parts;
  }

  repeated() {
    const part = this.single();
    const [found, low, comma, high] = this.take(/[*+?]|\{(\d+)(,(\d*))?\}/y) ?? [];
    if (!found) return part;
    this.take(/\?/y); // lazy: which match is found makes no difference here
    if (found === '*') return star(part);
    if (found === '+') return [...part, ...star(part)];
    if (found === '?') return optional(part);
    const copies = Array.from({ length: Number(low) }, () => part).flat();
    if (comma === undefined) return copies;
    if (high === '') return [...copies, ...star(part)];
    let rest = [];
    for (let i = Number(low); i < Number(high); i++) rest = optional([...part, ...rest]);
    return [...copies, ...rest];
  }

  single() {
    if (this.take(/\((\?:)?/y)) {
      const part = this.alternatives();
      this.take(/\)/y);
      return part;
    }
    if (this.take(/\^/y)) return [{ at: 'begin' }];
    if (this.take(/\$/y)) return [{ at: 'end' }];
    if (this.take(/\./y)) return [{ match: /^[^\n]$/u }];
    const negative = this.take(/\[(\^?)/y)?.[1];
    if (negative === undefined) return [{ match: new RegExp(`^${this.character()}$`, 'u') }];
    let items = '';
    for (let first = true; first || !this.take(/\]/y); first = false) {
      const low = this.character();
      items += this.take(/-(?!\])/y) ? `${low}-${this.character()}` : low;
    }
    return [{ match: new RegExp(`^[${negative}${items}]$`, 'u') }];
  }

  // One character, perhaps escaped, in a spelling of which JavaScript takes nothing
  // for an operator.
  character() {
    const controls = { n: 10, r: 13, t: 9 };
    const [, hex, control, literal] = this.take(/\\x([0-9A-Fa-f]{2})|\\([nrt])|\\?([^])/uy);
    const code = hex ? Number.parseInt(hex, 16) : controls[control] ?? literal.codePointAt(0);
    return `\\u{${code.toString(16)}}`;
  }
}

const star = (part) => [{ jump: [1, part.length + 2] }, ...part, { jump: [-part.length - 1] }];
const optional = (part) => [{ jump: [1, part.length + 1] }, ...part];
