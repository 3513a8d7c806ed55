//! Lists that are longer than a page: nothing is left out, nothing comes twice, and nobody's view is filled with what is another's.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kiff::http::{Api, Keys, Limits, NewKey};
use kiff::{Domain, Failure, MemoryStore, Proposal, RolePolicy, Runtime, Store, action, domain};
use pollster::block_on;
use serde_json::{Value, json};

use super::page::Browser;
use super::server::{Client, Server};
use super::stream::Events;
use crate::shop::{self, MarkPaid, Mood, Refund, people};

domain! {
    /// Papers that somebody has filed.
    pub domain Archive governs Paper;
    roles { Clerk: human, Runner: agent }
    states { Filed, final Burnt }
    events {
        PaperFiled { page: u32 } reported by Clerk;
        PaperTurned { page: u32 } reported by Clerk;
        PaperBurnt;
    }
    transitions {
        PaperFiled: new => Filed;
        PaperTurned: Filed => Filed;
        PaperBurnt: Filed => Burnt;
    }
    actions { BurnPaper { risk: high, by: Runner, emits: PaperBurnt, approval: Clerk }; }
    allow { Filed => [BurnPaper]; }
}

/// Burns the paper.
#[action(Archive::BurnPaper)]
async fn burn_paper() -> Result<PaperBurnt, Failure> {
    Ok(PaperBurnt)
}

/// An archive that keeps its journals there.
pub(super) fn archive_in<S: Store>(store: S) -> Arc<Runtime<Archive, S>> {
    let policy = RolePolicy::new()
        .assign(people().nora.id().clone(), ArchiveRole::Clerk)
        .assign(people().agent.id().clone(), ArchiveRole::Runner);
    Arc::new(Runtime::new(store, policy, ()))
}

/// An archive of its own store, and a server that has it beside the shop.
fn with_archive() -> (Server, Arc<Runtime<Archive>>) {
    let archive = archive_in(MemoryStore::new());
    let served = Arc::clone(&archive);
    (Server::with(Limits::DEFAULT, move |api: Api| api.domain(served)), archive)
}

/// The ways that a page leads to what is listed on it.
pub(super) fn links(page: &str, path: &str) -> Vec<String> {
    let before = format!("href=\"{path}");
    let found = page.split(&before).skip(1);
    found.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// The way to the next part.
pub(super) fn onward(page: &str) -> Option<String> {
    let (before, _) = page.split_once("\" rel=\"next\"")?;
    Some(before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&"))
}

/// What all parts of a list lead to.
pub(super) fn walk(browser: &Browser, first: &str, path: &str) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(place) = next {
        let page = browser.get(&place);
        found.extend(links(&page, path));
        next = onward(&page);
        assert!(found.len() < 10_000, "the list does not end");
    }
    found
}

/// What all parts of a list of the API have.
fn items(client: &Client, path: &str, list: &str, id: &str) -> Vec<String> {
    let (mut found, mut after) = (Vec::new(), String::new());
    for _ in 0..1_000 {
        let page = client.get(&format!("{path}?limit=3{after}")).expect(200);
        found.extend(page[list].as_array().unwrap().iter().map(|item| item[id].as_str().unwrap().to_owned()));
        let Value::String(next) = &page["next"] else { return found };
        after = format!("&after={next}");
    }
    panic!("the list does not end");
}

fn ask(server: &Server, order: &str, by: &kiff::Actor) {
    block_on(shop::paid(&server.shop, order));
    let asked = Proposal::new(shop::refund(100));
    assert!(block_on(server.shop.request_approval(by, &shop::order(order), asked)).unwrap().is_allowed());
}

#[test]
fn an_inbox_shows_every_request_once_and_begins_with_what_waits_for_whoever_looks() {
    let server = Server::open();
    for number in 0..130 {
        ask(&server, &format!("ord-{number:03}"), &people().agent);
    }
    let nora = Browser::of(&server, &people().nora);
    let first = nora.get("/admin");
    assert_eq!(links(&first, "/admin/approvals/").len(), 50);
    assert!(!first.contains("Waits for others"));
    let all = walk(&nora, "/admin", "/admin/approvals/Order/");
    assert_eq!(all.len(), 130);
    assert!(all.iter().zip(0..).all(|(path, number)| path.starts_with(&format!("ord-{number:03}/"))), "{all:?}");
    // Whoever cannot answer any of them has the same list under another heading.
    let auditor = Browser::of(&server, &people().auditor);
    assert!(auditor.get("/admin").contains("Nothing waits for you."));
    assert_eq!(walk(&auditor, "/admin", "/admin/approvals/Order/").len(), 130);
    let everybody = server.everybody();
    assert_eq!(items(&everybody.nora, "/approvals", "approvals", "entity_id").len(), 130);
    everybody.nora.get("/approvals?after=nowhere").expect(400);
    let lost = nora.client.get("/admin?after=nowhere");
    assert_eq!((lost.status, lost.body.contains("is not the `next` of an answer")), (400, true));
}

#[test]
fn the_requests_of_several_domains_are_one_list() {
    let ((server, archive), people) = (with_archive(), people());
    let mut expected = Vec::new();
    let paper = |number: u32| {
        let paper = Archive::entity(&format!("paper-{number:02}")).unwrap();
        assert!(block_on(archive.ingest(&people.nora, &paper, PaperFiled { page: 1 })).unwrap().is_allowed());
        assert!(block_on(archive.request_approval(&people.agent, &paper, BurnPaper {})).unwrap().is_allowed());
        format!("Paper/paper-{number:02}")
    };
    // Now one of each in turn, now many of one.
    for number in 0..30 {
        ask(&server, &format!("ord-{number:02}"), &people.agent);
        expected.extend([format!("Order/ord-{number:02}"), paper(number)]);
    }
    expected.extend((30..95).map(paper));
    let nora = Browser::of(&server, &people.nora);
    let found = walk(&nora, "/admin", "/admin/approvals/");
    let found: Vec<_> = found.iter().map(|path| path.rsplit_once('/').unwrap().0).collect();
    assert_eq!(found, expected);
    let ids = expected.iter().map(|path| path.split_once('/').unwrap().1).collect::<Vec<_>>();
    assert_eq!(items(&server.everybody().nora, "/approvals", "approvals", "entity_id"), ids);
}

#[test]
fn p4_where_several_domains_are_asked_what_may_not_be_seen_is_not_there() {
    let (server, _) = with_archive();
    block_on(shop::paid(&server.shop, "ord-1"));
    let (nora, mallory) = (server.client(&people().nora), server.client(&kiff::Actor::human("mallory").unwrap()));
    for path in ["", "/timeline", "/allowed-actions", "/approvals"] {
        assert_eq!(nora.get(&format!("/entities/ord-1{path}")).status, 200, "{path}");
        let known = mallory.get(&format!("/entities/ord-1{path}"));
        let unknown = mallory.get(&format!("/entities/ord-2{path}"));
        assert_eq!((known.status, known.body.replace("ord-1", "ord-2")), (unknown.status, unknown.body), "{path}");
    }
}

#[test]
fn what_another_domain_keeps_in_the_same_store_is_nowhere_to_be_seen() {
    let (store, keys) = (Arc::new(MemoryStore::new()), Arc::new(Keys::in_memory()));
    let archive = archive_in(Arc::clone(&store));
    let shop: Arc<Runtime<Refund, _>> = Arc::new(Runtime::new(store, shop::policy(), shop::Desk::default()));
    let paper = Archive::entity("paper-1").unwrap();
    assert!(block_on(archive.ingest(&people().nora, &paper, PaperFiled { page: 1 })).unwrap().is_allowed());
    let placed = shop::OrderPlaced { total: kiff::Cents(1) };
    assert!(block_on(shop.ingest(&people().shop, &shop::order("ord-1"), placed)).unwrap().is_allowed());
    let (_, token) = keys.create(NewKey::new(people().nora)).unwrap();
    // The shop alone is served.
    let server = Server::with(Limits::DEFAULT, move |_| Api::new().domain(shop).authenticate(keys));
    let nora = server.bearing(&token);
    let listed = json!({ "entities": [{ "id": "ord-1", "type": "Order" }] });
    assert_eq!(nora.get("/entities").expect(200), listed);
    assert_eq!(Events::open(&nora, "/events?after=0").next().2["entity_id"], "ord-1");
    let browser = Browser::at(&server.stranger(), &format!("key={token}")).unwrap();
    assert_eq!(walk(&browser, "/admin/search?kind=event_ingested", "/admin/entities/"), ["Order/ord-1"]);
}

#[test]
fn what_another_tenant_has_open_hides_nothing() {
    let server = Server::open();
    let acme = |id: &str| shop::order(id).in_tenant("acme").unwrap();
    server.shop.services().be(Mood::Silent);
    let doubt = |key: &kiff::EntityKey| {
        let placed = shop::OrderPlaced { total: kiff::Cents(1) };
        assert!(block_on(server.shop.ingest(&people().shop, key, placed)).unwrap().is_allowed());
        let pay = MarkPaid { payment_id: "pay-1".into() };
        assert!(block_on(server.shop.execute(&people().agent, key, pay)).unwrap().executed().is_none());
    };
    for number in 0..120 {
        doubt(&acme(&format!("theirs-{number}")));
    }
    for number in 0..70 {
        doubt(&shop::order(&format!("ours-{number:02}")));
    }
    let nora = Browser::of(&server, &people().nora);
    let all = walk(&nora, "/admin/doubt", "/admin/doubt/Order/");
    assert_eq!(all.len(), 70);
    assert!(all.iter().all(|path| path.starts_with("ours-")), "{all:?}");
    let nora = server.everybody().nora;
    assert_eq!(items(&nora, "/doubts", "doubts", "entity_id").len(), 70);
    // Nor is any of it told, to whoever may see none of it, by where the next part begins.
    let part = server.client(&kiff::Actor::human("mallory").unwrap()).get("/doubts?limit=1").expect(200);
    assert_eq!(part["doubts"], json!([]));
    let next = URL_SAFE_NO_PAD.decode(part["next"].as_str().unwrap()).unwrap();
    let next = String::from_utf8(next).unwrap();
    assert!(["default", "ours", "execution"].iter().all(|ours| !next.contains(ours)), "{next}");
}

#[test]
fn p10_however_much_stands_before_it_an_inbox_begins_with_what_waits_for_whoever_looks() {
    let ((server, archive), people) = (with_archive(), people());
    // Of another tenant.
    for number in 0..69 {
        let key = shop::order(&format!("theirs-{number}")).in_tenant("acme").unwrap();
        let placed = shop::OrderPlaced { total: kiff::Cents(1) };
        assert!(block_on(server.shop.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
        let pay = MarkPaid { payment_id: "pay-1".into() };
        assert!(block_on(server.shop.execute(&people.agent, &key, pay)).unwrap().executed().is_some());
        for amount in 1..=16 {
            let asked = server.shop.request_approval(&people.agent, &key, shop::refund(amount));
            assert!(block_on(asked).unwrap().is_allowed());
        }
    }
    ask(&server, "ord-1", &people.agent);
    let nora = Browser::of(&server, &people.nora);
    assert_eq!(links(&nora.get("/admin"), "/admin/approvals/Order/ord-1/").len(), 1);
    let listed = server.everybody().nora.get("/approvals?limit=1").expect(200);
    assert_eq!(listed["approvals"][0]["entity_id"], "ord-1");
    // Of the same tenant, for somebody else to answer.
    for number in 0..1_100 {
        let paper = Archive::entity(&format!("paper-{number:04}")).unwrap();
        assert!(block_on(archive.ingest(&people.nora, &paper, PaperFiled { page: 1 })).unwrap().is_allowed());
        assert!(block_on(archive.request_approval(&people.agent, &paper, BurnPaper {})).unwrap().is_allowed());
    }
    ask(&server, "ord-2", &people.agent);
    let waits = |page: &str, order: &str| links(page, &format!("/admin/approvals/Order/{order}/")).len();
    let granted = nora.get("/admin");
    assert_eq!((waits(&granted, "ord-1"), waits(&granted, "ord-2")), (1, 0));
    let card = links(&granted, "/admin/approvals/Order/ord-1/").remove(0);
    assert_eq!(nora.send(&format!("/admin/approvals/Order/ord-1/{card}"), "answer=deny&reason=late").status, 303);
    let omar = Browser::of(&server, &people.omar);
    assert_eq!(waits(&omar.get("/admin"), "ord-2"), 1);
}

#[test]
fn what_was_opened_at_one_instant_hides_nothing_either() {
    let shop = Runtime::new(MemoryStore::new(), shop::policy(), shop::Desk::default());
    let shop = Arc::new(shop.with_clock(shop::SharedClock::default()));
    let server = Server::of(shop, Limits::DEFAULT, |api| api);
    for (tenant, number) in (0..60).map(|number| ("acme", number)).chain((0..10).map(|number| ("default", number))) {
        let key = shop::order(&format!("ord-{number:02}")).in_tenant(tenant).unwrap();
        let placed = shop::OrderPlaced { total: kiff::Cents(1) };
        assert!(block_on(server.shop.ingest(&people().shop, &key, placed)).unwrap().is_allowed());
        server.shop.services().be(Mood::Silent);
        let pay = MarkPaid { payment_id: "pay-1".into() };
        assert!(block_on(server.shop.execute(&people().agent, &key, pay)).unwrap().executed().is_none());
    }
    let found = items(&server.everybody().nora, "/doubts", "doubts", "entity_id");
    assert_eq!(found, (0..10).map(|number| format!("ord-{number:02}")).collect::<Vec<_>>());
}

#[test]
fn a_search_over_several_stores_shows_the_newest_first_and_each_once() {
    let ((server, archive), nora) = (with_archive(), people().nora);
    // The positions of one store say nothing of those of the other.
    let paper = Archive::entity("paper-1").unwrap();
    assert!(block_on(archive.ingest(&nora, &paper, PaperFiled { page: 0 })).unwrap().is_allowed());
    for page in 1..240 {
        assert!(block_on(archive.ingest(&nora, &paper, PaperTurned { page })).unwrap().is_allowed());
    }
    for number in 0..30 {
        block_on(shop::place(&server.shop, &format!("ord-{number}")));
    }
    for page in 240..260 {
        assert!(block_on(archive.ingest(&nora, &paper, PaperTurned { page })).unwrap().is_allowed());
    }
    let nora = Browser::of(&server, &nora);
    let found = walk(&nora, "/admin/search?kind=event_ingested", "/admin/entities/");
    let papers = found.iter().filter(|path| path.starts_with("Paper/")).count();
    assert_eq!((found.len(), papers), (290, 260));
    let expected = [("Paper/paper-1", 20), ("Order/ord-", 30), ("Paper/paper-1", 240)];
    let expected = expected.into_iter().flat_map(|(path, count)| std::iter::repeat_n(path, count));
    assert!(found.iter().zip(expected).all(|(path, expected)| path.starts_with(expected)), "{found:?}");
    let of_one = walk(&nora, "/admin/search?kind=event_ingested&entity=ord-3", "/admin/entities/");
    assert_eq!(of_one, ["Order/ord-3"]);
    assert_eq!(walk(&nora, "/admin/search?entity_type=Order", "/admin/entities/Order/").len(), 30);
    // A long timeline begins with its end.
    let page = nora.get("/admin/entities/Paper/paper-1");
    assert!(page.contains("&quot;page&quot;:259") && !page.contains("&quot;page&quot;:159}"), "{page}");
    let earlier = page.split_once("\" rel=\"prev\"").unwrap().0.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
    let page = nora.get(earlier.split('#').next().unwrap());
    assert!(page.contains("&quot;page&quot;:159}") && !page.contains("&quot;page&quot;:160}"), "{page}");
}

#[test]
fn a_list_of_an_entity_s_approvals_goes_on_where_it_was_when_one_of_them_is_answered() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    for id in ["app-a", "app-b", "app-c"] {
        let body = json!({ "approval_id": id, "parameters": { "amount": 4_900, "reason": id } }).to_string();
        everybody.agent.post("/entities/ord-1/actions/REFUND_ORDER/approvals", &body).expect(201);
    }
    let list = |asked: &str| everybody.nora.get(&format!("/entities/ord-1/approvals?{asked}"));
    let ids = |told: &Value| -> Vec<String> {
        let items = told["approvals"].as_array().unwrap().iter();
        items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = list("limit=1").expect(200);
    assert_eq!(ids(&first), ["app-a"]);
    everybody.nora.post("/approvals/app-c/deny", r#"{"reason": "it is not damaged"}"#).expect(200);
    let rest = list(&format!("after={}", first["next"].as_str().unwrap())).expect(200);
    assert_eq!((ids(&rest), &rest["next"]), (vec!["app-b".to_owned(), "app-c".to_owned()], &Value::Null));
    assert_eq!(list("after=app-a").expect(400)["error"], "`after` is not the `next` of an answer");
}
