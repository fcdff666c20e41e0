// Symbol and key tables (Biscuit specification, "Symbol table"; spec/wire.md,
// "Tables" and "Names").

import { named } from './keys.mjs';
import { malformed } from './refusal.mjs';

const defaults = [
  'read', 'write', 'resource', 'operation', 'right', 'time', 'role', 'owner', 'tenant', 'namespace', 'user', 'team',
  'service', 'admin', 'email', 'group', 'member', 'ip_address', 'client', 'client_ip', 'domain', 'path', 'version',
  'cluster', 'node', 'hostname', 'nonce', 'query',
];
const firstDeclared = 1024;
const maxSymbols = 1024;
const maxKeys = 256;
const maxText = 256 << 10;

// Tables hold what first-party blocks declared so far. A third-party block has its
// own, which nobody sees after it.
export class Tables {
  symbols = [];
  keys = [];
  text = 0; // bytes that symbols of the current block stand for

  // declare begins a block.
  declare({ symbols, publicKeys }) {
    this.text = 0;
    for (const symbol of symbols) {
      if (defaults.includes(symbol) || this.symbols.includes(symbol)) malformed(`symbol ${symbol} declared twice`);
      this.symbols.push(symbol);
    }
    for (const message of publicKeys) {
      const key = named(message);
      if (this.keys.some(({ text }) => text === key.text)) malformed(`${key.text} declared twice`);
      this.keys.push(key);
    }
    if (this.symbols.length > maxSymbols) malformed('more than 1024 symbols');
    if (this.keys.length > maxKeys) malformed('more than 256 keys');
  }

  symbol(index) {
    const number = Number(index);
    const symbol = number < firstDeclared ? defaults[number] : this.symbols[number - firstDeclared];
    this.text += Buffer.byteLength(symbol ?? malformed(`symbol ${index}`));
    return this.text <= maxText ? symbol : malformed('symbols that stand for more than 256 KiB of text');
  }

  // The name of a predicate, variable or function, which text has to be able to
  // spell.
  name(index) {
    const name = this.symbol(index);
    return /^[\p{L}\p{Nd}_:]+$/u.test(name) ? name : malformed(`name ${JSON.stringify(name)}`);
  }

  key(index) {
    return this.keys[Number(index)] ?? malformed(`key ${index}`);
  }
}
