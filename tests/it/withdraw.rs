//! P3: a grant that a human takes back lets nothing run.

use std::sync::{Arc, Barrier};

use kiff::{
    Actor, ApprovalId, ApprovalStatus, Domain, MemoryStore, Outcome, Policy, PolicyError, Proposal, Question,
    ReasonCode, Review, Runtime, Verdict,
};
use pollster::block_on;

use crate::shop::{Desk, Refund, SharedClock, granted, open, paid, people, policy, refund};

fn refused<T: std::fmt::Debug>(verdict: &Verdict<T>) -> String {
    let refusal = verdict.refusal().unwrap_or_else(|| panic!("not refused: {verdict:?}"));
    format!("{refusal}; {}", refusal.remedy.as_deref().unwrap_or("no remedy"))
}

#[test]
fn p3_a_grant_that_was_withdrawn_lets_nothing_run() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let approval = granted(&runtime, &key, refund(49)).await;
        let withdraw = Review::withdraw().because("the photo is of another lamp");
        let withdrawn = runtime.review(&people.omar, &key, &approval, withdraw).await.unwrap();
        let Verdict::Allowed(withdrawn) = withdrawn else { panic!("{withdrawn:?}") };
        let ApprovalStatus::Withdrawn(by) = &withdrawn.status else { panic!("{withdrawn:?}") };
        assert_eq!((by.by.id().as_str(), by.reason.as_deref()), ("omar", Some("the photo is of another lamp")));

        for proposal in [Proposal::new(refund(49)), Proposal::new(refund(49)).approval(approval.clone())] {
            let outcome = runtime.execute(&people.agent, &key, proposal).await.unwrap();
            let Outcome::ApprovalRequired(held) = &outcome else { panic!("{outcome:?}") };
            let why = format!("the grant of approval `{approval}` was withdrawn by `omar`");
            assert!(held.message.contains(&why), "{}", held.message);
        }
        assert_eq!(runtime.services().done(), ["captured pay-1"]);
        let timeline = runtime.timeline(&key).await.unwrap();
        let told = timeline.to_string();
        let line = told.lines().find(|line| line.contains("approval_withdrawn")).unwrap();
        assert!(line.ends_with(&format!("{approval} because \"the photo is of another lamp\"")), "{line}");
        assert!(runtime.rebuild(&people.nora, &key).await.unwrap().is_allowed());

        // What is asked for anew is a request of its own.
        let again = granted(&runtime, &key, refund(49)).await;
        assert_ne!(again, approval);
        assert!(runtime.execute(&people.agent, &key, refund(49)).await.unwrap().executed().is_some());
    });
}

#[test]
fn p3_a_grant_is_withdrawn_by_whoever_could_have_said_no() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let approval = granted(&runtime, &key, refund(49)).await;
        for (somebody, why) in [
            (&people.agent, "only a human can withdraw a grant"),
            (&people.shop, "only a human can withdraw a grant"),
            (&Actor::human("agent-7").unwrap(), "asked for approval"),
            (&Actor::human("mallory").unwrap(), "does not have `refund.approve_refund_order`"),
        ] {
            let answered = runtime.review(somebody, &key, &approval, Review::withdraw()).await.unwrap();
            assert_eq!(answered.refusal().unwrap().code, ReasonCode::PermissionDenied);
            assert!(refused(&answered).contains(why), "{answered:?}");
        }
        let kinds = runtime.timeline(&key).await.unwrap().kinds();
        assert_eq!(kinds.iter().filter(|kind| **kind == "approval_review_rejected").count(), 4);
        assert!(runtime.execute(&people.agent, &key, refund(49)).await.unwrap().executed().is_some());
    });
}

#[test]
fn only_what_is_granted_and_neither_spent_nor_expired_can_be_withdrawn() {
    block_on(async {
        let (people, clock) = (people(), SharedClock::default());
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy(), Desk::default()).with_clock(clock.clone());
        let key = paid(&runtime, "ord-1").await;
        let answer = async |approval: &ApprovalId, review| {
            refused(&runtime.review(&people.nora, &key, approval, review).await.unwrap())
        };
        let ask = async |amount| match runtime.request_approval(&people.agent, &key, refund(amount)).await.unwrap() {
            Verdict::Allowed(asked) => asked.id,
            other => panic!("{other:?}"),
        };
        let waits = ask(1).await;
        let told = answer(&waits, Review::withdraw()).await;
        assert!(
            told.contains("waits for a review: there is no grant to withdraw") && told.contains("deny it"),
            "{told}"
        );
        let denied = ask(2).await;
        assert!(runtime.review(&people.nora, &key, &denied, Review::deny()).await.unwrap().is_allowed());
        let told = answer(&denied, Review::withdraw()).await;
        assert!(told.contains("was already denied by `nora`"), "{told}");

        // A no that comes too late does not take the yes back by itself, and says how to.
        let yes = granted(&runtime, &key, refund(3)).await;
        let told = answer(&yes, Review::deny()).await;
        assert!(told.contains("already granted by `nora`") && told.contains("withdraw the grant"), "{told}");
        assert!(runtime.review(&people.nora, &key, &yes, Review::withdraw()).await.unwrap().is_allowed());
        for review in [Review::withdraw(), Review::grant(), Review::deny()] {
            let told = answer(&yes, review).await;
            assert!(told.contains("was already withdrawn by `nora`"), "{told}");
        }

        let late = granted(&runtime, &key, refund(4)).await;
        clock.0.pass(Runtime::<Refund>::APPROVAL_LIFETIME);
        let told = answer(&late, Review::withdraw()).await;
        assert!(told.contains("expired at"), "{told}");
    });
}

#[test]
fn a_grant_that_a_run_has_spent_is_not_withdrawn() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let spent = granted(&runtime, &key, refund(49)).await;
        let outcome = runtime.execute(&people.agent, &key, refund(49)).await.unwrap();
        let run = outcome.executed().unwrap().execution.clone();
        let told = refused(&runtime.review(&people.nora, &key, &spent, Review::withdraw()).await.unwrap());
        assert!(told.contains(&format!("was already spent by `{run}`")), "{told}");
    });
}

#[test]
fn p3_of_a_run_and_a_withdrawal_at_once_one_wins_and_the_other_is_told() {
    for round in 0..50 {
        let (runtime, people) = (Arc::new(open()), people());
        let key = block_on(paid(&runtime, &format!("ord-{round}")));
        let approval = block_on(granted(&runtime, &key, refund(49)));
        let start = Barrier::new(2);
        let (run, withdrawn) = std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                start.wait();
                block_on(runtime.execute(&people.agent, &key, refund(49))).unwrap()
            });
            let withdrawn = scope.spawn(|| {
                start.wait();
                block_on(runtime.review(&people.nora, &key, &approval, Review::withdraw())).unwrap()
            });
            (run.join().unwrap(), withdrawn.join().unwrap())
        });
        let has_run = run.executed().is_some();
        assert_ne!(has_run, withdrawn.is_allowed(), "{run:?} {withdrawn:?}");
        assert_eq!(runtime.services().done().len(), if has_run { 2 } else { 1 });
        let told = if has_run { refused(&withdrawn) } else { run.refusal().unwrap().to_string() };
        assert!(told.contains("spent by") || told.contains("withdrawn by"), "{told}");
    }
}

/// One domain in two releases: in the later one, nobody has to approve a note.
macro_rules! release {
    ($release:ident, $($approval:tt)*) => {
        mod $release {
            use kiff::{Failure, action, domain};

            domain! {
                pub domain Notes governs Page;
                roles { Agent: agent, Editor: human, Reader: human, Shop: system }
                states { Open, final Closed }
                events { PageOpened reported by Shop; PageClosed reported by Editor; NoteAdded reported by Reader; }
                transitions { PageOpened: new => Open; PageClosed: Open => Closed; NoteAdded: Open => Open; }
                actions { AddNote { risk: low, by: Agent, emits: none $($approval)* }; }
                allow { Open => [AddNote]; }
            }

            #[action(Notes::AddNote)]
            async fn add_note() -> Result<(), Failure> {
                Ok(())
            }
        }
    };
}

release!(first, , approval: Editor);
release!(second,);

#[test]
fn p3_a_grant_is_withdrawn_also_while_nobody_has_to_approve_its_action() {
    block_on(async {
        let people = people();
        let (nora, omar, shop) = (people.nora.id().clone(), people.omar.id().clone(), people.shop.id().clone());
        let store = Arc::new(MemoryStore::new());
        let page = kiff::EntityKey::new("Page", "page-1").unwrap();
        let policy = kiff::RolePolicy::new()
            .assign(people.agent.id().clone(), first::NotesRole::Agent)
            .assign(nora.clone(), first::NotesRole::Editor)
            .assign(shop, first::NotesRole::Shop);
        let first = Runtime::<first::Notes, _>::new(Arc::clone(&store), policy, ());
        assert!(first.ingest(&people.shop, &page, first::PageOpened {}).await.unwrap().is_allowed());
        let asked = first.request_approval(&people.agent, &page, first::AddNote {}).await.unwrap();
        let Verdict::Allowed(asked) = asked else { panic!("{asked:?}") };
        assert!(first.review(&people.nora, &page, &asked.id, Review::grant()).await.unwrap().is_allowed());

        let policy = kiff::RolePolicy::new().assign(omar, second::NotesRole::Reader);
        let second = Runtime::<second::Notes, _>::new(Arc::clone(&store), policy, ());
        let withdraws = Runtime::<second::Notes, _>::new(store, Only("notes.withdraw"), ());
        let refused = withdraws.review(&people.omar, &page, &asked.id, Review::withdraw()).await.unwrap();
        assert!(refused.refusal().unwrap().message.contains("does not have `notes.approval.withdraw`"), "{refused:?}");
        for stranger in [&people.nora, &people.agent] {
            let refused = second.review(stranger, &page, &asked.id, Review::withdraw()).await.unwrap();
            assert_eq!(refused.refusal().unwrap().code, ReasonCode::PermissionDenied, "{refused:?}");
        }
        assert!(second.review(&people.omar, &page, &asked.id, Review::withdraw()).await.unwrap().is_allowed());
        // The first release comes back, and with it what the grant was bound to.
        let outcome = first.execute(&people.agent, &page, first::AddNote {}).await.unwrap();
        assert!(matches!(outcome, Outcome::ApprovalRequired(_)), "{outcome:?}");
    });
}

#[test]
fn p3_what_waits_is_denied_also_while_nobody_has_to_approve_its_action() {
    block_on(async {
        let (people, store) = (people(), Arc::new(MemoryStore::new()));
        let page = kiff::EntityKey::new("Page", "page-1").unwrap();
        let policy = kiff::RolePolicy::new()
            .assign(&people.agent, first::NotesRole::Agent)
            .assign(&people.shop, first::NotesRole::Shop);
        let first = Runtime::<first::Notes, _>::new(Arc::clone(&store), policy, ());
        assert!(first.ingest(&people.shop, &page, first::PageOpened {}).await.unwrap().is_allowed());
        let asked = first.request_approval(&people.agent, &page, first::AddNote {}).await.unwrap();
        let asked = asked.into_result().unwrap().id;

        let policy = kiff::RolePolicy::new().assign(&people.omar, second::NotesRole::Reader);
        let second = Runtime::<second::Notes, _>::new(store, policy, ());
        let granted = second.review(&people.omar, &page, &asked, Review::grant()).await.unwrap();
        assert_eq!(granted.refusal().unwrap().remedy.as_deref(), Some("deny it"), "{granted:?}");
        for stranger in [&people.nora, &people.agent] {
            let denied = second.review(stranger, &page, &asked, Review::deny()).await.unwrap();
            assert_eq!(denied.refusal().unwrap().code, ReasonCode::PermissionDenied, "{denied:?}");
        }
        assert!(second.review(&people.omar, &page, &asked, Review::deny()).await.unwrap().is_allowed());
        assert!(second.entity(&page).await.unwrap().open_approvals().is_empty());
    });
}

/// A policy by which everybody holds the roles that carry one permission, and nobody any other.
struct Only(&'static str);

impl Policy for Only {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        Ok(question.permission.name == self.0)
    }
}

mod bank {
    use kiff::{Failure, action, domain};

    domain! {
        pub domain Bank governs Account;
        roles { Agent: agent, Clerk: human }
        states { Open, final Closed }
        events { AccountOpened reported by Clerk; AccountClosed reported by Clerk; }
        transitions { AccountOpened: new => Open; AccountClosed: Open => Closed; }
        actions {
            Read     { risk: low, by: Agent, emits: none };
            Withdraw { risk: low, by: Agent, emits: none };
        }
        allow { Open => [Read, Withdraw]; }
    }

    #[action(Bank::Read)]
    async fn read() -> Result<(), Failure> {
        Ok(())
    }

    #[action(Bank::Withdraw)]
    async fn withdraw() -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn p4_who_may_run_an_action_that_is_called_read_may_not_look_and_who_may_look_may_not_run_it() {
    use bank::{AccountOpened, Bank, Read, Withdraw};

    block_on(async {
        let (store, people) = (Arc::new(MemoryStore::new()), people());
        let account = Bank::entity("account-1").unwrap();
        let only = |permission| Runtime::<Bank, _>::new(Arc::clone(&store), Only(permission), ());
        let clerk = only("bank.report_account_opened");
        assert!(clerk.ingest(&people.nora, &account, AccountOpened).await.unwrap().is_allowed());

        let runs = only("bank.read");
        assert!(!runs.may_read(&people.agent, &account).unwrap());
        assert_eq!(runs.execute(&people.agent, &account, Read {}).await.unwrap().outcome(), "executed");
        let looks = only("bank.entity.read");
        assert!(looks.may_read(&people.agent, &account).unwrap());
        let denied = looks.execute(&people.agent, &account, Read {}).await.unwrap();
        assert_eq!(denied.refusal().unwrap().code, ReasonCode::PermissionDenied);
        let withdraws = only("bank.approval.withdraw");
        let denied = withdraws.execute(&people.agent, &account, Withdraw {}).await.unwrap();
        assert_eq!(denied.refusal().unwrap().code, ReasonCode::PermissionDenied);
    });
}
