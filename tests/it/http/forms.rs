//! The forms of the pages: what is chosen is what is meant, and what is typed is there until it is done.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use kiff::http::{Api, Limits};
use kiff::{Domain, Failure, MemoryStore, Outcome, RolePolicy, Runtime, Verdict, action, domain};
use pollster::block_on;

use super::page::{Browser, between, post};
use super::server::Server;
use crate::shop::{self, MarkPaid, Mood, people};

domain! {
    /// Notices that are put up, and whose last event is called as a form's own word is.
    pub domain Board governs Notice;
    roles { Clerk: human, Runner: agent }
    states { Hung, final Gone }
    events {
        NoticeHung { page: u32 } reported by Clerk;
        NoticeGone as "not";
    }
    transitions {
        NoticeHung: new => Hung;
        NoticeGone: Hung => Gone;
    }
    actions { TakeDown { risk: low, by: Runner, emits: NoticeGone }; }
    allow { Hung => [TakeDown]; }
}

/// Takes it down, and does not say whether it did.
#[action(Board::TakeDown)]
async fn take_down() -> Result<NoticeGone, Failure> {
    Err(Failure::unknown("nobody looked"))
}

#[test]
fn p7_an_event_is_meant_whatever_its_name_is() {
    let policy = RolePolicy::new()
        .assign(people().nora.id().clone(), BoardRole::Clerk)
        .assign(people().agent.id().clone(), BoardRole::Runner);
    let board: Arc<Runtime<Board>> = Arc::new(Runtime::new(MemoryStore::new(), policy, ()));
    let own = Arc::clone(&board);
    let server = Server::with(Limits::DEFAULT, move |api: Api| api.domain(own));
    let key = Board::entity("notice-1").unwrap();
    assert!(block_on(board.ingest(&people().nora, &key, NoticeHung { page: 1 })).unwrap().is_allowed());
    assert!(block_on(board.execute(&people().agent, &key, TakeDown {})).unwrap().executed().is_none());
    let (nora, doubt) = (Browser::of(&server, &people().nora), "/admin/doubt/Notice/notice-1");
    let page = nora.get(doubt);
    let execution = between(&page, "name=\"execution\" value=\"", "\"");
    // The choice that the page offers beside the name.
    let (before, _) = page.split_once("It happened: <code>not</code>").unwrap();
    let chosen = before.rsplit_once("value=\"").unwrap().1.split('"').next().unwrap();
    let form = |chosen: &str| format!("execution={execution}&became={chosen}&reason=the+board+is+empty");
    for nothing in ["", "gone", "NOTICE_GONE"] {
        let told = nora.send(doubt, &form(nothing));
        assert_eq!((told.status, told.body.contains("Say what became of it.")), (400, true), "{nothing}");
    }
    assert_eq!(nora.send(doubt, &form(chosen)).status, 303);
    assert_eq!(block_on(board.entity(&key)).unwrap().state(), Some(NoticeState::Gone));
}

/// Whoever hears the page is told first that it is the answer to what was refused, and then why.
#[track_caller]
fn check_is_told(page: &str, title: &str) {
    assert_eq!(between(page, "<title>", "</title>"), format!("{title} · kiff"));
    assert_eq!(between(page, "<h1>", "</h1>"), title);
    assert!(page.contains("role=\"alert\" tabindex=\"-1\" autofocus>"), "{page}");
}

#[test]
fn what_a_reviewer_typed_is_still_there_when_it_was_refused() {
    let server = Server::open();
    block_on(shop::paid(&server.shop, "ord-1"));
    let asked = block_on(server.shop.request_approval(&people().agent, &shop::order("ord-1"), shop::refund(4_900)));
    let Verdict::Allowed(approval) = asked.unwrap() else { panic!("it is not held") };
    let card = format!("/admin/approvals/Order/ord-1/{}", approval.id);
    let nora = Browser::of(&server, &people().nora);
    let typed = "reason=two+photos%0D%0A%3Cb%3E+%26+%22a+list%22";
    let unsure = nora.send(&card, &format!("answer=perhaps&{typed}"));
    let forged = post(&nora.client, &card, &format!("csrf=0&answer=grant&{typed}"));
    for (told, status) in [(unsure, 400), (forged, 403)] {
        assert_eq!(told.status, status, "{}", told.body);
        check_is_told(&told.body, "Not sent: REFUND_ORDER on Order/ord-1");
        let field = between(&told.body, "name=\"reason\"", "</textarea>");
        assert!(field.ends_with(">two photos\n&lt;b&gt; &amp; &quot;a list&quot;"), "{field}");
    }
    let unsent = nora.get(&card);
    assert!(between(&unsent, "name=\"reason\"", "</textarea>").ends_with('>'));
    assert!(!unsent.contains("Not sent") && !unsent.contains(" autofocus"), "{unsent}");
    // Whatever a browser puts between lines, on the record and on the card they are lines.
    assert_eq!(nora.send(&card, &format!("answer=grant&{typed}")).status, 303);
    let granted = nora.get(&card);
    assert!(granted.contains("<q>two photos\n&lt;b&gt; &amp; &quot;a list&quot;</q>"), "{granted}");
    let entity = block_on(server.shop.entity(&shop::order("ord-1"))).unwrap();
    let signature = entity.open_approvals()[0].status.signature().unwrap();
    assert_eq!(signature.reason.as_deref(), Some("two photos\n<b> & \"a list\""));
}

#[test]
fn what_somebody_typed_about_a_doubt_is_still_there_when_it_was_refused() {
    let server = Server::open();
    block_on(shop::place(&server.shop, "ord-1"));
    server.shop.services().be(Mood::Silent);
    let pay = MarkPaid { payment_id: "pay-1".into() };
    assert!(block_on(server.shop.execute(&people().agent, &shop::order("ord-1"), pay)).unwrap().executed().is_none());
    let (nora, doubt) = (Browser::of(&server, &people().nora), "/admin/doubt/Order/ord-1");
    let page = nora.get(doubt);
    assert!(!page.contains(" checked>"), "{page}");
    let execution = between(&page, "name=\"execution\" value=\"", "\"");
    let form = |execution: &str, payload: &str| {
        format!("execution={execution}&became=event:ORDER_PAID&payload={payload}&reason=on+the+statement")
    };
    let unread = nora.send(doubt, &form(execution, "%7Boops"));
    let unfit = nora.send(doubt, &form(execution, "%7B%7D"));
    let forged = post(&nora.client, doubt, &format!("csrf=0&{}", form(execution, "%7B%7D")));
    for (told, status, payload) in [(unread, 400, "{oops"), (unfit, 409, "{}"), (forged, 403, "{}")] {
        assert_eq!(told.status, status, "{}", told.body);
        check_is_told(&told.body, "Not settled: Doubt about Order/ord-1");
        for (field, typed) in [("payload", payload), ("reason", "on the statement")] {
            let field = between(&told.body, &format!("name=\"{field}\""), "</textarea>");
            assert!(field.ends_with(&format!(">{typed}")), "{field}");
        }
        assert!(told.body.contains("value=\"event:ORDER_PAID\" checked>"), "{}", told.body);
    }
    // What was typed about another run says nothing of this one.
    let other = nora.send(doubt, &form("execution-999", "%7Boops"));
    assert_eq!((other.status, other.body.contains(" checked>")), (400, false), "{}", other.body);
}

#[test]
fn p7_what_was_heard_of_a_run_is_told_however_much_was_refused_meanwhile() {
    let (server, people) = (Server::open(), people());
    let key = block_on(shop::place(&server.shop, "ord-1"));
    let pay = || MarkPaid { payment_id: "pay-1".into() };
    server.shop.services().be(Mood::Waiting);
    let mut run = pin!(server.shop.execute(&people.agent, &key, pay()));
    assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let nora = Browser::of(&server, &people.nora);
    for _ in 0..100 {
        let refused = block_on(server.shop.execute(&people.agent, &key, pay())).unwrap();
        assert!(matches!(refused, Outcome::Blocked(_)), "{refused:?}");
    }
    server.shop.services().be(Mood::Silent);
    assert!(block_on(run).unwrap().executed().is_none());
    let doubt = nora.get("/admin/doubt/Order/ord-1");
    assert!(doubt.contains("Last heard: <q>no answer from the bank</q>") && doubt.contains("pay-1"), "{doubt}");
}
