//! What docs/build-a-domain.md builds: `cargo run --example lending`.

mod domain;

use std::error::Error;

use domain::{DeviceRegistered, Devices, Lend, Lending, LendingRole};
use kiff::{Actor, Call, Domain, MemoryStore, Proposal, Review, RolePolicy, Runtime, Verdict};

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(a_day_at_the_desk())
}

async fn a_day_at_the_desk() -> Result<(), Box<dyn Error>> {
    let (clerk, mia, warehouse) = (Actor::agent("clerk-1")?, Actor::human("mia")?, Actor::system("wms")?);
    let policy = RolePolicy::new()
        .assign(&clerk, LendingRole::Clerk)
        .assign(&mia, LendingRole::Manager)
        .assign(&warehouse, LendingRole::Warehouse);
    let runtime = Runtime::<Lending>::new(MemoryStore::new(), policy, Devices::default());

    // A fact from outside: there is a device.
    let device = Lending::entity("dev-1")?;
    let registered = runtime.ingest(&warehouse, &device, DeviceRegistered { serial: "SN-1042".into() }).await?;
    assert!(registered.is_allowed());

    // The agent lends it out, gets no answer, and asks again under the same key: it is done once.
    for _ in 0..2 {
        let wish = Proposal::new(Lend { to: "Ada".into() }).idempotency_key("lend-7f3a".parse()?);
        let lent = runtime.execute(&clerk, &device, wish).await?;
        let is_repeated = lent.executed().is_some_and(|done| done.deduplicated);
        println!("lend: {}{}", lent.outcome(), if is_repeated { " before" } else { "" });
    }

    // A model's tool call, as it came. Nothing runs: a person has to see it first.
    let write_off = Call::new("WRITE_OFF", r#"{"reason": "the screen is broken"}"#);
    let held = runtime.execute(&clerk, &device, write_off.clone()).await?;
    println!("write off: {}", held.outcome());

    // The agent asks, and Mia says yes.
    let Verdict::Allowed(asked) = runtime.request_approval(&clerk, &device, write_off.clone()).await? else {
        return Err("nobody could be asked".into());
    };
    let granted = runtime.review(&mia, &device, &asked.id, Review::grant().because("it is past repair")).await?;
    assert!(granted.is_allowed());
    let done = runtime.execute(&clerk, &device, write_off).await?;
    println!("write off: {}\n", done.outcome());

    print!("{}", runtime.timeline(&device).await?);
    Ok(())
}
