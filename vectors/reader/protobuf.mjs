// Protobuf messages in their one spelling (spec/wire.md, "What a reader refuses"):
// minimal varints, ascending fields, nothing unknown, nothing twice.

import { utf8 } from './bytes.mjs';
import { malformed } from './refusal.mjs';

// The messages of Biscuit's schema.proto, as far as tokens need them. A message
// whose members are labelled oneof has exactly one of them; a Proof may have none.
const messages = {
  Biscuit: [
    '1 optional uint32 rootKeyId',
    '2 required SignedBlock authority',
    '3 repeated SignedBlock blocks',
    '4 required Proof proof',
  ],
  SignedBlock: [
    '1 required bytes block',
    '2 required PublicKey nextKey',
    '3 required bytes signature',
    '4 optional ExternalSignature externalSignature',
    '5 optional uint32 version',
  ],
  ExternalSignature: ['1 required bytes signature', '2 required PublicKey publicKey'],
  PublicKey: ['1 required uint64 algorithm', '2 required bytes key'],
  Proof: ['1 oneof bytes nextSecret', '2 oneof bytes finalSignature'],
  Block: [
    '1 repeated string symbols',
    '2 optional string context',
    '3 optional uint32 version',
    '4 repeated Fact facts',
    '5 repeated Rule rules',
    '6 repeated Check checks',
    '7 repeated Scope scope',
    '8 repeated PublicKey publicKeys',
  ],
  Scope: ['1 oneof ScopeType scopeType', '2 oneof int64 publicKey'],
  Fact: ['1 required Predicate predicate'],
  Rule: [
    '1 required Predicate head',
    '2 repeated Predicate body',
    '3 repeated Expression expressions',
    '4 repeated Scope scope',
  ],
  Check: ['1 repeated Rule queries', '2 optional CheckKind kind'],
  Predicate: ['1 required uint64 name', '2 repeated Term terms'],
  Term: [
    '1 oneof uint32 variable',
    '2 oneof int64 integer',
    '3 oneof uint64 string',
    '4 oneof uint64 date',
    '5 oneof bytes bytes',
    '6 oneof bool bool',
    '7 oneof TermSet set',
    '8 oneof Empty null',
    '9 oneof Array array',
    '10 oneof Map map',
  ],
  Empty: [],
  TermSet: ['1 repeated Term items'],
  Array: ['1 repeated Term items'],
  Map: ['1 repeated MapEntry entries'],
  MapEntry: ['1 required MapKey key', '2 required Term value'],
  MapKey: ['1 oneof int64 integer', '2 oneof uint64 string'],
  Expression: ['1 repeated Op ops'],
  Op: ['1 oneof Term value', '2 oneof OpUnary unary', '3 oneof OpBinary binary', '4 oneof OpClosure closure'],
  OpUnary: ['1 required UnaryKind kind', '2 optional uint64 ffiName'],
  OpBinary: ['1 required BinaryKind kind', '2 optional uint64 ffiName'],
  OpClosure: ['1 repeated uint32 params', '2 repeated Op ops'],
};

const enums = {
  ScopeType: ['authority', 'previous'],
  CheckKind: ['check if', 'check all', 'reject if'],
  UnaryKind: ['negate', 'parens', 'length', 'type', 'extern'],
  BinaryKind: [
    '<', '>', '<=', '>=', '===', 'contains', 'starts_with', 'ends_with', 'matches', '+', '-', '*', '/', 'eager_and',
    'eager_or', 'intersection', 'union', '&', '|', '^', '!==', '==', '!=', '&&', '||', 'all', 'any', 'get', 'extern',
    'try_or',
  ],
};

const schema = Object.fromEntries(Object.entries(messages).map(([name, lines]) => [
  name,
  new Map(lines.map((line) => {
    const [number, label, type, field] = line.split(' ');
    return [Number(number), { label, type, field }];
  })),
]));

// What makes a message deeper. What counts towards the elements of a block is each
// message in a list, but for public keys.
const nesting = new Set(['TermSet', 'Array', 'Map', 'OpClosure']);
const maxElements = 8192;
const maxDepth = 64;

// decode reads bytes as one message. The result has a member for each field: a
// list where it is repeated, undefined where it is absent; oneof holds the name of
// the member that is set, raw the bytes of the message.
export function decode(name, bytes) {
  return message(name, bytes, 0, { elements: 0 });
}

function message(name, bytes, depth, count) {
  if (nesting.has(name) && ++depth > maxDepth) malformed('nested too deep');
  const fields = schema[name];
  const result = { raw: bytes };
  for (const { label, field } of fields.values()) if (label === 'repeated') result[field] = [];

  let at = 0;
  let last = 0;
  while (at < bytes.length) {
    const tag = varint(bytes, at);
    const number = Number(tag.value >> 3n);
    const { label, type, field } = fields.get(number) ?? malformed(`${name} has no field ${number}`);
    if (number < last) malformed(`fields of ${name} in descending order`);
    if (number === last && label !== 'repeated') malformed(`${field} twice`);
    last = number;

    const isLength = type === 'bytes' || type === 'string' || type in schema;
    if ((tag.value & 7n) !== (isLength ? 2n : 0n)) malformed(`wire type of ${field}`);
    const number64 = varint(bytes, tag.next);
    at = number64.next;
    let value;
    if (isLength) {
      const end = number64.value + BigInt(at);
      if (end > BigInt(bytes.length)) malformed(`${field} goes beyond ${name}`);
      const content = bytes.subarray(at, Number(end));
      at = Number(end);
      if (type === 'bytes') value = content;
      else if (type === 'string') value = utf8(content);
      else value = message(type, content, depth, count);
    } else {
      value = scalar(type, number64.value);
    }
    if (label === 'repeated') {
      if (type in schema && type !== 'PublicKey' && ++count.elements > maxElements) malformed('too many elements');
      result[field].push(value);
      continue;
    }
    if (label === 'oneof') {
      if (result.oneof) malformed(`${name} with two members`);
      result.oneof = field;
    }
    result[field] = value;
  }

  for (const { label, field } of fields.values()) {
    if (label === 'required' && !(field in result)) malformed(`${name} without ${field}`);
    if (label === 'oneof' && !result.oneof && name !== 'Proof') malformed(`${name} without a member`);
  }
  return result;
}

function scalar(type, value) {
  switch (type) {
    case 'uint64':
      return value;
    case 'int64':
      return BigInt.asIntN(64, value);
    case 'uint32':
      if (value >= 1n << 32n) malformed('more than 32 bits');
      return Number(value);
    case 'bool':
      if (value > 1n) malformed('a bool that is neither 0 nor 1');
      return value === 1n;
    default:
      return enums[type][value] ?? malformed(`${type} ${value}`);
  }
}

function varint(bytes, start) {
  let value = 0n;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (at - start === 9 && byte > 1) malformed('a varint of more than 64 bits');
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start));
    if (byte < 0x80) {
      if (byte === 0 && at > start) malformed('a varint with a needless byte');
      return { value, next: at + 1 };
    }
  }
  return malformed('a varint without an end');
}
