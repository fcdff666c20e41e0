//! biscuit-auth, the reference implementation of Biscuit.

use std::hint::black_box;
use std::time::Duration;

use biscuit_auth::builder::{AuthorizerBuilder, BiscuitBuilder, BlockBuilder};
use biscuit_auth::{AuthorizerLimits, Biscuit, KeyPair, PublicKey, UnverifiedBiscuit};

use crate::clock::time;

/// What `mint` and `attenuate` write: blocks like those of the token that is read.
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

/// What is measured: a token, and what a service brings.
#[derive(Default)]
pub struct Subject {
    token: Option<(Vec<u8>, PublicKey, Biscuit)>,
    authorizer: Option<(String, AuthorizerBuilder)>,
}

impl Subject {
    pub fn set_token(&mut self, bytes: Vec<u8>, root: &str) -> Result<(), String> {
        let root: PublicKey = root.parse().map_err(debug)?;
        let token = Biscuit::from(&bytes, root).map_err(debug)?;
        self.token = Some((bytes, root, token));
        Ok(())
    }

    pub fn set_authorizer(&mut self, source: String) -> Result<(), String> {
        let builder = parse(&source)?;
        self.authorizer = Some((source, builder));
        Ok(())
    }

    /// Times one operation; None where there is none of the name.
    pub fn run(&self, op: &str, times: usize) -> Option<Result<String, String>> {
        match op {
            "parse" | "verify" | "authorize" | "cold" | "attenuate" => Some(self.read(op, times)),
            "policy" => Some(self.policy(times)),
            "mint" => Some(mint(times)),
            _ => None,
        }
    }

    fn read(&self, op: &str, times: usize) -> Result<String, String> {
        let (bytes, root, token) = self.token.as_ref().ok_or("no token")?;
        let builder = || match &self.authorizer {
            Some((_, builder)) => Ok(builder.clone()),
            None => Err("no authorizer".to_string()),
        };
        match op {
            "parse" => time(times, || {
                UnverifiedBiscuit::from(bytes)
                    .map(|t| drop(black_box(t)))
                    .map_err(debug)
            }),
            "verify" => time(times, || {
                Biscuit::from(bytes, *root)
                    .map(|t| drop(black_box(t)))
                    .map_err(debug)
            }),
            "authorize" => time(times, || decide(token, builder()?)),
            "attenuate" => {
                let block = BlockBuilder::new().code(BLOCK).map_err(debug)?;
                time(times, || {
                    token
                        .append(block.clone())
                        .map(|t| drop(black_box(t)))
                        .map_err(debug)
                })
            }
            _ => time(times, || {
                decide(&Biscuit::from(bytes, *root).map_err(debug)?, builder()?)
            }),
        }
    }

    fn policy(&self, times: usize) -> Result<String, String> {
        let (source, _) = self.authorizer.as_ref().ok_or("no authorizer")?;
        time(times, || parse(source).map(|b| drop(black_box(b))))
    }
}

fn mint(times: usize) -> Result<String, String> {
    let root = KeyPair::new();
    let builder = BiscuitBuilder::new().code(AUTHORITY).map_err(debug)?;
    time(times, || {
        builder
            .clone()
            .build(&root)
            .map(|t| drop(black_box(t)))
            .map_err(debug)
    })
}

fn parse(source: &str) -> Result<AuthorizerBuilder, String> {
    let builder = AuthorizerBuilder::new().code(source).map_err(debug)?;
    Ok(builder.set_limits(limits()))
}

/// Joins token and authorizer, and decides. Anything but the first policy is an error,
/// so that no refusal is ever timed.
fn decide(token: &Biscuit, builder: AuthorizerBuilder) -> Result<(), String> {
    let mut authorizer = builder.build(token).map_err(debug)?;
    match authorizer.authorize_with_limits(limits()).map_err(debug)? {
        0 => Ok(()),
        n => Err(format!("policy {n} decided")),
    }
}

/// The reference stops after a millisecond of wall time, a thousand facts or a hundred
/// rounds unless told otherwise.
fn limits() -> AuthorizerLimits {
    AuthorizerLimits {
        max_facts: 10_000_000,
        max_iterations: 1_000_000,
        max_time: Duration::from_secs(600),
    }
}

fn debug(e: impl std::fmt::Debug) -> String {
    format!("{e:?}")
}
