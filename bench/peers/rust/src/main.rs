//! Times biscuit-auth in this process. Reads one command a line and answers
//! with one line each, so that a driver can interleave several peers:
//!
//!   OP BLOCKS ITERATIONS   the total time of ITERATIONS runs, in nanoseconds
//!   token BLOCKS           the token in hexadecimal, a space, the root public key
//!   authorizer             the authorizer's source, in one line
//!
//! A command that makes no sense is answered with `error: ..`.

mod subject;

use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use biscuit_auth::error;

use subject::{Subject, AUTHORIZER};

/// A driver that asks for more has miscounted.
const MAX_BLOCKS: usize = 100;

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?).unwrap_or_else(|e| format!("error: {e}"));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<String, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["authorizer"] => Ok(AUTHORIZER.to_string()),
        ["token", blocks] => {
            let s = subject(blocks)?;
            Ok(format!("{} {}", hex::encode(&s.bytes), s.root.print()))
        }
        [op, blocks, iterations] => {
            let iterations = number(iterations)?;
            time(op, &subject(blocks)?, iterations).map(|ns| ns.to_string())
        }
        _ => Err("want OP BLOCKS ITERATIONS, token BLOCKS or authorizer".to_string()),
    }
}

fn number(word: &str) -> Result<usize, String> {
    word.parse().map_err(|e| format!("{word}: {e}"))
}

fn subject(blocks: &str) -> Result<Subject, String> {
    match number(blocks)? {
        n @ 1..=MAX_BLOCKS => Subject::new(n).map_err(|e| format!("{e:?}")),
        _ => Err(format!("a token has 1 to {MAX_BLOCKS} blocks here")),
    }
}

/// Runs an operation once to see that it works, then as often as asked.
fn time(op: &str, subject: &Subject, iterations: usize) -> Result<u128, String> {
    let run: fn(&Subject) -> Result<(), error::Token> = match op {
        "parse" => |s| s.parse().map(|t| drop(black_box(t))),
        "verify" => |s| s.verify().map(|t| drop(black_box(t))),
        "policy" => |_| Subject::policy().map(|p| drop(black_box(p))),
        "authorize" => |s| s.authorize(&s.token, s.builder.clone()),
        "authorize_text" => |s| s.authorize(&s.token, Subject::policy()?),
        "cold" => |s| s.authorize(&s.verify()?, s.builder.clone()),
        "cold_text" => |s| s.authorize(&s.verify()?, Subject::policy()?),
        _ => return Err(format!("no operation {op}")),
    };
    run(subject).map_err(|e| format!("{op}: {e:?}"))?;
    let start = Instant::now();
    for _ in 0..iterations {
        run(black_box(subject)).map_err(|e| format!("{op}: {e:?}"))?;
    }
    Ok(start.elapsed().as_nanos())
}
