// JSON, read so that no two readers can differ on it (spec/request.md, "Values of
// arguments"). Integers become BigInt, other numbers Number, objects Map.

import { refuse } from './refusal.mjs';

const unfit = (message) => refuse('check_failed', message);
const maxDepth = 1000;
const escapes = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

export function parseJSON(text) {
  let at = 0;
  let depth = 0;

  const space = () => {
    while (' \t\r\n'.includes(text[at]) && at < text.length) at++;
  };
  const match = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const expect = (character) => {
    space();
    if (text[at] !== character) unfit(`no ${character} at ${at}`);
    at++;
  };

  // list reads what stands between two brackets, separated by commas.
  const list = (close, element) => {
    if (++depth > maxDepth) unfit('nested too deep');
    at++;
    space();
    if (text[at] !== close) {
      for (element(); space(), text[at] === ','; element()) at++;
    }
    expect(close);
    depth--;
  };

  const string = () => {
    space();
    const found = match(/"([^"\\\u0000-\u001f]|\\(["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y) ?? unfit(`no string at ${at}`);
    const result = found.slice(1, -1).replaceAll(/\\(u(....)|.)/g, (_, escape, hex) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : escapes[escape]);
    return result.isWellFormed() ? result : unfit('half of a surrogate pair');
  };

  const value = () => {
    space();
    switch (text[at]) {
      case '{': {
        const object = new Map();
        list('}', () => {
          const name = string();
          if (object.has(name)) unfit(`${name} stands twice`);
          expect(':');
          object.set(name, value());
        });
        return object;
      }
      case '[': {
        const items = [];
        list(']', () => items.push(value()));
        return items;
      }
      case '"':
        return string();
      default: {
        const word = match(/true|false|null/y);
        if (word) return { true: true, false: false, null: null }[word];
        return number(match(/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y) ?? unfit(`nothing known at ${at}`));
      }
    }
  };

  const result = value();
  space();
  if (at < text.length) unfit('something behind the value');
  return result;
}

function number(text) {
  if (/[.eE]/.test(text)) {
    return Number.isFinite(Number(text)) ? Number(text) : unfit(`${text} is beyond a double`);
  }
  const integer = BigInt(text);
  return integer === BigInt.asIntN(64, integer) ? integer : unfit(`${text} is beyond 64 bits`);
}
