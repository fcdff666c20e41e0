// The body of a block: facts, rules and checks as trees (Biscuit specification,
// "Format"; spec/wire.md).
//
//   predicate  { name, terms }
//   query      { body: predicates, expressions, scopes }
//   rule       a query with a head
//   check      { kind: 'check if' | 'check all' | 'reject if', queries }
//   scope      'authority' | 'previous' | a key

import { expression } from './expression.mjs';
import { decode } from './protobuf.mjs';
import { nesting } from './print.mjs';
import { malformed, refuse } from './refusal.mjs';
import { Tables } from './tables.mjs';
import * as values from './values.mjs';

const maxNesting = 64;

// readBlocks decodes the bodies of all blocks of a container.
export function readBlocks(container) {
  const shared = new Tables();
  return container.blocks.map((block) => readBlock(block, block.external ? new Tables() : shared));
}

function readBlock(block, tables) {
  const message = decode('Block', block.payload);
  const version = message.version ?? 0;
  if (version < 3 || version > 6) refuse('unsupported', `Datalog version ${version}`);
  tables.declare(message);
  const reader = new BlockReader(tables);
  const result = {
    context: message.context,
    facts: message.facts.map((fact) => reader.predicate(fact.predicate, false)),
    rules: message.rules.map((rule) => reader.rule(rule)),
    checks: message.checks.map((check) => reader.check(check)),
    scopes: message.scope.map((scope) => reader.scope(scope)),
    callsHost: reader.callsHost,
    patterns: reader.patterns,
  };
  reader.needs(block.external ? 5 : 3);
  if (version < reader.needed) malformed(`something of Datalog version ${reader.needed} in a block of version ${version}`);
  return result;
}

// A BlockReader turns the messages of one block into trees and notes which Datalog
// version they need, whether they call functions of the host, and the regular
// expressions in them.
class BlockReader {
  needed = 3;
  callsHost = false;
  patterns = []; // the right sides of matches

  constructor(tables) {
    this.tables = tables;
  }

  needs(version) {
    this.needed = Math.max(this.needed, version);
  }

  predicate({ name, terms }, variables = true) {
    return { name: this.tables.name(name), terms: terms.map((term) => this.operand(term, variables)) };
  }

  rule(message) {
    const head = this.predicate(message.head);
    return { ...this.query(message), head };
  }

  // The head of a query says nothing, but has to be a predicate, of any version.
  query({ head, body, expressions, scope }) {
    const { needed } = this;
    this.predicate(head);
    this.needed = needed;
    if (body.length === 0 && expressions.length === 0) malformed('a query of nothing');
    return {
      body: body.map((predicate) => this.predicate(predicate)),
      expressions: expressions.map(({ ops }) => this.expression(ops)),
      scopes: scope.map((s) => this.scope(s)),
    };
  }

  expression(ops) {
    const node = expression(ops, this);
    return nesting(node) <= maxNesting ? node : malformed('an expression nested too deep');
  }

  check({ queries, kind }) {
    if (kind !== undefined) this.needs(4);
    if (kind === 'reject if') this.needs(6);
    if (queries.length === 0) malformed('a check without queries');
    return { kind: kind ?? 'check if', queries: queries.map((query) => this.query(query)) };
  }

  scope({ oneof, scopeType, publicKey }) {
    this.needs(4);
    return oneof === 'scopeType' ? scopeType : this.tables.key(publicKey);
  }

  // A term where null, alone or in a set, needs Datalog 3.3.
  operand(message, variables) {
    const term = this.term(message, variables);
    if (term.type === 'null' || (term.type === 'set' && term.items.some((item) => item.type === 'null'))) this.needs(6);
    return term;
  }

  term(message, variables) {
    const value = message[message.oneof];
    switch (message.oneof) {
      case 'variable':
        return variables ? values.variable(this.tables.name(value)) : malformed('a variable where a value belongs');
      case 'string':
        return values.string(this.tables.symbol(value));
      case 'set':
        return this.set(value.items.map((item) => this.term(item, false)));
      case 'array':
        return values.array(value.items.map((item) => this.term(item, false)));
      case 'map':
        return this.map(value.entries.map(({ key, value: content }) => [this.term(key), this.term(content, false)]));
      case 'null':
        return values.nothing;
      default:
        return { type: message.oneof, value };
    }
  }

  set(items) {
    if (items.some(({ type }) => type === 'set' || type !== items[0].type)) malformed('a set of sets or of several types');
    const set = values.set(items);
    return set.items.length === items.length ? set : malformed('an element of a set twice');
  }

  map(entries) {
    const keys = values.set(entries.map(([key]) => key));
    return keys.items.length === entries.length ? values.map(entries) : malformed('a key of a map twice');
  }
}
