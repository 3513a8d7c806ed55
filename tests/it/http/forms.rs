//! The forms of the pages: what is chosen is what is meant.

use std::sync::Arc;

use kiff::http::{Api, Limits};
use kiff::{Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use pollster::block_on;

use super::page::{Browser, between};
use super::server::Server;
use crate::shop::people;

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
    let served = Arc::clone(&board);
    let server = Server::with(Limits::DEFAULT, move |api: Api| api.domain(served));
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
