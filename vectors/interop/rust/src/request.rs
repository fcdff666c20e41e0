//! The requests. Bytes travel as hexadecimal; keys as `ed25519/..` and
//! `secp256r1/..`, private ones as `ed25519-private/..` and `secp256r1-private/..`.

use serde::Deserialize;

#[derive(Deserialize)]
#[allow(clippy::enum_variant_names)] // a third-party request is what Biscuit calls it
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// `{"protocol", "implementation"}`
    Version,
    /// The public half of a private key: `{"public"}`
    PublicKey { private: String },
    /// A new token: `{"token", "revocation_ids"}`
    Generate(Generate),
    /// A verified token with one more first-party block, answered as by generate.
    Append(Append),
    /// A verified token, sealed, answered as by generate.
    Seal { token: String, root_public: String },
    /// `{"request"}`
    ThirdPartyRequest { token: String },
    /// The answer to a request for a third-party block: `{"contents"}`
    ThirdPartyBlock(ThirdPartyBlock),
    /// A token with a third-party block, verified afterwards, answered as by generate.
    AppendThirdParty(AppendThirdParty),
    /// What a token says, nothing verified:
    /// `{"root_key_id", "sealed", "blocks": [{"code", "version", "context", "external_key",
    /// "symbols", "public_keys"}], "revocation_ids"}`
    Inspect { token: String },
    /// A decision: `{"result": {"Ok": n} | {"Err": ..}, "world", "authorizer_code", "blocks",
    /// "revocation_ids"}`. A token that is refused is a result; a text that does not parse is an error.
    Authorize(Authorize),
    /// The authorizer after it has run: `{"snapshot", "result"}`
    Snapshot(Authorize),
    /// A decision from a snapshot, answered as by authorize.
    LoadSnapshot {
        snapshot: String,
        #[serde(default = "ten_seconds")]
        max_time_ms: u64,
    },
    /// An authorizer that has seen no token: `{"snapshot"}`
    BuilderSnapshot { authorizer: String },
    /// Its source again: `{"code"}`
    LoadBuilderSnapshot { snapshot: String },
    /// The AuthorizerPolicies message: `{"policies"}`
    SavePolicies { authorizer: String },
    /// Its source again: `{"code"}`
    LoadPolicies { policies: String },
    /// `{"code"}`, printed by the reference, and `{"scopes"}`, which its text parser drops.
    Parse { code: String, kind: Kind },
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Block,
    Authorizer,
}

/// Which key signs the block after this one: a given one, or a fresh one of an
/// algorithm, Ed25519 unless named.
#[derive(Deserialize, Default)]
pub struct NextKey {
    #[serde(default)]
    pub next_alg: Option<String>,
    #[serde(default)]
    pub next_private: Option<String>,
}

#[derive(Deserialize)]
pub struct Generate {
    pub root_private: String,
    pub authority: String,
    #[serde(default)]
    pub root_key_id: Option<u32>,
    #[serde(default)]
    pub context: Option<String>,
    #[serde(default)]
    pub authority_next_alg: Option<String>,
    #[serde(default)]
    pub authority_next_private: Option<String>,
    #[serde(default)]
    pub blocks: Vec<Block>,
    #[serde(default)]
    pub seal: bool,
}

#[derive(Deserialize)]
pub struct Block {
    pub code: String,
    #[serde(default)]
    pub context: Option<String>,
    #[serde(flatten)]
    pub next: NextKey,
    #[serde(default)]
    pub third_party_private: Option<String>,
}

#[derive(Deserialize)]
pub struct Append {
    pub token: String,
    pub root_public: String,
    pub code: String,
    #[serde(default)]
    pub context: Option<String>,
    #[serde(flatten)]
    pub next: NextKey,
}

#[derive(Deserialize)]
pub struct ThirdPartyBlock {
    pub request: String,
    pub private: String,
    pub code: String,
    #[serde(default)]
    pub context: Option<String>,
}

#[derive(Deserialize)]
pub struct AppendThirdParty {
    pub token: String,
    pub root_public: String,
    pub contents: String,
    #[serde(flatten)]
    pub next: NextKey,
}

#[derive(Deserialize)]
pub struct Authorize {
    pub token: String,
    pub root_public: String,
    pub authorizer: String,
    #[serde(default = "ten_seconds")]
    pub max_time_ms: u64,
}

fn ten_seconds() -> u64 {
    10_000
}
