//! tenuo: chains of signed warrants, with a proof of possession for each call.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use tenuo::constraints::{Constraint, ConstraintSet, ConstraintValue, Exact, Pattern};
use tenuo::crypto::SigningKey;
use tenuo::planes::Authorizer;
use tenuo::warrant::Warrant;
use tenuo::wire::{decode_stack, encode_stack, WarrantStack};

use crate::clock::time;

const TOOL: &str = "rotate";
const ARGUMENT: &str = "resource";
const RESOURCE: &str = "payments/certs/api";
const TTL: Duration = Duration::from_secs(3600);

/// A chain of warrants in the hands of its last holder.
pub struct Chain {
    keys: Vec<SigningKey>, // the root's, then each holder's
    warrants: Vec<Warrant>,
    bytes: Vec<u8>,
}

impl Chain {
    /// A chain of so many warrants, narrowed by the second and the third.
    pub fn new(warrants: usize) -> Result<Chain, String> {
        let keys: Vec<SigningKey> = (0..=warrants).map(|_| SigningKey::generate()).collect();
        let mut chain = vec![issue(&keys[0], &keys[1])?];
        for i in 1..warrants {
            chain.push(delegate(&chain[i - 1], i, &keys[i], &keys[i + 1])?);
        }
        let bytes = encode_stack(&WarrantStack::new(chain.clone())).map_err(debug)?;
        Ok(Chain {
            keys,
            warrants: chain,
            bytes,
        })
    }

    /// The bytes of the stack that the holder has.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Times one operation; None where there is none of the name.
    pub fn run(&self, op: &str, times: usize) -> Option<Result<String, String>> {
        let (leaf, last) = (self.warrants.last()?, self.keys.last()?);
        let arguments = HashMap::from([(
            ARGUMENT.to_string(),
            ConstraintValue::String(RESOURCE.to_string()),
        )]);
        Some(match op {
            "verify_chain" => self.verify(leaf, last, &arguments, times),
            "issue" => time(times, || {
                issue(&self.keys[0], &self.keys[1]).map(|w| drop(black_box(w)))
            }),
            "delegate" => time(times, || {
                delegate(&self.warrants[0], 1, &self.keys[1], &self.keys[0])
                    .map(|w| drop(black_box(w)))
            }),
            "prove" => time(times, || {
                leaf.sign(last, TOOL, &arguments)
                    .map(|s| drop(black_box(s)))
                    .map_err(debug)
            }),
            _ => return None,
        })
    }

    /// What a service does that has never seen the chain: decodes it, and checks it with
    /// the proof. The proof is made anew before, for it soon expires.
    fn verify(
        &self,
        leaf: &Warrant,
        last: &SigningKey,
        arguments: &HashMap<String, ConstraintValue>,
        times: usize,
    ) -> Result<String, String> {
        let authorizer = Authorizer::new().with_trusted_root(self.keys[0].public_key());
        let proof = leaf.sign(last, TOOL, arguments).map_err(debug)?;
        time(times, || {
            let stack = decode_stack(&self.bytes).map_err(debug)?;
            authorizer
                .check_chain(&stack.0, TOOL, arguments, Some(&proof), &[])
                .map(|r| drop(black_box(r)))
                .map_err(debug)
        })
    }
}

fn issue(root: &SigningKey, holder: &SigningKey) -> Result<Warrant, String> {
    Warrant::builder()
        .capability(TOOL, within(Pattern::new("payments/*").map_err(debug)?))
        .ttl(TTL)
        .holder(holder.public_key())
        .build(root)
        .map_err(debug)
}

fn delegate(
    parent: &Warrant,
    depth: usize,
    holder: &SigningKey,
    next: &SigningKey,
) -> Result<Warrant, String> {
    let constraints = match depth {
        1 => within(Pattern::new("payments/certs/*").map_err(debug)?),
        _ => within(Exact::new(RESOURCE)),
    };
    parent
        .attenuate()
        .capability(TOOL, constraints)
        .holder(next.public_key())
        .build(holder)
        .map_err(debug)
}

fn within(constraint: impl Into<Constraint>) -> ConstraintSet {
    ConstraintSet::from_iter(vec![(ARGUMENT.to_string(), constraint.into())])
}

fn debug(e: impl std::fmt::Debug) -> String {
    format!("{e:?}")
}
