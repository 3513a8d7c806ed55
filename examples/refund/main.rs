//! Runs agent tool calls through the gate: `cargo run --example refund -- examples/refund/proposals.jsonl`.

pub mod counter;
pub mod domain;
pub mod lines;
pub mod report;
pub mod reviewer;
pub mod tool_call;

use std::error::Error;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::process::ExitCode;

use counter::Counter;
use lines::Lines;

const USAGE: &str = "give one file of tool calls, one JSON object a line, or `-` for the standard input:
  cargo run --example refund -- examples/refund/proposals.jsonl";

/// How long a line may be, in bytes.
const LINE: usize = 64 * 1024;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match pollster::block_on(run(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if report::reader_is_gone(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", report::visible(&path.to_string_lossy()));
            ExitCode::FAILURE
        }
    }
}

async fn run(path: &OsStr) -> Result<(), Box<dyn Error>> {
    let input: Box<dyn BufRead> =
        if path == "-" { Box::new(io::stdin().lock()) } else { Box::new(BufReader::new(File::open(path)?)) };
    let mut lines = Lines::new(input, LINE);
    let mut out = anstream::stdout().lock();
    let mut counter = Counter::open(&mut out).await?;
    while let Some(line) = lines.next_line()? {
        counter.line(line).await?;
    }
    counter.close().await
}
