//! Puts kiff between a model and its tools: `cargo run --example llm_bridge -- examples/llm_bridge/openai.jsonl`.
//!
//! Each line that is read is a message of a model, as `OpenAI`'s or Anthropic's API gives it; each line that is written is the
//! message that goes back. A conversation of your own goes through the same way: start this program with `-` and speak to it
//! line by line.

pub mod bridge;
#[path = "../refund/domain.rs"]
pub mod domain;
#[path = "../refund/lines.rs"]
pub mod lines;
#[path = "../refund/reviewer.rs"]
pub mod reviewer;
#[path = "../refund/tool_call.rs"]
pub mod tool_call;

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::process::ExitCode;

use bridge::Bridge;
use domain::{OrderPlaced, Refund, RefundDesk, RefundRole};
use kiff::{Actor, ActorId, Cents, Domain, MemoryStore, RolePolicy, Runtime};
use lines::Lines;

const USAGE: &str = "give one file of a model's messages, one JSON object a line, or `-` for the standard input:
  cargo run --example llm_bridge -- examples/llm_bridge/openai.jsonl
  cargo run --example llm_bridge -- examples/llm_bridge/anthropic.jsonl
and behind it, if you like, whose model it is; `agent-7` is the one who holds a role";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (path, agent) = match arguments.as_slice() {
        [path] => (path, "agent-7".into()),
        [path, agent] => (path, agent.to_string_lossy()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match pollster::block_on(run(path, &agent)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", kiff::visible(&path.to_string_lossy()));
            ExitCode::FAILURE
        }
    }
}

async fn run(path: &OsStr, agent: &str) -> Result<(), Box<dyn Error>> {
    let input: Box<dyn BufRead> =
        if path == "-" { Box::new(io::stdin().lock()) } else { Box::new(BufReader::new(File::open(path)?)) };
    let mut lines = Lines::new(input, bridge::bounds().payload);
    let (runtime, agent, nora) = open(agent).await?;
    let (bridge, mut out) = (Bridge::new(&runtime, agent), io::stdout().lock());
    while let Some(line) = lines.next_line()? {
        let Ok(message) = line.text else {
            eprintln!("line {} is no text, or too long", line.number);
            continue;
        };
        for answer in bridge.answer(&message).await? {
            writeln!(out, "{answer}")?;
        }
        out.flush()?;
        sign_off(&runtime, &nora).await?;
    }
    Ok(())
}

/// Here a script plays the person. Elsewhere people take their time, at a door of their own, and the model hears nothing of it but what
/// becomes of its next call.
async fn sign_off(runtime: &Runtime<Refund>, nora: &Actor) -> Result<(), kiff::Error> {
    const MOST: usize = 64;
    for waiting in runtime.pending_approvals(None, MOST).await? {
        let (order, asked) = (&waiting.open.key, &waiting.approval);
        let answered = runtime.review(nora, order, &asked.id, reviewer::answer(asked)).await?;
        if let Some(refusal) = answered.refusal() {
            eprintln!("the answer of {} does not count: {refusal}", nora.id());
        }
    }
    Ok(())
}

/// A shop with three orders, an agent, and a human who signs off what is small.
async fn open(agent: &str) -> Result<(Runtime<Refund>, Actor, Actor), Box<dyn Error>> {
    let (shop, agent, nora) = (Actor::system("shop")?, Actor::agent(agent)?, Actor::human("nora")?);
    let policy = RolePolicy::new()
        .assign(&shop, RefundRole::System)
        .assign(ActorId::new("agent-7")?, RefundRole::Agent)
        .assign(&nora, RefundRole::Operator);
    let runtime =
        Runtime::<Refund>::new(MemoryStore::new(), policy, RefundDesk::default()).with_bounds(bridge::bounds());
    for (order, total) in [("ord-1", 4_900), ("ord-2", 99_900), ("ord-3", 7_500)] {
        let placed = OrderPlaced { total: Cents(total) };
        let taken = runtime.ingest(&shop, &Refund::entity(order)?, placed).await?;
        if let Some(refusal) = taken.refusal() {
            return Err(refusal.to_string().into());
        }
    }
    Ok((runtime, agent, nora))
}
