// The text of a token (spec/forms.md, "Text").

import { malformed } from './refusal.mjs';

const maxBytes = 65536;
const maxLength = Math.ceil((maxBytes * 4) / 3) + 2;

// fromText returns { bytes, held }: whether the text says that the token is held.
export function fromText(text) {
  const [, prefix = '', digits, padding] = /^(whittle:|biscuit:)?([A-Za-z0-9_-]+)(={0,2})$/.exec(
    text.length > maxLength + 'whittle:'.length ? '' : text,
  ) ?? malformed('not the text of a token');
  if (padding && (digits.length + padding.length) % 4 !== 0) malformed('wrong padding');
  const bytes = Buffer.from(digits, 'base64url');
  if (bytes.toString('base64url') !== digits) malformed('bits at the end that stand for nothing');
  return { bytes, held: prefix === 'whittle:' };
}
