//! Times biscuit-auth and tenuo in this process. Reads one command a line and answers
//! with one line each, so that a driver can interleave several peers: README.md, in the
//! folder above, has the commands. One that makes no sense is answered with `error: ..`.

mod biscuit;
mod clock;
mod warrants;

use std::io::{self, BufRead, Write};

/// A driver that asks for more has miscounted.
const MAX_WARRANTS: usize = 60;

#[derive(Default)]
struct Driver {
    biscuit: biscuit::Subject,
    chain: Option<warrants::Chain>,
}

fn main() -> io::Result<()> {
    let mut driver = Driver::default();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = driver
            .answer(&line?)
            .unwrap_or_else(|e| format!("error: {}", e.replace('\n', " ")));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

impl Driver {
    fn answer(&mut self, line: &str) -> Result<String, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["versions"] => Ok("biscuit-auth 6.0.0, tenuo 0.3.5".to_string()),
            ["token", bytes, root] => self.biscuit.set_token(decode(bytes)?, root).map(ok),
            ["authorizer", source] => {
                let source = String::from_utf8(decode(source)?).map_err(|e| e.to_string())?;
                self.biscuit.set_authorizer(source).map(ok)
            }
            ["chain", warrants] => match number(warrants)? {
                n @ 1..=MAX_WARRANTS => {
                    let chain = self.chain.insert(warrants::Chain::new(n)?);
                    Ok(chain.size().to_string())
                }
                _ => Err(format!("a chain has 1 to {MAX_WARRANTS} warrants here")),
            },
            [op, times] => self.time(op, number(times)?),
            _ => Err("no such command".to_string()),
        }
    }

    fn time(&self, op: &str, times: usize) -> Result<String, String> {
        if let Some(answer) = self.biscuit.run(op, times) {
            return answer;
        }
        let chain = self.chain.as_ref().ok_or("no chain, or no such operation")?;
        chain
            .run(op, times)
            .unwrap_or_else(|| Err(format!("no operation {op}")))
    }
}

fn ok(_: ()) -> String {
    "ok".to_string()
}

fn number(word: &str) -> Result<usize, String> {
    word.parse().map_err(|e| format!("{word}: {e}"))
}

fn decode(word: &str) -> Result<Vec<u8>, String> {
    hex::decode(word).map_err(|e| e.to_string())
}
