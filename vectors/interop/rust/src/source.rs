//! From Datalog text to builders. The reference's builders drop a `trusting`
//! clause that stands first in a block, and its authorizers refuse one; here it
//! is read apart and handed over, so that block scopes can be tested.

use biscuit_auth::builder::{AuthorizerBuilder, BiscuitBuilder, BlockBuilder, Scope};
use biscuit_auth::parser::parse_block_source;
use serde_json::{json, Value};

use crate::failure::Failure;
use crate::request::Kind;

pub fn authority(
    code: &str,
    context: Option<String>,
    root_key_id: Option<u32>,
) -> Result<BiscuitBuilder, Failure> {
    let (scopes, rest) = split_scopes(code)?;
    let mut builder = BiscuitBuilder::new().code(rest)?;
    for scope in scopes {
        builder = builder.scope(scope);
    }
    if let Some(context) = context {
        builder = builder.context(context);
    }
    if let Some(id) = root_key_id {
        builder = builder.root_key_id(id);
    }
    Ok(builder)
}

pub fn block(code: &str, context: Option<String>) -> Result<BlockBuilder, Failure> {
    let (scopes, rest) = split_scopes(code)?;
    let mut builder = BlockBuilder::new().code(rest)?;
    for scope in scopes {
        builder = builder.scope(scope);
    }
    if let Some(context) = context {
        builder = builder.context(context);
    }
    Ok(builder)
}

pub fn authorizer(code: &str) -> Result<AuthorizerBuilder, Failure> {
    let (scopes, rest) = split_scopes(code)?;
    let mut builder = AuthorizerBuilder::new().code(rest)?;
    for scope in scopes {
        builder = builder.scope(scope);
    }
    Ok(builder)
}

pub fn parse(code: &str, kind: Kind) -> Result<Value, Failure> {
    let (scopes, rest) = split_scopes(code)?;
    let printed = match kind {
        Kind::Block => BlockBuilder::new().code(rest)?.to_string(),
        Kind::Authorizer => AuthorizerBuilder::new().code(rest)?.to_string(),
    };
    let scopes: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    Ok(json!({ "code": printed, "scopes": scopes }))
}

/// The scopes of a leading `trusting ..;` and the text after it.
fn split_scopes(code: &str) -> Result<(Vec<Scope>, &str), Failure> {
    let text = code.trim();
    if !text.starts_with("trusting") {
        return Ok((Vec::new(), text));
    }
    let end = text.find(';').map_or(text.len(), |i| i + 1);
    let parsed = parse_block_source(&text[..end])
        .map_err(|e| Failure::new(format!("invalid block scopes: {e:?}")))?;
    let scopes = parsed.scopes.into_iter().map(Scope::from).collect();
    Ok((scopes, text[end..].trim_start()))
}
