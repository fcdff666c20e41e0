// The trust file: OpenSSH's allowed_signers, read more strictly (spec/trust.md).

import { fromBytes } from './keys.mjs';
import { isName } from './request.mjs';

export class TrustError extends Error {}

const maxBytes = 1 << 20;
const maxLines = 10000;
const options = ['namespaces', 'valid-after', 'valid-before', 'cert-authority'];

// parseTrust returns the entries that count, each { principals, after, before, key }
// with times in seconds, undefined where there are none. It throws a TrustError for
// a file of which one line is bad.
export const parseTrust = (text) => parse(text, 'whittle', isPrincipal);

// parseDirectory reads a directory of agents, whose principals are names.
export const parseDirectory = (text) => parse(text, 'whittle-agent', isAgent);

function parse(text, namespace, isGood) {
  const wrong = (message) => {
    throw new TrustError(message);
  };
  if (Buffer.byteLength(text) > maxBytes) wrong('more than 1 MiB');
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  let withKey = 0;
  return lines.flatMap((line, i) => {
    try {
      if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) wrong('a control character');
      if (/^[ \t]*(#|$)/.test(line)) return [];
      if (++withKey > maxLines) wrong('more than 10,000 lines with a key');
      return entry(line, namespace, isGood, wrong);
    } catch (error) {
      throw new TrustError(`line ${i + 1}: ${error.message}`);
    }
  });
}

function entry(line, namespace, isGood, wrong) {
  const fields = splitFields(line, wrong);
  // What stands second is a key type if the third field is a key of that type.
  const given = keyType(fields[2]) === fields[1] ? new Map() : parseOptions(fields.splice(1, 1)[0] ?? '', wrong);
  const [principals, type, encoded] = fields;
  if (type === undefined || keyType(encoded) !== type) wrong('no key');
  if (given.has('cert-authority')) wrong('cert-authority');

  const namespaces = given.get('namespaces')?.split(',') ?? [];
  if (!namespaces.includes(namespace)) {
    if (namespaces.some((name) => name.trim().toLowerCase() === namespace)) wrong(`a namespace that is nearly ${namespace}`);
    return [];
  }
  if (namespaces.some((name) => name === '' || /[!*?" ]/.test(name))) wrong('namespaces');
  if (!isWell(line)) wrong('control characters, or not UTF-8');
  const names = principals.split(',');
  if (!names.every(isGood)) wrong('principals');
  const after = time(given.get('valid-after'), wrong);
  const before = time(given.get('valid-before'), wrong);
  if (after !== undefined && before !== undefined && after >= before) wrong('times');
  return [{ principals: names, after, before, key: publicKey(type, encoded, wrong) }];
}

// Fields are separated by spaces and tabs; within double quotes these are text.
function splitFields(line, wrong) {
  const fields = line.trim().match(/("(\\"|[^"])*"|[^" \t])+/g) ?? [];
  if (line.replaceAll(/"(\\"|[^"])*"/g, '').includes('"')) wrong('an open quote');
  return fields;
}

function parseOptions(text, wrong) {
  const found = new Map();
  for (let rest = text; ;) {
    const [whole, name, , value] = /^([A-Za-z-]+)(="((?:\\"|[^"])*)")?/.exec(rest) ?? wrong(`option ${rest}`);
    const option = name.toLowerCase();
    if (!options.includes(option) || found.has(option)) wrong(`option ${name}, unknown or doubled`);
    if ((value === undefined) !== (option === 'cert-authority')) wrong(`option ${name} and its quotes`);
    found.set(option, value?.replaceAll('\\"', '"'));
    rest = rest.slice(whole.length);
    if (rest === '') return found;
    if (!rest.startsWith(',')) wrong('options');
    rest = rest.slice(1);
  }
}

function blob(encoded) {
  const bytes = Buffer.from(encoded ?? '', 'base64');
  return bytes.toString('base64') === encoded ? bytes : Buffer.alloc(0);
}

// The strings of an SSH key (RFC 4253, section 6.6), as many as there are.
function strings(bytes) {
  const found = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found;
}

const keyType = (encoded) => strings(blob(encoded))[0]?.toString('latin1');

// The types whose keys are their bytes and nothing else.
const plainKeys = { 'ssh-ed25519': 'ed25519', 'ssh-mldsa-44': 'mldsa44', 'ssh-mldsa-65': 'mldsa65' };

function publicKey(type, encoded, wrong) {
  const bytes = blob(encoded);
  const parts = strings(bytes);
  if (parts.reduce((sum, part) => sum + 4 + part.length, 0) !== bytes.length) wrong('bytes behind the key');
  if (Object.hasOwn(plainKeys, type) && parts.length === 2) return fromBytes(plainKeys[type], parts[1]);
  if (type === 'ecdsa-sha2-nistp256' && parts.length === 3 && parts[1].toString('latin1') === 'nistp256') {
    const [point] = parts.slice(2);
    if (point.length !== 65 || point[0] !== 4) wrong('a point that is not uncompressed');
    const compressed = Buffer.concat([Buffer.of(2 | (point[64] & 1)), point.subarray(1, 33)]);
    const key = fromBytes('secp256r1', compressed);
    return key.algorithm.isPoint(point) ? key : wrong('a point that is not on the curve');
  }
  return wrong(`a key of type ${type}`);
}

function time(text, wrong) {
  if (text === undefined) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?Z$/.exec(text) ?? wrong(`time ${text}`);
  const spelled = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const parsed = new Date(`${spelled}Z`);
  if (Number.isNaN(parsed.valueOf()) || !parsed.toISOString().startsWith(spelled) || parsed <= 0) wrong(`time ${text}`);
  return parsed.valueOf() / 1000;
}

const isWell = (line) => line.isWellFormed() && !line.includes('\ufffd') && !/[\p{Cc}--\t]/v.test(line);

// isDelegator says whether a name is canonical (spec/trust.md, "Names").
export function isDelegator(name) {
  if (!isName(name) || /[*?,\p{White_Space}\p{Z}]/u.test(name)) return false;
  const [local, domain, ...more] = name.split('@');
  return domain === undefined || (more.length === 0 && local !== '' && isDomain(domain));
}

const isDomain = (domain) => domain !== '' && domain === domain.toLowerCase();

function isPrincipal(principal) {
  if (/["\\]/.test(principal) || principal.startsWith('!')) return false;
  return principal.startsWith('*@') ? isDelegator(`x${principal.slice(1)}`) : isDelegator(principal);
}

// An agent's name, or a SPIFFE id in its one spelling.
function isAgent(name) {
  if (/["\\]/.test(name) || name.startsWith('!') || name.endsWith('/') || !isDelegator(name)) return false;
  if (!/^spiffe:\/\//i.test(name)) return true;
  return /^spiffe:\/\/[a-z0-9._-]+(\/(?!\.\.?(\/|$))[A-Za-z0-9._-]+)+$/.test(name);
}

// agentOf returns the one name that the directory binds to a key now, or undefined.
export function agentOf(directory, key, seconds) {
  const names = new Set(directory.filter((entry) => entry.key.text === key.text && isValidAt(entry, seconds)).flatMap(({ principals }) => principals));
  return names.size === 1 ? [...names][0] : undefined;
}

export function covers({ principals }, delegator) {
  return principals.some((principal) => {
    if (!principal.startsWith('*@')) return principal === delegator;
    const at = delegator.indexOf('@');
    return at > 0 && delegator.slice(at) === principal.slice(1);
  });
}

export function isValidAt({ after, before }, seconds) {
  return (after === undefined || seconds >= after) && (before === undefined || seconds <= before);
}
