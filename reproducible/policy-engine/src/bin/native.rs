//! Requests on stdin, one JSON document a line; answers on stdout, one a line. For comparison with the module.
use pm_policy_engine::Desk;
use std::io::{stdin, stdout, BufRead, Result, Write};

fn main() -> Result<()> {
    let mut desk = Desk::default();
    let mut out = stdout().lock();
    for line in stdin().lock().split(b'\n') {
        writeln!(out, "{}", desk.answer(&line?))?;
    }
    Ok(())
}
