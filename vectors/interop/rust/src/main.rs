//! An oracle for interoperability tests: reads one JSON request a line, writes
//! one JSON answer a line, until its input ends. Requests are described in
//! `request.rs`; a failed one answers `{"error": ".."}` and the process lives on.
//!
//! The reference implementation prints to standard output in one place, so a
//! reader must pass over lines that do not begin with `{`.

mod authorize;
mod failure;
mod request;
mod source;
mod token;
mod world;

use std::io::{self, BufRead, Write};
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use serde_json::{json, Value};

use failure::Failure;
use request::Request;

/// The reference parses and evaluates recursively; a stack overflow could not
/// be turned into an answer.
const STACK_BYTES: usize = 512 << 20;

fn main() -> io::Result<()> {
    panic::set_hook(Box::new(|_| {}));
    thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(serve)?
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the serving thread panicked")))
}

fn serve() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let reply = answer(&line).unwrap_or_else(|e| json!({ "error": e.to_string() }));
        let mut output = io::stdout().lock();
        writeln!(output, "{reply}")?;
        output.flush()?;
    }
}

fn answer(line: &[u8]) -> Result<Value, Failure> {
    let request: Request = serde_json::from_slice(line)?;
    panic::catch_unwind(AssertUnwindSafe(|| dispatch(request)))
        .unwrap_or_else(|cause| Err(Failure::panic(&cause)))
}

fn dispatch(request: Request) -> Result<Value, Failure> {
    match request {
        Request::Version => Ok(json!({ "protocol": 1, "implementation": "biscuit-auth 6.0.0" })),
        Request::PublicKey { private } => token::public_key(&private),
        Request::Generate(r) => token::generate(r),
        Request::Append(r) => token::append(r),
        Request::Seal { token, root_public } => token::seal(&token, &root_public),
        Request::ThirdPartyRequest { token } => token::third_party_request(&token),
        Request::ThirdPartyBlock(r) => token::third_party_block(r),
        Request::AppendThirdParty(r) => token::append_third_party(r),
        Request::Inspect { token } => token::inspect(&token),
        Request::Authorize(r) => authorize::authorize(r),
        Request::Snapshot(r) => authorize::snapshot(r),
        Request::LoadSnapshot {
            snapshot,
            max_time_ms,
        } => authorize::load_snapshot(&snapshot, max_time_ms),
        Request::BuilderSnapshot { authorizer } => authorize::builder_snapshot(&authorizer),
        Request::LoadBuilderSnapshot { snapshot } => authorize::load_builder_snapshot(&snapshot),
        Request::SavePolicies { authorizer } => authorize::save_policies(&authorizer),
        Request::LoadPolicies { policies } => authorize::load_policies(&policies),
        Request::Parse { code, kind } => source::parse(&code, kind),
    }
}
