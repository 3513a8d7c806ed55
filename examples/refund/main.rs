//! Runs agent tool calls through the gate: `cargo run --example refund -- examples/refund/proposals.jsonl`.

pub mod counter;
pub mod domain;
pub mod lines;
pub mod report;
pub mod reviewer;
pub mod tool_call;

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;

use counter::Counter;
use domain::Refund;
use kiff::{Dialect, Store};
use lines::Lines;

const USAGE: &str = "give one file of tool calls, one JSON object a line, or `-` for the standard input:
  cargo run --example refund -- examples/refund/proposals.jsonl
keep the journal in a file and go on with it the next time:
  cargo run --example refund -- --data refunds.db examples/refund/proposals.jsonl
or ask for the tools that an agent is given:
  cargo run --example refund -- --tools openai|openai-responses|anthropic|mcp";

/// How long a line may be, in bytes.
const LINE: usize = 64 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (given, done) = match arguments.as_slice() {
        [flag, dialect] if flag == "--tools" => (dialect, print_tools(dialect)),
        [flag, data, path] if flag == "--data" => (path, pollster::block_on(run_on_file(data.as_ref(), path))),
        [path] if path != "--tools" => (path, pollster::block_on(run(path))),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if report::reader_is_gone(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", kiff::visible(&given.to_string_lossy()));
            ExitCode::FAILURE
        }
    }
}

fn print_tools(dialect: &OsStr) -> Result<(), Box<dyn Error>> {
    let dialect: Dialect = dialect.to_string_lossy().parse()?;
    let tools = kiff::tools::<Refund>(dialect)?.with_entity("order_id")?;
    writeln!(anstream::stdout().lock(), "{tools}")?;
    Ok(())
}

async fn run(path: &OsStr) -> Result<(), Box<dyn Error>> {
    let input = input(path)?;
    let mut out = anstream::stdout().lock();
    Box::pin(serve(input, Counter::open(&mut out).await?)).await
}

async fn run_on_file(data: &Path, path: &OsStr) -> Result<(), Box<dyn Error>> {
    let input = input(path)?;
    let mut out = anstream::stdout().lock();
    Box::pin(serve(input, Counter::open_file(data, &mut out).await?)).await
}

fn input(path: &OsStr) -> io::Result<Box<dyn BufRead>> {
    Ok(if path == "-" { Box::new(io::stdin().lock()) } else { Box::new(BufReader::new(File::open(path)?)) })
}

async fn serve<S: Store>(input: Box<dyn BufRead>, mut counter: Counter<'_, S>) -> Result<(), Box<dyn Error>> {
    let mut lines = Lines::new(input, LINE);
    while let Some(line) = lines.next_line()? {
        counter.line(line).await?;
    }
    counter.close().await
}
