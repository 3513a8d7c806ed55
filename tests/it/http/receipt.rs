//! Receipts over HTTP: who gets one, of what, and that a stranger with the public key believes it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kiff::http::{Api, Limits};
use kiff::proof::{Log, Receipt, Sequencer, SigningKey, Verified};
use kiff::{Actor, Cents, MemoryStore, Runtime};
use pollster::block_on;

use super::page::Browser;
use super::server::{Server, on_its_own_thread};
use crate::observed::Counted;
use crate::shop::{self, Desk, OrderPlaced, Refund, people};

/// A server whose receipts come from these logs, in this order.
fn with_logs(logs: &[&Path]) -> Server {
    let logs: Vec<_> = logs.iter().map(|log| log.to_path_buf()).collect();
    Server::with(Limits::DEFAULT, move |api| logs.into_iter().fold(api, Api::log))
}

fn key() -> SigningKey {
    SigningKey::generate("example.com/refunds").unwrap()
}

fn verified(text: &str, key: &SigningKey) -> Verified {
    text.parse::<Receipt>().unwrap().verify(&[key.verifying_key().clone()]).unwrap()
}

#[test]
fn a_receipt_is_downloaded_and_believed_with_the_public_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (log, key) = (folder.path().join("log"), key());
    let server = with_logs(&[&log]);
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let receipt = "/entities/ord-1/receipt";
    let early = everybody.agent.get(receipt);
    assert_eq!((early.status, early.json()["error"].as_str().unwrap().contains("ask again")), (404, true));
    let mut sequencer = Sequencer::open(&log, key.clone()).unwrap();
    block_on(sequencer.advance(server.shop.store())).unwrap();

    let answer = everybody.agent.get(receipt);
    assert_eq!((answer.status, &*answer.headers["content-type"]), (200, "text/plain; charset=utf-8"));
    assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"Order-ord-1-3.receipt\"");
    let last = verified(&answer.body, &key);
    assert_eq!((last.commit().key().id(), last.commit().number()), ("ord-1", 3));
    let second = everybody.agent.get(&format!("{receipt}?commit=2"));
    assert_eq!(verified(&second.body, &key).commit().number(), 2);
    let entity = everybody.nora.get("/entities/ord-1/timeline").expect(200);
    let records = entity["timeline"].as_array().unwrap();
    let run = records.iter().find(|record| record["kind"] == "action_executed").unwrap();
    let run = run["data"]["execution"].as_str().unwrap();
    let executed = everybody.agent.get(&format!("{receipt}?execution={run}"));
    assert_eq!(verified(&executed.body, &key).commit().number(), 3);

    for wanted in ["commit=0", "commit=4", "execution=another", "event=ORDER_REFUNDED", "event="] {
        everybody.agent.get(&format!("{receipt}?{wanted}")).expect(404);
    }
    for wanted in ["commit=one", "commit=2&execution=run", "commit=3&event=ORDER_PAID", "events=ORDER_PAID"] {
        everybody.agent.get(&format!("{receipt}?{wanted}")).expect(400);
    }
    everybody.agent.get("/entities/ord-2/receipt").expect(404);
    server.stranger().get(receipt).expect(401);
    server.client(&Actor::human("mallory").unwrap()).get(receipt).expect(403);
}

#[test]
fn a_receipt_proves_where_an_entity_stands_or_an_event_and_not_what_was_refused_since() {
    let folder = tempfile::tempdir().unwrap();
    let (log, key) = (folder.path().join("log"), key());
    let server = with_logs(&[&log]);
    let order = block_on(shop::paid(&server.shop, "ord-1"));
    for _ in 0..70 {
        let note = shop::AddNote { text: "fragile".into() };
        assert!(block_on(server.shop.execute(&people().agent, &order, note)).unwrap().executed().is_some());
        let refused = block_on(server.shop.execute(&people().agent, &order, shop::refund(4_900))).unwrap();
        assert!(refused.executed().is_none());
    }
    block_on(Sequencer::open(&log, key.clone()).unwrap().advance(server.shop.store())).unwrap();
    let agent = server.client(&people().agent);
    let number = |wanted: &str| {
        let answer = agent.get(&format!("/entities/ord-1/receipt{wanted}"));
        assert_eq!(answer.status, 200, "{wanted}: {}", answer.body);
        verified(&answer.body, &key).commit().number()
    };
    let [standing, noted] = ["", "?event=NOTE_ADDED"].map(number);
    assert_eq!(standing, noted);
    assert_eq!(number(&format!("?commit={}", standing + 1)), standing + 1, "the last one is behind it");
    assert_eq!(["?event=ORDER_PAID", "?event=ORDER_PLACED"].map(number), [3, 1]);
}

#[test]
fn the_page_of_an_entity_leads_to_the_receipts_of_its_commits() {
    let folder = tempfile::tempdir().unwrap();
    let (log, key) = (folder.path().join("log"), key());
    let server = with_logs(&[&log]);
    block_on(shop::paid(&server.shop, "ord/1 <b>"));
    block_on(Sequencer::open(&log, key.clone()).unwrap().advance(server.shop.store())).unwrap();
    let nora = Browser::of(&server, &people().nora);
    let page = nora.get("/admin/entities/Order/ord%2F1%20%3Cb%3E");
    for number in 1..=3 {
        let path = format!("/admin/entities/Order/ord%2F1%20%3Cb%3E/receipt?commit={number}");
        // A link that had to be a download would leave its reader without a word where there is no receipt.
        assert!(page.contains(&format!("<a href=\"{path}\">")), "{page}");
        let answer = nora.client.get(&path);
        assert_eq!(verified(&answer.body, &key).commit().number(), number);
        assert!(
            answer.headers["content-disposition"]
                .ends_with("\"Order-ord_1__b_-%.receipt\"".replace('%', &number.to_string()).as_str())
        );
    }
    let path = "/admin/entities/Order/ord%2F1%20%3Cb%3E/receipt";
    let mallory = Browser::of(&server, &Actor::human("mallory").unwrap());
    assert_eq!(mallory.client.get(path).status, 403);
    assert!(server.stranger().get(path).headers["location"].starts_with("/admin/sign-in?to="));

    let without = Server::open();
    without.everybody().paid("ord-1");
    without.everybody().agent.get("/entities/ord-1/receipt").expect(404);
    assert!(!Browser::of(&without, &people().nora).get("/admin/entities/Order/ord-1").contains("receipt"));
}

#[test]
fn the_receipt_that_a_page_offers_proves_the_state_that_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let (log, key) = (folder.path().join("log"), key());
    let server = with_logs(&[&log]);
    let order = block_on(shop::paid(&server.shop, "ord-1"));
    let nora = Browser::of(&server, &people().nora);
    let offer = "Download the receipt of commit 3</a>, which proves that it became <strong>PAID</strong>";
    let last = "Download the receipt of its last commit</a>, which changed no state";
    let page = nora.get("/admin/entities/Order/ord-1");
    assert!(page.contains(offer) && !page.contains(last), "{page}");
    let refused = block_on(server.shop.execute(&people().agent, &order, shop::refund(4_900))).unwrap();
    assert!(refused.executed().is_none());
    let page = nora.get("/admin/entities/Order/ord-1");
    assert!(page.contains(offer) && page.contains(last), "{page}");
    assert!(!page.contains("/receipt\">"), "without a number it would be that of the state: {page}");
    // While the log is behind, a page says so.
    let early = nora.client.get("/admin/entities/Order/ord-1/receipt?commit=3");
    assert_eq!((early.status, early.headers["content-type"].starts_with("text/html")), (404, true));
    assert!(!early.headers.contains_key("content-disposition") && early.body.contains("there is no receipt yet"));
    block_on(Sequencer::open(&log, key.clone()).unwrap().advance(server.shop.store())).unwrap();
    let proved = verified(&nora.client.get("/admin/entities/Order/ord-1/receipt?commit=3").body, &key);
    assert!(proved.commit().records().any(|record| record.fact().kind() == "state_changed"));
}

#[test]
fn p8_no_receipt_comes_from_a_log_that_signed_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other, key) = (folder.path().join("own"), folder.path().join("other"), key());
    let elsewhere = shop::open();
    block_on(shop::paid(&elsewhere, "ord-1"));
    block_on(Sequencer::open(&other, key.clone()).unwrap().advance(elsewhere.store())).unwrap();
    let rewritten = with_logs(&[&other]);
    rewritten.everybody().paid("ord-1");
    let told = rewritten.everybody().agent.get("/entities/ord-1/receipt").expect(409);
    assert!(told["error"].as_str().unwrap().contains("another commit at position 3"), "{told}");

    // Of the logs of two stores, the one that has this very commit proves it.
    let server = with_logs(&[&other, &own]);
    server.everybody().paid("ord-1");
    server.everybody().agent.get("/entities/ord-1/receipt").expect(404);
    block_on(Sequencer::open(&own, key.clone()).unwrap().advance(server.shop.store())).unwrap();
    let answer = server.everybody().agent.get("/entities/ord-1/receipt");
    assert_eq!(verified(&answer.body, &key).commit().number(), 3);
}

#[test]
fn a_log_follows_its_store_while_a_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let key = SigningKey::read_or_generate(folder.path().join("log.key"), "example.com/refunds").unwrap();
    let again = SigningKey::read_or_generate(folder.path().join("log.key"), "example.com/refunds").unwrap();
    assert_eq!(again.verifying_key(), key.verifying_key());
    let store = Arc::new(MemoryStore::new());
    let shop = Runtime::<Refund, _>::new(Arc::clone(&store), shop::policy(), Desk::default());
    let trusted = [key.verifying_key().clone()];
    let (path, sequencer) = (log.clone(), Sequencer::open(&log, key).unwrap());
    let thread = on_its_own_thread(move || async move {
        let work = async {
            for size in 1..=3 {
                let order = shop::order(&format!("ord-{size}"));
                let placed = shop.ingest(&people().shop, &order, OrderPlaced { total: Cents(1) }).await.unwrap();
                assert!(placed.is_allowed());
                let signed = |log: Log| log.checkpoint().verify(&trusted).unwrap().head().size == size;
                while !Log::open(&path).is_ok_and(signed) {
                    tokio::task::yield_now().await;
                }
            }
        };
        sequencer.follow(store, Duration::from_millis(1), work).await;
    });
    thread.join().unwrap();
}

#[test]
fn what_a_server_does_last_is_signed_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (log, key) = (folder.path().join("log"), key());
    let store = Arc::new(MemoryStore::new());
    let shop = Runtime::<Refund, _>::new(Arc::clone(&store), shop::policy(), Desk::default());
    let trusted = [key.verifying_key().clone()];
    let sequencer = Sequencer::open(&log, key).unwrap();
    let thread = on_its_own_thread(move || async move {
        let signed = || Log::open(&log).map(|log| log.checkpoint().verify(&trusted).unwrap().head().size);
        let place = async |id: &str| {
            let placed = shop.ingest(&people().shop, &shop::order(id), OrderPlaced { total: Cents(1) }).await;
            assert!(placed.unwrap().is_allowed());
        };
        place("ord-1").await;
        let work = async {
            while signed().ok() != Some(1) {
                tokio::task::yield_now().await;
            }
            // The next time that it is signed would come when the process is gone.
            place("ord-2").await;
            "served"
        };
        assert_eq!(sequencer.follow(store, Duration::from_hours(1), work).await, "served");
        assert_eq!(signed().unwrap(), 2);
    });
    thread.join().unwrap();
}

#[test]
fn a_log_that_does_not_follow_its_store_is_counted_and_both_positions_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (log, key) = (folder.path().join("log"), key());
    // A journal, and an older one that was put back under its log.
    for (orders, is_well) in [(2, true), (1, false)] {
        let shop = Runtime::<Refund, _>::new(Arc::new(MemoryStore::new()), shop::policy(), Desk::default());
        for number in 1..=orders {
            let order = shop::order(&format!("ord-{number}"));
            let placed = block_on(shop.ingest(&people().shop, &order, OrderPlaced { total: Cents(1) })).unwrap();
            assert!(placed.is_allowed());
        }
        let (sequencer, store) = (Sequencer::open(&log, key.clone()).unwrap(), Arc::clone(shop.store()));
        let thread = on_its_own_thread(move || async move {
            let counted: &'static Counted = Box::leak(Box::default());
            let _counting = metrics::set_default_local_recorder(counted);
            let position = |of: &str| counted.shown(&format!("kiff_{of}_position{{log=example.com/refunds}}"));
            let shown = async {
                while position("store").is_none() {
                    tokio::task::yield_now().await;
                }
            };
            let shown = tokio::time::timeout(Duration::from_mins(1), shown);
            sequencer.follow(store, Duration::from_millis(1), shown).await.expect("it is shown");
            assert_eq!((position("log_signed"), position("store")), (Some("2".to_owned()), Some(orders.to_string())));
            assert_eq!(counted.of("kiff_log_failures_total{log=example.com/refunds}") == 0, is_well);
        });
        thread.join().unwrap();
    }
}
