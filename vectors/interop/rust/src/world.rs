//! What an authorizer knows, in the layout of the conformance samples: facts,
//! rules and checks grouped by origin and printed.

use std::collections::{BTreeMap, BTreeSet};

use biscuit_auth::datalog::SymbolTable;
use biscuit_auth::format::convert::{
    proto_check_to_token_check, proto_fact_to_token_fact, proto_rule_to_token_rule,
};
use biscuit_auth::format::schema::{self, origin::Content};
use biscuit_auth::{Authorizer, PublicKey};
use serde::Serialize;

use crate::failure::Failure;

#[derive(Serialize)]
pub struct World {
    facts: Vec<Facts>,
    rules: Vec<Rules>,
    checks: Vec<Checks>,
    policies: Vec<String>,
}

/// Facts that come from one set of blocks; the authorizer is null.
#[derive(Serialize)]
struct Facts {
    origin: BTreeSet<Option<u64>>,
    facts: Vec<String>,
}

/// Rules of one block; the authorizer is u64::MAX.
#[derive(Serialize)]
struct Rules {
    origin: u64,
    rules: Vec<String>,
}

#[derive(Serialize)]
struct Checks {
    origin: u64,
    checks: Vec<String>,
}

pub fn world(authorizer: &Authorizer) -> Result<World, Failure> {
    // Facts are private to the authorizer; its snapshot shows them with origins.
    let policies = (authorizer.dump().3.iter())
        .map(|p| p.to_string())
        .collect();
    let snapshot = authorizer.snapshot()?.world;
    let version = snapshot.version.unwrap_or_default();
    let keys = (snapshot.public_keys.iter())
        .map(PublicKey::from_proto)
        .collect::<Result<Vec<_>, _>>()?;
    let symbols = SymbolTable::from_symbols_and_public_keys(snapshot.symbols, keys)?;

    let mut rules = Vec::new();
    let mut checks = Vec::new();
    let blocks = (snapshot.blocks.iter().enumerate())
        .map(|(i, block)| (i as u64, block))
        .chain([(u64::MAX, &snapshot.authorizer_block)]);
    for (origin, block) in blocks {
        let printed = printed_rules(block, version, &symbols)?;
        if !printed.is_empty() {
            rules.push(Rules {
                origin,
                rules: printed,
            });
        }
        let printed = printed_checks(block, version, &symbols)?;
        if !printed.is_empty() {
            checks.push(Checks {
                origin,
                checks: printed,
            });
        }
    }

    let mut facts: BTreeMap<BTreeSet<Option<u64>>, Vec<String>> = BTreeMap::new();
    for group in &snapshot.generated_facts {
        let mut origin = BTreeSet::new();
        for o in &group.origins {
            origin.insert(match &o.content {
                Some(Content::Authorizer(_)) => None,
                Some(Content::Origin(i)) => Some(u64::from(*i)),
                None => return Err(Failure::new("a fact without an origin")),
            });
        }
        let entry = facts.entry(origin).or_default();
        for fact in &group.facts {
            entry.push(symbols.print_fact(&proto_fact_to_token_fact(fact)?));
        }
    }
    let facts = (facts.into_iter())
        .filter(|(_, facts)| !facts.is_empty())
        .map(|(origin, mut facts)| {
            facts.sort();
            Facts { origin, facts }
        })
        .collect();
    Ok(World {
        facts,
        rules,
        checks,
        policies,
    })
}

fn printed_rules(
    block: &schema::SnapshotBlock,
    version: u32,
    symbols: &SymbolTable,
) -> Result<Vec<String>, Failure> {
    let mut printed = Vec::new();
    for rule in &block.rules {
        printed.push(symbols.print_rule(&proto_rule_to_token_rule(rule, version)?.0));
    }
    printed.sort();
    Ok(printed)
}

fn printed_checks(
    block: &schema::SnapshotBlock,
    version: u32,
    symbols: &SymbolTable,
) -> Result<Vec<String>, Failure> {
    let mut printed = Vec::new();
    for check in &block.checks {
        printed.push(symbols.print_check(&proto_check_to_token_check(check, version)?));
    }
    printed.sort();
    Ok(printed)
}
