//! P3: an approval is bound to the contract as it was compiled.

use std::sync::Arc;

use kiff::{
    Actor, ActorId, Bounds, Call, EntityKey, MemoryStore, Outcome, Proposal, Review, RolePolicy, Runtime, Verdict,
};
use pollster::block_on;

/// Two releases of one domain that differ in one bound.
macro_rules! release {
    ($release:ident, $most:literal) => {
        pub(crate) mod $release {
            use kiff::{Cents, Failure, action, domain};

            domain! {
                /// A till.
                pub domain Till governs Drawer;
                roles { Clerk: agent, Manager: human, Shop: system }
                states { Open, final Emptied }
                events {
                    DrawerOpened reported by Shop;
                    DrawerEmptied { amount: Cents };
                }
                transitions {
                    DrawerOpened:  new  => Open;
                    DrawerEmptied: Open => Emptied;
                }
                actions {
                    EmptyDrawer { risk: critical, by: Clerk, emits: DrawerEmptied, approval: Manager };
                }
                allow { Open => [EmptyDrawer]; }
            }

            /// Takes the money out.
            #[action(Till::EmptyDrawer)]
            async fn empty_drawer(
                #[param(range(min = 1, max = $most))] amount: Cents,
            ) -> Result<DrawerEmptied, Failure> {
                Ok(DrawerEmptied { amount })
            }
        }
    };
}

release!(first, 1_000);
release!(second, 1_000_000);

/// A drawer under both releases, and who is at it.
pub(crate) struct Counter {
    pub(crate) before: Runtime<first::Till, Arc<MemoryStore>>,
    pub(crate) after: Runtime<second::Till, Arc<MemoryStore>>,
    pub(crate) drawer: EntityKey,
    pub(crate) clerk: Actor,
    pub(crate) manager: Actor,
}

pub(crate) async fn counter() -> Counter {
    let store = Arc::new(MemoryStore::new());
    let actor = |id| ActorId::new(id).unwrap();
    let policy = RolePolicy::new()
        .assign(actor("clerk"), first::TillRole::Clerk)
        .assign(actor("mia"), first::TillRole::Manager)
        .assign(actor("shop"), first::TillRole::Shop);
    let before = Runtime::<first::Till, _>::new(Arc::clone(&store), policy.clone(), ());
    let after = Runtime::<second::Till, _>::new(store, policy, ());
    let drawer = EntityKey::new("Drawer", "d-1").unwrap();
    let shop = Actor::system("shop").unwrap();
    assert!(before.ingest(&shop, &drawer, first::DrawerOpened).await.unwrap().is_allowed());
    Counter { before, after, drawer, clerk: Actor::agent("clerk").unwrap(), manager: Actor::human("mia").unwrap() }
}

pub(crate) fn empty(amount: i64) -> Call {
    Call::new("EMPTY_DRAWER", format!(r#"{{"amount": {amount}}}"#))
}

#[test]
fn p3_what_waits_under_a_contract_that_is_no_more_can_be_denied() {
    block_on(async {
        let Counter { before, after, drawer, clerk, manager } = counter().await;
        let asked = before.request_approval(&clerk, &drawer, empty(500)).await.unwrap().into_result().unwrap();
        let granted = after.review(&manager, &drawer, &asked.id, Review::grant()).await.unwrap();
        let remedy = granted.refusal().unwrap().remedy.as_deref();
        assert_eq!(remedy, Some("have it asked for again, and deny this one"));
        assert!(!after.review(&clerk, &drawer, &asked.id, Review::deny()).await.unwrap().is_allowed());
        assert!(after.review(&manager, &drawer, &asked.id, Review::deny()).await.unwrap().is_allowed());
        assert!(after.entity(&drawer).await.unwrap().open_approvals().is_empty());
        // The contract may come back; the no stays.
        let granted = before.review(&manager, &drawer, &asked.id, Review::grant()).await.unwrap();
        assert!(granted.refusal().unwrap().message.contains("was already denied by `mia`"), "{granted:?}");
    });
}

#[test]
fn what_waits_or_is_granted_under_a_contract_that_is_no_more_takes_no_room() {
    block_on(async {
        let Counter { before, after, drawer, clerk, manager } = counter().await;
        let narrow = Bounds { open_approvals: 2, ..Bounds::DEFAULT };
        let (before, after) = (before.with_bounds(narrow), after.with_bounds(narrow));
        for amount in [1, 2] {
            let asked = before.request_approval(&clerk, &drawer, empty(amount)).await.unwrap().into_result().unwrap();
            if amount == 1 {
                assert!(before.review(&manager, &drawer, &asked.id, Review::grant()).await.unwrap().is_allowed());
            }
        }
        assert!(!before.request_approval(&clerk, &drawer, empty(3)).await.unwrap().is_allowed());
        for amount in [1, 2] {
            assert!(after.request_approval(&clerk, &drawer, empty(amount)).await.unwrap().is_allowed());
        }
        assert!(!after.request_approval(&clerk, &drawer, empty(3)).await.unwrap().is_allowed());
    });
}

#[test]
fn p3_another_contract_holds_what_was_approved_under_the_first() {
    block_on(async {
        let Counter { before, after, drawer, clerk, manager } = counter().await;
        let call = || Call::new("EMPTY_DRAWER", r#"{"amount": 500}"#);
        let asked = before.request_approval(&clerk, &drawer, call()).await.unwrap();
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        let worthless = after.review(&manager, &drawer, &approval.id, Review::grant()).await.unwrap();
        let told = &worthless.refusal().unwrap().message;
        assert!(told.contains("the contract of `EMPTY_DRAWER` has changed"), "{told}");
        assert!(before.review(&manager, &drawer, &approval.id, Review::grant()).await.unwrap().is_allowed());

        let outcome = after.execute(&clerk, &drawer, call()).await.unwrap();
        let Outcome::ApprovalRequired(held) = outcome else { panic!("{outcome:?}") };
        assert!(held.message.contains("the contract of `EMPTY_DRAWER` has changed"), "{}", held.message);
        // The contract may come back, so that a grant under it can be withdrawn meanwhile.
        let dear = || Call::new("EMPTY_DRAWER", r#"{"amount": 501}"#);
        let Verdict::Allowed(asked) = before.request_approval(&clerk, &drawer, dear()).await.unwrap() else {
            panic!("it can be asked for")
        };
        assert!(before.review(&manager, &drawer, &asked.id, Review::grant()).await.unwrap().is_allowed());
        assert!(after.review(&manager, &drawer, &asked.id, Review::withdraw()).await.unwrap().is_allowed());
        let outcome = before.execute(&clerk, &drawer, Proposal::new(dear()).approval(asked.id)).await.unwrap();
        let Outcome::ApprovalRequired(held) = outcome else { panic!("{outcome:?}") };
        assert!(held.message.contains("was withdrawn by `mia`"), "{}", held.message);

        let outcome = before.execute(&clerk, &drawer, call()).await.unwrap();
        assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    });
}
