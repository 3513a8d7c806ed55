//! What a record costs in memory: `cargo bench --bench memory`.

#![expect(clippy::expect_used, reason = "a bench that goes wrong has nothing to measure")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use pollster::block_on;

mod domain;

use domain::{MarkPaid, OrderPlaced, order, people, runtime};

/// What the process holds in memory, in bytes, as the kernel counts it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells what a process holds");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it tells what is resident");
    let kilobytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    kilobytes.expect("in kilobytes") * 1024
}

fn main() {
    /// Low-risk loops; each leaves seven records in three commits.
    const LOOPS: usize = 150_000;
    const RECORDS: u64 = LOOPS as u64 * 7;
    let (runtime, people) = (runtime(), people());
    let before = resident();
    block_on(async {
        for number in 0..LOOPS {
            let key = order(number);
            let placed = runtime.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(99_900) }).await;
            assert!(placed.expect("memory does not fail").is_allowed());
            let paid = runtime.execute(&people.agent, &key, MarkPaid { payment_id: "pay-1".to_owned() }).await;
            assert!(paid.expect("memory does not fail").executed().is_some());
        }
    });
    let grown = resident().saturating_sub(before);
    println!("{RECORDS} records of {LOOPS} entities: {} bytes a record", grown / RECORDS);
}
