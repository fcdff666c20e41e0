// The regular expressions that tokens of ours may hold (spec/caveats.md, "Regular
// expressions"): those that implementations read alike.

const maxBytes = 1024;
const maxParts = 4096;
const maxRepeats = 1000;
const maxGroups = 32;

class Outside extends Error {}
const outside = () => {
  throw new Outside();
};

// isPortable reports whether a pattern lies in the subset.
export function isPortable(pattern) {
  if (Buffer.byteLength(pattern) > maxBytes || pattern.normalize('NFC') !== pattern) return false;
  const input = { pattern, at: 0 };
  try {
    alternatives(input, 0);
    return input.at === pattern.length;
  } catch (error) {
    if (error instanceof Outside) return false;
    throw error;
  }
}

function take(input, expected) {
  expected.lastIndex = input.at;
  const found = expected.exec(input.pattern);
  if (found) input.at += found[0].length;
  return found;
}

const limited = (cost) => (cost.parts > maxParts || cost.repeats > maxRepeats ? outside() : cost);

// parts counts the pattern with its repetitions written out, repeats is the most
// that anything in it is repeated.
function alternatives(input, depth) {
  let cost = { parts: 0, repeats: 1 };
  while (input.at < input.pattern.length && input.pattern[input.at] !== ')') {
    const part = take(input, /\|/y) ? { parts: 1, repeats: 1 } : repeated(input, depth);
    cost = limited({ parts: cost.parts + part.parts, repeats: Math.max(cost.repeats, part.repeats) });
  }
  return cost;
}

const repetition = /[*+?{]/y;

function repeated(input, depth) {
  if (take(input, /[\^$]/y)) return take(input, repetition) ? outside() : { parts: 1, repeats: 1 };
  const part = single(input, depth);
  const found = take(input, /(?:[*+?]|\{(0|[1-9][0-9]*)(?:,(0|[1-9][0-9]*)?)?\})\??/y);
  if (take(input, repetition)) outside();
  if (!found) return part;
  const [low, high = 0] = found.slice(1).map((bound) => (bound === undefined ? undefined : Number(bound)));
  if (low === undefined) return { ...part, parts: part.parts + 1 };
  if (low > maxRepeats || high > maxRepeats || (found[2] !== undefined && high < low)) outside();
  const times = Math.max(low, high, 1);
  return limited({ parts: part.parts * times + 1, repeats: part.repeats * times });
}

function single(input, depth) {
  if (take(input, /\((?!\?)|\(\?:/y)) {
    if (depth === maxGroups) outside();
    const { parts, repeats } = alternatives(input, depth + 1);
    return take(input, /\)/y) ? { parts: parts + 1, repeats } : outside();
  }
  if (take(input, /\[\^?/y)) return characterClass(input);
  if (!take(input, /\./y)) character(input, /[^\\()[\]{}*+?|^$]/uy);
  return { parts: 1, repeats: 1 };
}

// In a class && ~~ -- and an unescaped [ are outside; - stands first, last or in a range.
function characterClass(input) {
  const inside = /[^\\[\]]/uy;
  for (let first = true; first || !take(input, /\]/y); first = false) {
    if (take(input, /&&|~~|--/y)) outside();
    if (!first && take(input, /-(?!\])/y)) outside();
    const low = character(input, inside);
    if (take(input, /--/y)) outside();
    if (take(input, /-(?!\])/y) && character(input, inside) < low) outside();
  }
  return { parts: 2, repeats: 1 };
}

const controls = { n: 10, r: 13, t: 9 };

function character(input, literal) {
  const found = take(input, literal);
  if (found) return found[0].codePointAt(0);
  const [, hex, control, mark] = take(input, /\\(?:x([0-9A-Fa-f]{2})|([nrt])|([\\.+*?()|[\]{}^$-]))/y) ?? outside();
  if (hex) return Number.parseInt(hex, 16);
  return control ? controls[control] : mark.codePointAt(0);
}
