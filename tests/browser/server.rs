//! A server with people, hostile words and everything else that a page can show, for the script that drives a browser.
//!
//! It prints one line of JSON that says where it is and who has which key, and ends when its input does. A line that it reads is the
//! path of a receipt, and it answers with what a stranger learns from it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "it fails as loudly as a test")]

#[path = "../it/shop.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod shop;
mod voyage;

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kiff::http::{Api, Keys, Limits, NewKey, Principal, serve};
use kiff::proof::{Receipt, Sequencer, SigningKey, VerifyingKey};
use kiff::{
    Actor, ApprovalId, Cents, Clock, Domain, Evidence, MemoryStore, Outcome, Proposal, RolePolicy, Runtime,
    SystemClock, Timestamp,
};
use tokio::net::TcpListener;

use shop::{Desk, MarkPaid, Mood, Refund, RefundOrder, people};
use voyage::{Advanced, Bridge, Started, Voyage, VoyageRole};

/// What an agent may write wherever it may write: markup, a script, a character that turns the line around, one that is not seen,
/// and a word that fits in no line.
const HOSTILE: &str = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script> \u{202e}999\u{200b} & 'more' \
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nline two";

/// An order, and an actor, whose very names are hostile.
const HOSTILE_NAME: &str = "<script>window.hacked=1</script>\"'&";

/// A clock that is two days late until it is told to go right.
#[derive(Debug, Clone, Default)]
struct Slow(Arc<AtomicBool>);

impl Clock for Slow {
    fn now(&self) -> Timestamp {
        const LATE: u64 = 2 * 86_400_000_000;
        let late = if self.0.load(Ordering::Relaxed) { LATE } else { 0 };
        Timestamp::from_microseconds(SystemClock.now().as_microseconds() - late)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let hostile_agent = Actor::agent(HOSTILE_NAME).unwrap();
    let policy = shop::policy().assign(&hostile_agent, shop::RefundRole::Agent);
    let clock = Slow::default();
    let shop = Runtime::new(MemoryStore::new(), policy, Desk::default()).with_clock(clock.clone());
    let shop = Arc::new(shop);
    clock.0.store(true, Ordering::Relaxed);
    shop::paid(&shop, "expired").await;
    let expired = ask(&shop, &people().agent, "expired", 4_900).await;
    clock.0.store(false, Ordering::Relaxed);
    for number in 1..=12 {
        shop::paid(&shop, &format!("ord-{number}")).await;
        ask(&shop, &people().agent, &format!("ord-{number}"), 4_900 * number).await;
    }
    // Nothing is asked for on these yet.
    for id in ["late-1", "late-2"] {
        shop::paid(&shop, id).await;
    }
    shop::paid(&shop, HOSTILE_NAME).await;
    ask(&shop, &hostile_agent, HOSTILE_NAME, 100).await;
    let doubt = shop::place(&shop, "in-doubt").await;
    shop.services().be(Mood::Silent);
    let silent = shop.execute(&people().agent, &doubt, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
    assert!(!matches!(silent, Outcome::Executed(_)), "{silent:?}");
    shop.services().be(Mood::Willing);

    let keys = Keys::in_memory();
    let key = |actor: &Actor| keys.create(NewKey::new(actor.clone())).unwrap().1;
    let idle = Actor::human("ida").unwrap();
    let [nora, omar, ada, agent, ida] =
        [&people().nora, &people().omar, &people().auditor, &people().agent, &idle].map(key);
    let folder = tempfile::tempdir().unwrap();
    let signing = SigningKey::generate("example.com/refunds").unwrap();
    let trusted = signing.verifying_key().clone();
    Sequencer::open(folder.path(), signing).unwrap().advance(shop.store()).await.unwrap();
    let api = Api::new().domain(shop).domain(Arc::new(voyage().await)).log(folder.path()).authenticate(keys);
    let link = api.sign_in_links().link(Principal::new(people().nora)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let told = serde_json::json!({
        "origin": origin,
        "link": link,
        "hostile_name": HOSTILE_NAME,
        "expired": expired,
        "keys": { "nora": nora, "omar": omar, "ada": ada, "agent": agent, "ida": ida },
    });
    println!("{told}");
    let ended = async {
        let read = tokio::task::spawn_blocking(move || {
            for path in std::io::stdin().lock().lines() {
                println!("{}", learned(&path.unwrap(), &trusted));
            }
        });
        drop(read.await);
    };
    let limits = Limits { grace: Duration::ZERO, ..Limits::DEFAULT };
    serve(listener, api.router(), limits, ended).await.unwrap();
}

/// What somebody learns from a receipt who has the public key and nothing else.
fn learned(path: &str, trusted: &VerifyingKey) -> String {
    let receipt: Receipt = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let verified = receipt.verify(std::slice::from_ref(trusted)).unwrap();
    format!("commit {} of {}", verified.commit().number(), verified.commit().key())
}

/// Asks for a refund, with hostile words in every field; the number of the request.
async fn ask(shop: &Runtime<Refund>, agent: &Actor, order: &str, amount: i64) -> ApprovalId {
    let action = RefundOrder { amount: Cents(amount), reason: HOSTILE.into() };
    let evidence = Evidence::new(HOSTILE.lines().next().unwrap(), &[HOSTILE, "<b>"]).unwrap();
    let proposal = Proposal::new(action).because(HOSTILE).confidence(0.9).unwrap().evidence(evidence);
    shop.request_approval(agent, &shop::order(order), proposal).await.unwrap().into_result().unwrap().id
}

/// A ship that is half way through.
async fn voyage() -> Runtime<Voyage> {
    let people = people();
    let policy = RolePolicy::new().assign(&people.nora, VoyageRole::Operator).assign(&people.shop, VoyageRole::System);
    let runtime = Runtime::new(MemoryStore::new(), policy, Bridge);
    let ship = Voyage::entity("fram").unwrap();
    assert!(runtime.ingest(&people.shop, &ship, Started { to: HOSTILE.into() }).await.unwrap().is_allowed());
    for miles in 0..14 {
        assert!(runtime.ingest(&people.shop, &ship, Advanced { miles }).await.unwrap().is_allowed());
    }
    runtime
}
