// Regular expressions (spec/evaluation.md): Go's syntax, searched for anywhere in
// the text, in time that grows with pattern times text and never beyond. A pattern
// becomes instructions, and all states that they can be in advance together, one
// character at a time.
//
//   { match: RegExp for one character } | { fork: [targets] } | { at: position } | { end: true }

import { refuse } from './refusal.mjs';

const maxPattern = 4096;
const maxNodes = 16384;
const maxRepeat = 1000;

class Invalid extends Error {}

// matches reports whether pattern is found in text. A pattern that is not valid
// matches nothing; one that is too large is an error.
export function matches(pattern, text, budget) {
  if (Buffer.byteLength(pattern) > maxPattern) refuse('limit', 'a regular expression of more than 4096 bytes');
  budget.spend(32 * pattern.length);
  let program;
  try {
    program = new Compiler(pattern).program();
  } catch (error) {
    if (error instanceof Invalid) return false;
    throw error;
  }
  return run(program, [...text], budget);
}

const isWord = (character) => character !== undefined && /^[0-9A-Za-z_]$/.test(character);
const positions = {
  'text begins': (text, i) => i === 0,
  'text ends': (text, i) => i === text.length,
  'line begins': (text, i) => i === 0 || text[i - 1] === '\n',
  'line ends': (text, i) => i === text.length || text[i] === '\n',
  'word edge': (text, i) => isWord(text[i - 1]) !== isWord(text[i]),
  'no word edge': (text, i) => isWord(text[i - 1]) === isWord(text[i]),
};

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
      if (at && positions[at](text, i)) waiting.push(state + 1);
    }
    current = new Set();
    for (const state of states) if (program[state].match?.test(text[i] ?? '')) current.add(state + 1);
  }
  return false;
}

const classes = {
  d: '0-9', s: '\\t\\n\\f\\r ', w: '0-9A-Za-z_',
  alnum: '0-9A-Za-z', alpha: 'A-Za-z', ascii: '\\x00-\\x7F', blank: '\\t ', cntrl: '\\x00-\\x1F\\x7F', digit: '0-9',
  graph: '!-~', lower: 'a-z', print: ' -~', punct: '!-\\/:-@\\[-`\\{-~', space: '\\t\\n\\v\\f\\r ', upper: 'A-Z',
  word: '0-9A-Za-z_', xdigit: '0-9A-Fa-f',
};
const controls = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

// A Compiler goes through a pattern once. Each part that it reads is a list of
// instructions whose forks count from the part's own beginning; they are made
// absolute at the end.
class Compiler {
  at = 0;
  depth = 0;

  constructor(pattern) {
    this.pattern = pattern;
  }

  program() {
    const part = this.alternatives({ i: false, m: false, s: false });
    if (this.at < this.pattern.length) this.fail();
    return [...part, { end: true }].map(({ jump, ...rest }, i) => (jump ? { fork: jump.map((step) => i + step) } : rest));
  }

  fail() {
    throw new Invalid(this.pattern);
  }

  take(expected) {
    const found = expected.exec(this.pattern.slice(this.at));
    if (found) this.at += found[0].length;
    return found;
  }

  alternatives(flags) {
    if (++this.depth > maxRepeat) this.fail();
    const scope = { ...flags };
    let result = this.sequence(scope);
    while (this.take(/^\|/)) {
      const other = this.sequence(scope);
      result = this.sized([{ jump: [1, result.length + 2] }, ...result, { jump: [other.length + 1] }, ...other]);
    }
    this.depth--;
    return result;
  }

  // Flags set within a group hold to its end, through later alternatives too.
  sequence(flags) {
    const parts = [];
    while (this.at < this.pattern.length && !/[|)]/.test(this.pattern[this.at])) parts.push(...this.repeated(flags));
    return this.sized(parts);
  }

  sized(part) {
    return part.length > maxNodes ? refuse('limit', 'a large regular expression') : part;
  }

  repeated(flags) {
    const quoted = this.take(/^\\Q(.*?)(\\E|$)/su);
    if (quoted) return [...quoted[1]].map((character) => one(escape(character), flags));
    let part = this.atom(flags);
    let again = this.take(/^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/);
    if (!again) return part;
    const [, sign, low, comma, high] = again;
    if (sign === '*') part = star(part);
    else if (sign === '+') part = [...part, { jump: [-part.length, 1] }];
    else if (sign === '?') part = optional(part);
    else part = this.counted(part, Number(low), comma === undefined ? Number(low) : high === '' ? Infinity : Number(high));
    again = this.take(/^(?:[*+?]|\{\d+(,\d*)?\})/);
    if (again) this.fail();
    return this.sized(part);
  }

  counted(part, low, high) {
    if (low > maxRepeat || (high > maxRepeat && high !== Infinity)) refuse('limit', 'more than 1000 repetitions');
    if (low > high) this.fail();
    if (part.length * Math.max(low, high === Infinity ? 1 : high) > maxNodes) refuse('limit', 'a large regular expression');
    const copies = Array.from({ length: low }, () => part).flat();
    if (high === Infinity) return [...copies, ...star(part)];
    let rest = [];
    for (let i = low; i < high; i++) rest = optional([...part, ...rest]);
    return [...copies, ...rest];
  }

  atom(flags) {
    if (this.take(/^\(/)) return this.group(flags);
    if (this.take(/^\[/)) return [one(this.charClass(), flags)];
    if (this.take(/^\^/)) return [{ at: flags.m ? 'line begins' : 'text begins' }];
    if (this.take(/^\$/)) return [{ at: flags.m ? 'line ends' : 'text ends' }];
    if (this.take(/^\./)) return [{ match: flags.s ? /^.$/su : /^[^\n]$/u }];
    const edge = this.take(/^\\([AzbB])/)?.[1];
    if (edge) return [{ at: { A: 'text begins', z: 'text ends', b: 'word edge', B: 'no word edge' }[edge] }];
    const shorthand = this.shorthand();
    if (shorthand) return [one(shorthand, flags)];
    if (this.take(/^(?:[*+?]|\{\d+(,\d*)?\})/)) this.fail();
    return [one(escape(String.fromCodePoint(this.character())), flags)];
  }

  group(flags) {
    const [, setting, close] = this.take(/^\?([a-zA-Z-]*)([:)])/) ?? this.take(/^()(?:\?P?<[0-9A-Za-z_]+>)/) ?? [];
    if (setting === undefined && this.pattern[this.at] === '?') this.fail();
    const inner = { ...flags };
    if (setting) {
      if (!/^[imsU]*(-[imsU]+)?$/.test(setting)) this.fail();
      const [on, off = ''] = setting.split('-');
      for (const flag of on) inner[flag] = true;
      for (const flag of off) inner[flag] = false;
    }
    if (close === ')') {
      Object.assign(flags, inner);
      return [];
    }
    const part = this.alternatives(inner);
    if (!this.take(/^\)/)) this.fail();
    return part;
  }

  // A class of several characters by one letter or by its Unicode name.
  shorthand() {
    const [, letter] = this.take(/^\\([dDsSwW])/) ?? [];
    if (letter) return negated(letter < 'a', classes[letter.toLowerCase()]);
    const [, p, negative, single] = this.take(/^\\([pP])(?:\{(\^?)(?=[^}]*\})|(\p{L}))/u) ?? [];
    if (!p) return undefined;
    const named = single ?? this.take(/^[^}]*\}/)[0].slice(0, -1);
    return negated((p === 'P') !== (negative === '^'), property(named, () => this.fail()));
  }

  charClass() {
    const negative = this.take(/^\^/);
    let items = '';
    for (let first = true; first || this.pattern[this.at] !== ']'; first = false) {
      if (this.at >= this.pattern.length) this.fail();
      const posix = this.take(/^\[:(\^?)([a-z]+):\]/);
      if (posix) {
        if (!classes[posix[2]] || posix[2].length === 1) this.fail();
        items += negated(posix[1] === '^', classes[posix[2]]);
        continue;
      }
      const shorthand = this.shorthand();
      if (shorthand) {
        items += shorthand;
        continue;
      }
      const low = this.character();
      const high = this.take(/^-(?=[^\]])/) ? this.character() : low;
      if (high < low) this.fail();
      items += `[${escape(String.fromCodePoint(low))}-${escape(String.fromCodePoint(high))}]`;
    }
    this.at++;
    return negated(negative, items);
  }

  // One character, perhaps escaped, as its code point.
  character() {
    if (!this.take(/^\\/)) return (this.take(/^[^]/u) ?? this.fail())[0].codePointAt(0);
    const [, octal, hex, braced, control, mark] =
      this.take(/^(?:([1-7][0-7]{1,2}|0[0-7]{0,2})|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\}|([afnrtv])|([\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]))/) ??
      this.fail();
    if (control) return controls[control];
    if (mark) return mark.codePointAt(0);
    const code = octal ? Number.parseInt(octal, 8) : Number.parseInt(hex ?? braced, 16);
    return code <= 0x10ffff ? code : this.fail();
  }
}

const star = (part) => [{ jump: [1, part.length + 2] }, ...part, { jump: [-part.length - 1] }];
const optional = (part) => [{ jump: [1, part.length + 1] }, ...part];

// Classes are handed to JavaScript one character at a time, for what it knows of
// Unicode. Nested brackets need its flag v.
const one = (source, { i }) => ({ match: new RegExp(`^[${source}]$`, i ? 'vi' : 'v') });
const escape = (character) => `\\u{${character.codePointAt(0).toString(16)}}`;
const negated = (negative, source) => (negative ? `[^${source}]` : `[${source}]`);

function property(name, fail) {
  for (const source of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    if (!/^\w+$/.test(name) || (source.length > 5 && !/^(Any|\p{Lu}\p{Ll}?|\p{Lu}\p{Ll}+(_\p{L}+)*)$/u.test(name))) break;
    try {
      new RegExp(source, 'u');
      return source;
    } catch {
      // Not a name of this sort.
    }
  }
  return fail();
}
