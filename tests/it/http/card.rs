//! The page of a request: what it says of a yes is what a yes does.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use kiff::http::{Api, Limits};
use kiff::{
    Domain, EntityKey, MemoryStore, Outcome, Policy, PolicyError, Question, Review, RolePolicy, Runtime, Verdict,
};
use pollster::block_on;

use super::page::{Browser, between};
use super::server::Server;
use crate::shop::{self, Desk, MarkPaid, Mood, people};

mod before {
    use kiff::{Failure, action, domain};

    domain! {
        pub domain Claims governs Claim;
        roles { Agent: agent, Clerk: human, Desk: system }
        states { Filed, final Paid, final Dropped }
        events { ClaimFiled reported by Desk; ClaimPaid; ClaimDropped; }
        transitions {
            ClaimFiled:   new   => Filed;
            ClaimPaid:    Filed => Paid;
            ClaimDropped: Filed => Dropped;
        }
        actions {
            PayClaim  { risk: low, by: Agent, emits: ClaimPaid, approval: Clerk };
            DropClaim { risk: low, by: Agent, emits: ClaimDropped, approval: Clerk };
        }
        allow { Filed => [PayClaim, DropClaim]; }
    }

    #[action(Claims::PayClaim)]
    async fn pay_claim() -> Result<ClaimPaid, Failure> {
        Ok(ClaimPaid {})
    }

    #[action(Claims::DropClaim)]
    async fn drop_claim() -> Result<ClaimDropped, Failure> {
        Ok(ClaimDropped {})
    }
}

/// The same, but that to pay has more risk, and nobody has to approve that a claim is dropped.
mod after {
    use kiff::{Failure, action, domain};

    domain! {
        pub domain Claims governs Claim;
        roles { Agent: agent, Clerk: human, Desk: system }
        states { Filed, final Paid, final Dropped }
        events { ClaimFiled reported by Desk; ClaimPaid; ClaimDropped; }
        transitions {
            ClaimFiled:   new   => Filed;
            ClaimPaid:    Filed => Paid;
            ClaimDropped: Filed => Dropped;
        }
        actions {
            PayClaim  { risk: high, by: Agent, emits: ClaimPaid, approval: Clerk };
            DropClaim { risk: low, by: Agent, emits: ClaimDropped };
        }
        allow { Filed => [PayClaim, DropClaim]; }
    }

    #[action(Claims::PayClaim)]
    async fn pay_claim() -> Result<ClaimPaid, Failure> {
        Ok(ClaimPaid {})
    }

    #[action(Claims::DropClaim)]
    async fn drop_claim() -> Result<ClaimDropped, Failure> {
        Ok(ClaimDropped {})
    }
}

/// Asks for such a refund; the way to its card.
fn asked(server: &Server, key: &EntityKey, amount: i64) -> String {
    let asked = block_on(server.shop.request_approval(&people().agent, key, shop::refund(amount))).unwrap();
    let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
    let id = key.id().bytes().fold(String::new(), |id, byte| format!("{id}%{byte:02X}"));
    format!("/admin/approvals/Order/{id}/{}", approval.id)
}

#[test]
fn p3_a_card_promises_only_what_can_happen() {
    let server = Server::open();
    let nora = Browser::of(&server, &people().nora);
    let (done, doubtful) = (block_on(shop::paid(&server.shop, "done")), block_on(shop::paid(&server.shop, "doubtful")));
    for (key, mood, why) in [
        (done, Mood::Willing, "`REFUND_ORDER` is not allowed in state `REFUNDED`"),
        (doubtful, Mood::Silent, "`REFUND_ORDER` is in doubt"),
    ] {
        let other = asked(&server, &key, 5_000);
        assert!(nora.get(&other).contains("it may run once"));
        block_on(shop::granted(&server.shop, &key, shop::refund(4_900)));
        server.shop.services().be(mood);
        let ran = block_on(server.shop.execute(&people().agent, &key, shop::refund(4_900))).unwrap();
        assert!(!matches!(ran, Outcome::Blocked(_) | Outcome::Invalid(_)), "{ran:?}");
        let page = nora.get(&other);
        assert!(page.contains(&format!("It cannot run now: {why}")) && !page.contains("it may run once"), "{page}");
        // What was not known while somebody looked at the card, they are told behind their yes.
        assert_eq!(nora.send(&other, "answer=grant&reason=fine").status, 303);
        let page = nora.get(&other);
        assert!(page.contains(&format!("Granted. It cannot run now: {why}")), "{page}");
        assert!(page.contains("value=\"withdraw\""), "{page}");
    }
}

/// A list of roles that can become another one.
struct Changing(Mutex<RolePolicy>);

impl Policy for Changing {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        self.0.lock().unwrap().holds(question)
    }
}

#[test]
fn a_card_tells_that_whoever_asked_may_no_longer_run_it_and_that_others_may() {
    let policy = Arc::new(Changing(Mutex::new(shop::policy())));
    let shop = Runtime::new(MemoryStore::new(), Arc::clone(&policy), Desk::default());
    let server = Server::of(Arc::new(shop), Limits::DEFAULT, |api| api);
    let card = asked(&server, &block_on(shop::paid(&server.shop, "ord-1")), 4_900);
    let nora = Browser::of(&server, &people().nora);
    assert!(!nora.get(&card).contains("could not run it now"));
    *policy.0.lock().unwrap() = RolePolicy::new().assign(&people().nora, shop::RefundRole::Operator);
    let page = nora.get(&card);
    assert!(page.contains("Whoever asked for it could not run it now: `agent-7` (agent) does not have"), "{page}");
    assert!(page.contains("it may run once"), "{page}");
}

#[test]
fn p3_what_was_asked_for_under_another_contract_cannot_be_granted_and_can_be_denied_and_withdrawn() {
    let (store, key, people) = (Arc::new(MemoryStore::new()), before::Claims::entity("c-1").unwrap(), people());
    let cards = block_on(async {
        use before::{ClaimFiled, Claims, ClaimsRole, DropClaim, PayClaim};
        let policy = RolePolicy::new()
            .assign(&people.agent, ClaimsRole::Agent)
            .assign(&people.nora, ClaimsRole::Clerk)
            .assign(&people.shop, ClaimsRole::Desk);
        let runtime = Runtime::<Claims, _>::new(Arc::clone(&store), policy, ());
        assert!(runtime.ingest(&people.shop, &key, ClaimFiled {}).await.unwrap().is_allowed());
        let [pay, drop] = [
            runtime.request_approval(&people.agent, &key, PayClaim {}).await.unwrap(),
            runtime.request_approval(&people.agent, &key, DropClaim {}).await.unwrap(),
        ]
        .map(|asked| asked.into_result().unwrap().id);
        assert!(runtime.review(&people.nora, &key, &drop, Review::grant()).await.unwrap().is_allowed());
        [pay, drop].map(|approval| format!("/admin/approvals/Claim/c-1/{approval}"))
    });
    let policy = RolePolicy::new().assign(&people.nora, after::ClaimsRole::Clerk);
    let runtime = Arc::new(Runtime::<after::Claims, _>::new(store, policy, ()));
    let server = Server::with(Limits::DEFAULT, |api: Api| api.domain(runtime));
    let listed = server.client(&people.nora).get("/approvals").expect(200);
    assert_eq!(listed["approvals"][0]["contract_changed"], true, "{listed}");
    let nora = Browser::of(&server, &people.nora);
    let [pay, drop] = cards.each_ref().map(|card| nora.get(card));
    assert!(pay.contains("The contract of this action has changed since it was asked for"), "{pay}");
    for promise in ["it may run once", "value=\"grant\"", "You cannot answer this"] {
        assert!(!pay.contains(promise), "{promise}: {pay}");
    }
    assert!(pay.contains("value=\"deny\""), "{pay}");
    assert!(drop.contains("Granted, under a contract that is no more"), "{drop}");
    assert!(nora.get("/admin").contains("its contract has changed"));
    let [pay, drop] = cards;
    let refused = nora.send(&pay, "answer=grant&reason=fine");
    assert!(refused.status == 409 && refused.body.contains("has changed since approval"), "{}", refused.body);
    assert_eq!(nora.send(&pay, "answer=deny&reason=no+more").status, 303);
    assert_eq!(nora.send(&drop, "answer=withdraw&reason=no+more").status, 303);
}

#[test]
fn p3_two_entities_never_look_alike_to_whoever_grants() {
    let server = Server::open();
    let nora = Browser::of(&server, &people().nora);
    // As a browser shows it: of several spaces one, and others that look the same.
    let look = |text: &str| {
        let text = text.replace(['\u{a0}', '\u{2800}', '\u{3000}'], " ");
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (mut titles, mut links) = (HashSet::new(), HashSet::new());
    for id in ["ord 1", " ord 1", "ord 1 ", "ord  1", "ord\u{a0}1", "ord\u{3000}1", "ord\u{2800}1", "ord\\u{a0}1"] {
        let page = nora.get(&asked(&server, &block_on(shop::paid(&server.shop, id)), 4_900));
        assert!(titles.insert(look(between(&page, "<h1>", "</h1>"))), "{id:?}: {titles:?}");
        let link = between(&page, "<dt>On</dt><dd>", "</a>").rsplit_once('>').unwrap().1;
        assert!(links.insert(look(link)), "{id:?}: {links:?}");
    }
}

/// A list of roles that cannot say who signs off and who settles.
struct Unsure(RolePolicy);

impl Policy for Unsure {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        let name = &question.permission.name;
        if name.starts_with("refund.approve_") || name.starts_with("refund.settle_") {
            return Err(PolicyError::new("the directory does not answer"));
        }
        self.0.holds(question)
    }
}

#[test]
fn p9_what_cannot_be_decided_is_not_told_as_a_no() {
    let shop = Runtime::new(MemoryStore::new(), Unsure(shop::policy()), Desk::default());
    let server = Server::of(Arc::new(shop), Limits::DEFAULT, |api| api);
    let card = asked(&server, &block_on(shop::paid(&server.shop, "ord-1")), 4_900);
    let key = block_on(shop::place(&server.shop, "ord-2"));
    server.shop.services().be(Mood::Silent);
    let pay = MarkPaid { payment_id: "pay-1".into() };
    assert!(block_on(server.shop.execute(&people().agent, &key, pay)).unwrap().executed().is_none());
    let nora = Browser::of(&server, &people().nora);
    for (path, what) in [(&*card, "answer"), ("/admin/doubt/Order/ord-2", "settle")] {
        let page = nora.get(path);
        assert!(page.contains(&format!("Whether you may {what} this could not be decided")), "{page}");
        assert!(!page.contains("You cannot") && !page.contains("<textarea"), "{page}");
    }
    let inbox = nora.get("/admin");
    assert!(inbox.contains("Whether you may answer some of these could not be decided"), "{inbox}");
    assert!(!inbox.contains("Nothing waits for you") && !inbox.contains("do not hold the permission"), "{inbox}");
}
