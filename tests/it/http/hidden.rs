//! What may not be seen: no list and no search tells of it, nor by where it goes on.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kiff::http::{Limits, NewKey};
use kiff::{
    Actor, Appended, Commit, Cursor, Domain, EntityKey, IdempotencyKey, Matter, MemoryStore, Open, Policy, PolicyError,
    Query, Question, RolePolicy, Runtime, Sealed, Snapshot, Store, StoreError, Timestamp,
};
use pollster::block_on;
use serde_json::{Value, json};

use super::lists::{Archive, PaperFiled, archive_in, links, onward, walk};
use super::page::{Browser, between};
use super::server::Server;
use crate::shop::{self, Desk, Refund, people};

/// Of some orders nobody sees anything.
struct Partly(RolePolicy);

impl Policy for Partly {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        if question.entity.id().starts_with("theirs") { Ok(false) } else { self.0.holds(question) }
    }
}

/// A store in which there is no end to what nobody sees: behind its own orders, and before their commits.
struct Endless {
    store: MemoryStore,
    theirs: Arc<Commit>,
}

impl Endless {
    /// The position of the last commit that nobody sees.
    const LAST_OF_THEIRS: u64 = 1 << 40;

    fn new() -> Self {
        let elsewhere = shop::open();
        let key = block_on(shop::place(&elsewhere, "theirs"));
        let theirs = block_on(elsewhere.store().read(&key, 0, 1)).unwrap().remove(0);
        Self { store: MemoryStore::new(), theirs }
    }
}

impl Store for Endless {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        self.store.append(commit).await
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        self.store.read(key, after, limit).await
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        let mut keys = self.store.entities(after, limit).await?;
        let seen: Option<u64> = after.and_then(|after| after.id().strip_prefix("theirs-")?.parse().ok());
        let (next, left) = (seen.map_or(0, |seen| seen + 1), limit - keys.len());
        keys.extend((next..).take(left).map(|number| shop::order(&format!("theirs-{number:09}"))));
        Ok(keys)
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        let Cursor::Before(before) = cursor else { return self.store.search(query, cursor, limit).await };
        let ours = self.store.search(query, Cursor::LAST, usize::MAX).await?.into_iter();
        let ours = ours.map(|(position, commit)| (Self::LAST_OF_THEIRS + position, commit));
        let ours = ours.filter(|(position, _)| *position < before);
        let theirs = (0..before.min(Self::LAST_OF_THEIRS + 1)).rev();
        Ok(ours.chain(theirs.map(|position| (position, Arc::clone(&self.theirs)))).take(limit).collect())
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.store.open(matter, tenant, now, after, limit).await
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.store.keyed(key, idempotency_key).await
    }

    fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        self.store.snapshot(key).await
    }
}

/// Nora's browser at such a server.
fn nora<S: Store>(server: &Server<S>) -> Browser {
    let (_, token) = server.keys.create(NewKey::new(people().nora)).unwrap();
    Browser::at(&server.stranger(), &format!("key={token}")).unwrap_or_else(|refused| panic!("{}", refused.body))
}

/// Where a search goes on, as the way to it says.
fn places(onward: &str) -> Value {
    let (_, next) = onward.rsplit_once("next=").unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(next).unwrap()).unwrap()
}

#[test]
fn p4_what_may_not_be_seen_is_told_by_no_list_and_no_search() {
    let (full, empty) = (Server::open(), Server::open());
    for number in 0..300 {
        block_on(shop::place(&full.shop, &format!("ord-{number:03}")));
    }
    let mallory = Actor::human("mallory").unwrap();
    let told = |server: &Server| {
        let (client, browser) = (server.client(&mallory), Browser::of(server, &mallory));
        let lists =
            ["/entities", "/entities?limit=1", "/entities?limit=1&after=ord-100"].map(|path| client.get(path).body);
        let pages = ["kind=event_ingested", "actor=shop", "entity_type=Order", "entity_type=Order&kind=state_changed"];
        let pages = pages.map(|asked| {
            let page = browser.get(&format!("/admin/search?{asked}"));
            between(&page, "<main", "</main>").to_owned()
        });
        (lists, pages)
    };
    assert_eq!(told(&full), told(&empty));
    assert!(told(&full).1[0].contains("Nothing was found."));

    // Whoever sees some of it is told of that alone: nothing says that there is more, and it goes on behind what was shown.
    let store = Arc::new(MemoryStore::new());
    let all = Runtime::<Refund, _>::new(Arc::clone(&store), shop::policy(), Desk::default());
    for number in 0..60 {
        for whose in ["ours", "theirs"] {
            block_on(shop::place(&all, &format!("{whose}-{number:02}")));
        }
    }
    let part = Runtime::new(Arc::clone(&store), Partly(shop::policy()), Desk::default());
    let server = Server::of(Arc::new(part), Limits::DEFAULT, |api| api);
    let client = server.everybody().nora;
    let last = client.get("/entities?limit=60").expect(200);
    assert_eq!((last["entities"].as_array().unwrap().len(), &last["next"]), (60, &Value::Null));
    assert_eq!(client.get("/entities?limit=59").expect(200)["next"], "ours-58");
    let browser = nora(&server);
    let found = walk(&browser, "/admin/search?kind=event_ingested", "/admin/entities/");
    assert!(found.len() == 60 && found.iter().all(|path| path.starts_with("Order/ours-")), "{found:?}");
    let next = onward(&browser.get("/admin/search?kind=event_ingested")).unwrap();
    let placed = block_on(store.search(&Query::default().kind("event_ingested"), Cursor::LAST, 1_000)).unwrap();
    let mut ours = placed.iter().filter(|(_, commit)| commit.key().id().starts_with("ours"));
    assert_eq!(places(&next), json!({ "Order": ours.nth(49).unwrap().0 }));
    assert!(onward(&browser.get(&next)).is_none());
}

#[test]
fn p4_where_the_time_is_over_what_was_found_is_shown_and_what_is_hidden_is_not_named() {
    let archive = archive_in(MemoryStore::new());
    let paper = Archive::entity("paper-1").unwrap();
    assert!(block_on(archive.ingest(&people().nora, &paper, PaperFiled { page: 1 })).unwrap().is_allowed());
    let shop = Runtime::<Refund, _>::new(Endless::new(), Partly(shop::policy()), Desk::default());
    block_on(shop::place(&shop, "ours"));
    let server = Server::of(Arc::new(shop), Limits::DEFAULT, move |api| api.domain(archive));
    let client = server.everybody().nora;
    let listed = client.get("/entities?entity_type=Order").expect(200);
    assert_eq!(listed, json!({ "entities": [{ "id": "ours", "type": "Order" }], "next": "ours" }));
    let told = client.get("/entities?entity_type=Order&after=ours").expect(503);
    assert_eq!(told["error"], "nothing that you may see was found in time: name what you look for by its id");

    let (browser, late) = (nora(&server), "Of Order, nothing that you may see was found in time");
    let listed = browser.get("/admin/search?entity_type=Order&next=ours");
    assert!(listed.contains(late) && onward(&listed).is_none(), "{listed}");
    let first = browser.get("/admin/search?kind=event_ingested");
    assert_eq!(links(&first, "/admin/entities/"), ["Order/ours"]);
    let next = onward(&first).unwrap();
    assert_eq!(places(&next), json!({ "Order": Endless::LAST_OF_THEIRS + 1, "Paper": u64::MAX }));
    // What another domain has is shown all the same, and where there is nothing more to show it ends.
    let second = browser.get(&next);
    assert_eq!(links(&second, "/admin/entities/"), ["Paper/paper-1"]);
    assert!(second.contains(late), "{second}");
    let third = browser.get(&onward(&second).unwrap());
    assert!(third.contains(late) && onward(&third).is_none(), "{third}");
}
