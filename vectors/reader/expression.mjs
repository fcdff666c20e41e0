// Expressions as trees (Biscuit specification, "Expressions"; spec/wire.md). On the
// wire they are operations of a stack machine.
//
//   { op: 'value', term }
//   { op: 'unary', kind, name, operand }           name: of an extern function
//   { op: 'binary', kind, name, left, right }      kind: as in text, '==' or 'contains'
//   { op: 'closure', params, body }

import { malformed } from './refusal.mjs';

// Which side of an operator is a closure, and of how many parameters.
const closures = {
  '&&': { side: 'right', params: 0 },
  '||': { side: 'right', params: 0 },
  all: { side: 'right', params: 1 },
  any: { side: 'right', params: 1 },
  try_or: { side: 'left', params: 0 },
};

const newIn4 = new Set(['&', '|', '^', '!==']);
const newIn6 = new Set(['type', 'extern', '==', '!=', ...Object.keys(closures)]);

// expression makes one tree of the operations. block resolves symbols and terms and
// is told which Datalog version is needed.
export function expression(ops, block) {
  const stack = [];
  const pop = () => stack.pop() ?? malformed('an operation without operand');
  for (const message of ops) {
    const content = message[message.oneof];
    if (message.oneof === 'value') {
      stack.push({ op: 'value', term: block.operand(content, true) });
      continue;
    }
    if (message.oneof === 'closure') {
      const params = content.params.map((param) => block.tables.name(param));
      stack.push({ op: 'closure', params, body: expression(content.ops, block) });
      continue;
    }
    const { kind, ffiName } = content;
    if ((kind === 'extern') !== (ffiName !== undefined)) malformed('a name on an operation that is no call, or a call without');
    if (kind === 'extern') block.callsHost = true;
    if (kind === 'matches') block.patterns.push(stack.at(-1));
    if (newIn4.has(kind)) block.needs(4);
    if (newIn6.has(kind)) block.needs(6);
    const node = { op: message.oneof, kind };
    if (ffiName !== undefined) node.name = block.tables.name(ffiName);
    if (message.oneof === 'unary') {
      node.operand = plain(pop());
    } else {
      const right = pop();
      const left = pop();
      node.left = operand(left, 'left', closures[kind]);
      node.right = operand(right, 'right', closures[kind]);
    }
    stack.push(node);
  }
  if (stack.length !== 1) malformed('operations that do not leave one value');
  return plain(stack[0]);
}

const plain = (node) => (node.op === 'closure' ? malformed('a closure where a value belongs') : node);

function operand(node, side, closure) {
  if (closure?.side !== side) return plain(node);
  if (node.op !== 'closure' || node.params.length !== closure.params) malformed('not the closure that belongs here');
  return node;
}

// leftmost returns the node that stands first in the text of an expression, and
// those above it from the bottom up. The closure of try_or counts as a leaf.
export function leftmost(node) {
  const spine = [];
  while (node.op !== 'value' && node.op !== 'closure') {
    spine.unshift(node);
    node = node.left ?? node.operand;
  }
  return { leaf: node, spine };
}
