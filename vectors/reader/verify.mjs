// Decides on one presented token:
//
//   node vectors/reader/verify.mjs --trust FILE --audience ID --operation OP --resource PATH
//     [--resource PATH].. [--arg NAME=VALUE].. [--now RFC3339] [--allow-bearer] TOKEN
//
// TOKEN is a file with the text of a token, or the text itself; - is standard input.
// Exit codes are those of spec/errors.md. Like `whittle verify` without its stores,
// it remembers nothing: a token that was presented already is allowed again.

import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { decide } from './decide.mjs';
import { parseJSON } from './json.mjs';
import { Refusal } from './refusal.mjs';
import { parseTrust } from './trust.mjs';

const usage = 'verify.mjs --trust FILE --audience ID --operation OP --resource PATH [--arg NAME=VALUE] TOKEN';

function read() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      trust: { type: 'string' },
      audience: { type: 'string' },
      operation: { type: 'string' },
      resource: { type: 'string', multiple: true },
      arg: { type: 'string', multiple: true, default: [] },
      now: { type: 'string', default: new Date().toISOString() },
      'allow-bearer': { type: 'boolean', default: false },
    },
  });
  for (const name of ['trust', 'audience', 'operation', 'resource']) {
    if (values[name] === undefined) throw new Error(`--${name} is missing`);
  }
  const [token, ...more] = positionals;
  if (token === undefined || more.length > 0) throw new Error('one token is wanted');
  const now = Math.floor(Date.parse(values.now) / 1000);
  if (!Number.isFinite(now)) throw new Error(`--now ${values.now} is no time`);
  return {
    token: token === '-' || existsSync(token) ? readFileSync(token === '-' ? 0 : token, 'utf8').trim() : token,
    request: { operation: values.operation, resources: values.resource, args: new Map(values.arg.map(argument)), body: null },
    verifier: {
      service: values.audience,
      trust: parseTrust(readFileSync(values.trust, 'utf8')),
      allowBearer: values['allow-bearer'],
    },
    now,
  };
}

// A VALUE is JSON where it begins as JSON does, else a string.
function argument(text, i, all) {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? fail(`--arg ${text} is not of the form NAME=VALUE`);
  if (all.some((other, j) => j < i && other.startsWith(`${name}=`))) fail(`--arg ${name} is given twice`);
  return [name, /^(["0-9[{-]|true|false|null)/.test(value) ? parseJSON(value) : value];
}

function fail(message) {
  throw new Error(message);
}

let input;
try {
  input = read();
} catch (error) {
  console.error(`error: ${error.message}\nhint: ${usage}`);
  process.exit(2);
}
try {
  const { delegator, hops } = decide(input.token, input.request, input.verifier, input.now);
  console.log(`allowed: ${[delegator, ...hops.map(({ holder }) => holder)].map((name) => JSON.stringify(name)).join(' -> ')}`);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.log(`denied: ${error.code}\n${error.message}`);
  process.exitCode = ['malformed', 'unsupported', 'signature'].includes(error.code) ? 3 : 1;
}
