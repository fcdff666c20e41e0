//! Decisions, and the saved forms of an authorizer.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use biscuit_auth::builder::{AuthorizerBuilder, Term};
use biscuit_auth::datalog::ExternFunc;
use biscuit_auth::error::{self, RunLimit};
use biscuit_auth::format::schema;
use biscuit_auth::{Authorizer, AuthorizerLimits, Biscuit, PublicKey};
use prost::Message;
use serde_json::{json, Value};

use crate::failure::Failure;
use crate::request::Authorize;
use crate::source;
use crate::token::hex_list;
use crate::world::{world, World};

/// The reference measures wall time; on a busy machine a decision may be tried
/// this often.
const ATTEMPTS: usize = 5;

pub fn authorize(r: Authorize) -> Result<Value, Failure> {
    let root = PublicKey::from_str(&r.root_public)?;
    let builder = prepared(&r.authorizer, r.max_time_ms)?;
    let token = match Biscuit::from(hex::decode(&r.token)?, root) {
        Ok(token) => token,
        Err(e) => return Ok(refused(e, Vec::new(), Vec::new())),
    };
    let revocation_ids = hex_list(token.revocation_identifiers());
    let blocks = (0..token.block_count())
        .map(|i| token.print_block_source(i))
        .collect::<Result<Vec<_>, _>>()?;
    match decide(&builder, &token, r.max_time_ms) {
        Err(e) => Ok(refused(e, blocks, revocation_ids)),
        Ok((authorizer, result)) => Ok(json!({
            "result": result,
            "world": world(&authorizer)?,
            "authorizer_code": builder.dump_code(),
            "blocks": blocks,
            "revocation_ids": revocation_ids,
        })),
    }
}

pub fn snapshot(r: Authorize) -> Result<Value, Failure> {
    let root = PublicKey::from_str(&r.root_public)?;
    let token = Biscuit::from(hex::decode(&r.token)?, root)?;
    let builder = prepared(&r.authorizer, r.max_time_ms)?;
    let (authorizer, result) = decide(&builder, &token, r.max_time_ms)?;
    Ok(json!({ "snapshot": hex::encode(authorizer.to_raw_snapshot()?), "result": result }))
}

pub fn load_snapshot(snapshot: &str, max_time_ms: u64) -> Result<Value, Failure> {
    let mut message = schema::AuthorizerSnapshot::decode(&hex::decode(snapshot)?[..])?;
    message.limits.max_time = Duration::from_millis(max_time_ms).as_nanos() as u64;
    let mut authorizer = Authorizer::from_snapshot(message)?;
    let result = authorizer.authorize_with_limits(limits(max_time_ms));
    Ok(json!({ "result": result, "world": world(&authorizer)? }))
}

pub fn builder_snapshot(code: &str) -> Result<Value, Failure> {
    let snapshot = source::authorizer(code)?.to_raw_snapshot()?;
    Ok(json!({ "snapshot": hex::encode(snapshot) }))
}

pub fn load_builder_snapshot(snapshot: &str) -> Result<Value, Failure> {
    let builder = AuthorizerBuilder::from_raw_snapshot(&hex::decode(snapshot)?)?;
    Ok(json!({ "code": builder.dump_code() }))
}

pub fn save_policies(code: &str) -> Result<Value, Failure> {
    let policies = source::authorizer(code)?
        .build_unauthenticated()?
        .save()?
        .serialize()?;
    Ok(json!({ "policies": hex::encode(policies) }))
}

pub fn load_policies(policies: &str) -> Result<Value, Failure> {
    let policies = Authorizer::from(&hex::decode(policies)?)?.save()?;
    let mut code = String::new();
    for statement in (policies.facts.iter().map(|x| x.to_string()))
        .chain(policies.rules.iter().map(|x| x.to_string()))
        .chain(policies.checks.iter().map(|x| x.to_string()))
        .chain(policies.policies.iter().map(|x| x.to_string()))
    {
        code.push_str(&statement);
        code.push_str(";\n");
    }
    Ok(json!({ "code": code }))
}

fn refused(e: error::Token, blocks: Vec<String>, revocation_ids: Vec<String>) -> Value {
    let result: Result<usize, error::Token> = Err(e);
    json!({
        "result": result,
        "world": None::<World>,
        "authorizer_code": "",
        "blocks": blocks,
        "revocation_ids": revocation_ids,
    })
}

type Decision = Result<usize, error::Token>;

fn decide(
    builder: &AuthorizerBuilder,
    token: &Biscuit,
    max_time_ms: u64,
) -> Result<(Authorizer, Decision), error::Token> {
    let timeout = Err(error::Token::RunLimit(RunLimit::Timeout));
    let mut attempt = 1;
    loop {
        let mut authorizer = builder.clone().build(token)?;
        let result = authorizer.authorize_with_limits(limits(max_time_ms));
        if result != timeout || attempt == ATTEMPTS {
            return Ok((authorizer, result));
        }
        attempt += 1;
    }
}

fn prepared(code: &str, max_time_ms: u64) -> Result<AuthorizerBuilder, Failure> {
    Ok(source::authorizer(code)?
        .set_limits(limits(max_time_ms))
        .set_extern_funcs(HashMap::from([("test".to_string(), extern_test())])))
}

fn limits(max_time_ms: u64) -> AuthorizerLimits {
    AuthorizerLimits {
        max_time: Duration::from_millis(max_time_ms),
        ..Default::default()
    }
}

/// The function that conformance sample 35 calls: with one argument it returns
/// it, with two strings it says whether they are equal.
fn extern_test() -> ExternFunc {
    ExternFunc::new(Arc::new(|left, right| match (left, right) {
        (value, None) => Ok(value),
        (Term::Str(a), Some(Term::Str(b))) => {
            let verdict = if a == b { "equal" } else { "different" };
            Ok(Term::Str(format!("{verdict} strings")))
        }
        _ => Err("unsupported operands".to_string()),
    }))
}
