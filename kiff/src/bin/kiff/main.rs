//! `kiff`, the command line: starts a project, explains a domain, and reads and proves journals.

mod arguments;
mod check;
mod failure;
mod fmt;
mod journal;
#[cfg(any(feature = "http", feature = "proof"))]
mod keys;
mod made;
mod new;
mod scaffold;
#[cfg(feature = "http")]
mod serve;
mod shell;
mod words;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use shell::Shell;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let shell = Shell::new(arguments.json);
    match arguments.run(&shell) {
        Ok(ended) => ended.code(),
        Err(failure) => shell.fail(&failure),
    }
}
