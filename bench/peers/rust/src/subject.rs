//! The token that is measured, and what is done to it.

use std::time::Duration;

use biscuit_auth::builder::{Algorithm, AuthorizerBuilder, BiscuitBuilder, BlockBuilder};
use biscuit_auth::datalog::SymbolTable;
use biscuit_auth::{
    error, AuthorizerLimits, Biscuit, KeyPair, PrivateKey, PublicKey, UnverifiedBiscuit,
};

/// Three rights and a time check; a resource and a time check in each block
/// after it.
const AUTHORITY: &str = r#"
    right("file1", "read");
    right("file2", "read");
    right("file1", "write");
    check if time($t), $t < 2030-01-01T00:00:00Z;
"#;
const BLOCK: &str = r#"
    check if resource("file1");
    check if time($t), $t < 2030-01-01T00:00:00Z;
"#;

/// The request, and one policy over the rights.
pub const AUTHORIZER: &str = r#"time(2026-06-01T00:00:00Z); resource("file1"); operation("read"); allow if resource($r), operation($o), right($r, $o);"#;

pub struct Subject {
    pub bytes: Vec<u8>,
    pub root: PublicKey,
    /// The token, verified.
    pub token: Biscuit,
    /// The authorizer, parsed.
    pub builder: AuthorizerBuilder,
}

impl Subject {
    /// A token of so many blocks, the same one each time: its keys are fixed.
    pub fn new(blocks: usize) -> Result<Subject, error::Token> {
        let root = key(0)?;
        let mut token = BiscuitBuilder::new().code(AUTHORITY)?.build_with_key_pair(
            &root,
            SymbolTable::default(),
            &key(1)?,
        )?;
        for i in 1..blocks {
            token = token.append_with_keypair(&key(i + 1)?, BlockBuilder::new().code(BLOCK)?)?;
        }
        let bytes = token.to_vec()?;
        Ok(Subject {
            // As a service holds it: read from bytes.
            token: Biscuit::from(&bytes, root.public())?,
            bytes,
            root: root.public(),
            builder: Subject::policy()?,
        })
    }

    /// Reads the bytes, without any signature.
    pub fn parse(&self) -> Result<UnverifiedBiscuit, error::Token> {
        UnverifiedBiscuit::from(&self.bytes)
    }

    /// Reads the bytes and checks all signatures.
    pub fn verify(&self) -> Result<Biscuit, error::Token> {
        Biscuit::from(&self.bytes, self.root)
    }

    /// Parses the authorizer's source.
    pub fn policy() -> Result<AuthorizerBuilder, error::Token> {
        Ok(AuthorizerBuilder::new()
            .code(AUTHORIZER)?
            .set_limits(limits()))
    }

    /// Joins token and authorizer, and decides. Anything but the first policy
    /// is an error, so that no refusal is ever timed.
    pub fn authorize(
        &self,
        token: &Biscuit,
        builder: AuthorizerBuilder,
    ) -> Result<(), error::Token> {
        match builder.build(token)?.authorize_with_limits(limits())? {
            0 => Ok(()),
            _ => Err(error::Token::InternalError),
        }
    }
}

/// The reference stops after a millisecond of wall time unless told otherwise.
fn limits() -> AuthorizerLimits {
    AuthorizerLimits {
        max_time: Duration::from_secs(60),
        ..Default::default()
    }
}

fn key(i: usize) -> Result<KeyPair, error::Token> {
    let mut seed = [0x42; 32];
    seed[0] = i as u8;
    Ok(KeyPair::from(&PrivateKey::from_bytes(
        &seed,
        Algorithm::Ed25519,
    )?))
}
