// Checks over facts (Biscuit specification, "Checks" and "Execution";
// spec/evaluation.md). Our tokens have no rules, so no facts are derived, and one
// search for each query is all.
//
// A fact is { name, terms, origin }: the block that states it, or undefined for the
// verifier.

import { leftmost } from './expression.mjs';
import { binary, unary } from './operators.mjs';
import { refuse } from './refusal.mjs';
import * as values from './values.mjs';

const maxFacts = 1000;
const maxSteps = 1000000;

// A Budget bounds the work for one token, in steps and never in time.
export class Budget {
  left = maxSteps;

  spend(steps) {
    this.left -= steps;
    if (this.left < 0) refuse('limit', 'more than 1,000,000 steps');
  }
}

// holds decides one check over the facts that its block sees.
export function holds({ kind, queries }, facts, budget) {
  if (facts.length > maxFacts) refuse('limit', 'more than 1000 facts');
  const found = queries.some((query) => {
    const { matches, failures } = solve(query, facts, budget);
    return kind === 'check all' ? matches > 0 && failures === 0 : matches > failures;
  });
  return kind === 'reject if' ? !found : found;
}

// solve counts the combinations of facts that match a query's predicates, and those
// of them for which an expression is false. All are tried whatever comes out: an
// error in any is an error of the query, so that no order of facts matters.
function solve({ body, expressions }, facts, budget) {
  const result = { matches: 0, failures: 0 };
  let error;
  const search = (depth, bound) => {
    if (depth === body.length) {
      result.matches++;
      try {
        if (!expressions.every((node) => isTrue(evaluate(node, bound, budget)))) result.failures++;
      } catch (caught) {
        if (caught.code !== 'evaluation') throw caught;
        error ??= caught;
      }
      return;
    }
    for (const fact of facts) {
      budget.spend(1);
      const next = unify(body[depth], fact, bound);
      if (next) search(depth + 1, next);
    }
  };
  search(0, new Map());
  if (error) throw error;
  return result;
}

// unify extends the variables so that predicate is fact, or returns undefined.
function unify(predicate, fact, bound) {
  if (predicate.name !== fact.name || predicate.terms.length !== fact.terms.length) return undefined;
  const result = new Map(bound);
  const same = predicate.terms.every((term, i) => {
    if (term.type !== 'variable') return values.equal(term, fact.terms[i]);
    if (!result.has(term.name)) result.set(term.name, fact.terms[i]);
    return values.equal(result.get(term.name), fact.terms[i]);
  });
  return same ? result : undefined;
}

const isTrue = (value) => truth(value).value;
const truth = (value) => (value.type === 'bool' ? value : refuse('evaluation', `${value.type} where a bool belongs`));

// evaluate goes up from the leftmost operand in a loop, as deep as that may be.
function evaluate(node, bound, budget) {
  const { leaf, spine } = leftmost(node);
  let value = leaf.op === 'value' ? valueOf(leaf.term, bound) : leaf;
  for (const parent of spine) value = apply(parent, value, bound, budget);
  budget.spend(1 + spine.length);
  return value;
}

function valueOf(term, bound) {
  if (term.type !== 'variable') return term;
  return bound.get(term.name) ?? refuse('evaluation', `$${term.name} is not bound`);
}

// apply computes node from the value of its operand, or of its left one.
function apply({ op, kind, right }, a, bound, budget) {
  if (op === 'unary') return unary(kind, a);
  switch (kind) {
    case '&&':
      return truth(a).value ? evaluate(right.body, bound, budget) : a;
    case '||':
      return truth(a).value ? a : evaluate(right.body, bound, budget);
    case 'try_or':
      return tryOr(a, evaluate(right, bound, budget), bound, budget);
    case 'all':
    case 'any':
      return quantify(kind, a, right, bound, budget);
    default:
      return binary(kind, a, evaluate(right, bound, budget), budget);
  }
}

// tryOr is the value of the closure on its left, or the other if that is an error.
function tryOr({ body }, fallback, bound, budget) {
  try {
    return evaluate(body, bound, budget);
  } catch (error) {
    if (error.code !== 'evaluation') throw error;
    return fallback;
  }
}

// quantify asks a closure of each element, of a map as [key, value], in ascending
// order, up to the first that decides.
function quantify(kind, over, { params: [param], body }, bound, budget) {
  const items = over.items ?? over.entries?.map(values.array) ?? refuse('evaluation', `${kind} of ${over.type}`);
  if (bound.has(param)) refuse('evaluation', `$${param} is in scope already`);
  const decides = kind === 'any';
  const decided = items.some((item) => isTrue(evaluate(body, new Map(bound).set(param, item), budget)) === decides);
  return values.bool(decided === decides);
}
