//! Making, growing and reading tokens.

use std::str::FromStr;

use biscuit_auth::builder::Algorithm;
use biscuit_auth::datalog::SymbolTable;
use biscuit_auth::format::convert::proto_block_to_token_block;
use biscuit_auth::format::schema;
use biscuit_auth::{Biscuit, KeyPair, PrivateKey, PublicKey, ThirdPartyRequest, UnverifiedBiscuit};
use prost::Message;
use serde_json::{json, Value};

use crate::failure::Failure;
use crate::request::{Append, AppendThirdParty, Generate, NextKey, ThirdPartyBlock};
use crate::source;

pub fn public_key(private: &str) -> Result<Value, Failure> {
    let key = PrivateKey::from_str(private)?;
    Ok(json!({ "public": key.public().print() }))
}

pub fn generate(r: Generate) -> Result<Value, Failure> {
    let root = KeyPair::from(&PrivateKey::from_str(&r.root_private)?);
    let next = next_key(&NextKey {
        next_alg: r.authority_next_alg,
        next_private: r.authority_next_private,
    })?;
    let mut token = source::authority(&r.authority, r.context, r.root_key_id)?
        .build_with_key_pair(&root, SymbolTable::default(), &next)?;
    for block in r.blocks {
        let builder = source::block(&block.code, block.context)?;
        let next = next_key(&block.next)?;
        token = match block.third_party_private {
            None => token.append_with_keypair(&next, builder)?,
            Some(private) => {
                let key = PrivateKey::from_str(&private)?;
                let contents = token.third_party_request()?.create_block(&key, builder)?;
                token.append_third_party_with_keypair(key.public(), contents, next)?
            }
        };
    }
    if r.seal {
        token = token.seal()?;
    }
    written(&token)
}

pub fn append(r: Append) -> Result<Value, Failure> {
    let token = verified(&r.token, &r.root_public)?;
    let builder = source::block(&r.code, r.context)?;
    written(&token.append_with_keypair(&next_key(&r.next)?, builder)?)
}

pub fn seal(token: &str, root_public: &str) -> Result<Value, Failure> {
    written(&verified(token, root_public)?.seal()?)
}

pub fn third_party_request(token: &str) -> Result<Value, Failure> {
    let request = UnverifiedBiscuit::from(hex::decode(token)?)?.third_party_request()?;
    Ok(json!({ "request": hex::encode(request.serialize()?) }))
}

pub fn third_party_block(r: ThirdPartyBlock) -> Result<Value, Failure> {
    let request = ThirdPartyRequest::deserialize(&hex::decode(r.request)?)?;
    let key = PrivateKey::from_str(&r.private)?;
    let contents = request.create_block(&key, source::block(&r.code, r.context)?)?;
    Ok(json!({ "contents": hex::encode(contents.serialize()?) }))
}

pub fn append_third_party(r: AppendThirdParty) -> Result<Value, Failure> {
    // Only the unverified form takes contents as bytes, and it trusts them: hence
    // the verification afterwards.
    let grown = UnverifiedBiscuit::from(hex::decode(r.token)?)?
        .append_third_party_with_keypair(&hex::decode(r.contents)?, next_key(&r.next)?)?;
    let root = PublicKey::from_str(&r.root_public)?;
    written(&Biscuit::from(grown.to_vec()?, root)?)
}

pub fn inspect(token: &str) -> Result<Value, Failure> {
    let data = hex::decode(token)?;
    let token = UnverifiedBiscuit::from(&data)?;
    let container = schema::Biscuit::decode(&data[..])?;
    let external = token.external_public_keys();
    let mut blocks = Vec::new();
    let signed = std::iter::once(&container.authority).chain(&container.blocks);
    for (i, signed) in signed.enumerate() {
        let block = schema::Block::decode(&signed.block[..])?;
        let keys = block
            .public_keys
            .iter()
            .map(|k| PublicKey::from_proto(k).map(|k| k.print()))
            .collect::<Result<Vec<_>, _>>()?;
        blocks.push(json!({
            "code": block_source(&token, i, &block, external.get(i).copied().flatten())?,
            "version": token.block_version(i)?,
            "context": block.context,
            "external_key": external.get(i).and_then(|k| k.map(|k| k.print())),
            "symbols": block.symbols,
            "public_keys": keys,
        }));
    }
    let sealed = matches!(
        container.proof.content,
        Some(schema::proof::Content::FinalSignature(_))
    );
    Ok(json!({
        "root_key_id": token.root_key_id(),
        "sealed": sealed,
        "blocks": blocks,
        "revocation_ids": hex_list(token.revocation_identifiers()),
    }))
}

/// The source of a block. The reference's unverified tokens print keys in
/// third-party blocks by the first-party table; here their own one is used.
fn block_source(
    token: &UnverifiedBiscuit,
    index: usize,
    message: &schema::Block,
    external_key: Option<PublicKey>,
) -> Result<String, Failure> {
    if external_key.is_none() {
        return Ok(token.print_block_source(index)?);
    }
    let block = proto_block_to_token_block(message, external_key)?;
    let symbols = &block.symbols;
    let statements = (block.facts.iter().map(|x| symbols.print_fact(x)))
        .chain(block.rules.iter().map(|x| symbols.print_rule(x)))
        .chain(block.checks.iter().map(|x| symbols.print_check(x)));
    Ok(statements.map(|s| s + ";\n").collect())
}

pub fn hex_list(items: Vec<Vec<u8>>) -> Vec<String> {
    items.iter().map(hex::encode).collect()
}

fn verified(token: &str, root_public: &str) -> Result<Biscuit, Failure> {
    let root = PublicKey::from_str(root_public)?;
    Ok(Biscuit::from(hex::decode(token)?, root)?)
}

fn written(token: &Biscuit) -> Result<Value, Failure> {
    Ok(json!({
        "token": hex::encode(token.to_vec()?),
        "revocation_ids": hex_list(token.revocation_identifiers()),
    }))
}

fn next_key(next: &NextKey) -> Result<KeyPair, Failure> {
    if let Some(private) = &next.next_private {
        return Ok(KeyPair::from(&PrivateKey::from_str(private)?));
    }
    let algorithm = match next.next_alg.as_deref() {
        None | Some("") => Algorithm::Ed25519,
        Some(name) => Algorithm::from_str(name)?,
    };
    Ok(KeyPair::new_with_algorithm(algorithm))
}
