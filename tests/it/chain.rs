//! The chain: a journal that is not what was written is not believed.

use std::sync::Arc;

use kiff::{Actor, ActorId, Commit, Entity, MemoryStore, RolePolicy, Runtime, Sealed, Store, Verdict};
use pollster::block_on;

use crate::shop::{AddNote, Refund, open, order, paid, people, place};

/// The commits of an order that was placed, paid and noted.
fn journal() -> (kiff::EntityKey, Vec<Arc<Commit>>) {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let noted = runtime.execute(&people.agent, &key, AddNote { text: "fragile".into() }).await.unwrap();
        assert!(noted.executed().is_some());
        let commits = runtime.store().read(&key, 0, usize::MAX).await.unwrap();
        (key, commits)
    })
}

fn fold(commits: &[Arc<Commit>]) -> Result<Entity<Refund>, kiff::BrokenJournal> {
    Entity::fold(order("ord-1"), commits)
}

#[test]
fn a_commit_that_is_missing_or_out_of_place_is_named() {
    let (_, commits) = journal();
    assert_eq!(fold(&commits).unwrap().number(), 4);
    for missing in 0..commits.len() - 1 {
        let mut cut = commits.clone();
        cut.remove(missing);
        let broken = fold(&cut).unwrap_err();
        assert_eq!(broken.number, missing as u64 + 2);
        assert!(broken.problem.contains("does not follow"), "{broken}");
    }
    let mut swapped = commits.clone();
    swapped.swap(1, 2);
    assert_eq!(fold(&swapped).unwrap_err().number, 3);
}

#[test]
fn a_commit_of_another_history_does_not_fit() {
    let (key, commits) = journal();
    // The same facts under the same number, but upon another past.
    let forged = Sealed::new(key, 2, kiff::Digest::from_bytes([7; 32]), commits[1].content().clone());
    let broken = fold(&[Arc::clone(&commits[0]), Arc::clone(forged.commit())]).unwrap_err();
    assert!(broken.problem.contains("the hash before is another"), "{broken}");

    let runtime = open();
    let other = block_on(place(&runtime, "ord-2"));
    let others = block_on(runtime.store().read(&other, 0, 9)).unwrap();
    assert!(fold(&others).unwrap_err().problem.contains("it is of `Order/ord-2`"));
}

/// The commit written once more, as a store would keep it.
fn sealed_again(commit: &Commit) -> Sealed {
    let content = commit.content().clone();
    Sealed::new(commit.key().clone(), commit.number(), commit.previous(), content)
}

#[test]
fn a_body_of_which_any_byte_was_changed_is_not_opened() {
    let (key, commits) = journal();
    for commit in commits {
        let sealed = sealed_again(&commit);
        let (hash, body) = (sealed.commit().hash(), sealed.body());
        let opened = Commit::open(key.clone(), commit.number(), commit.previous(), hash, body).unwrap();
        assert_eq!(opened, **sealed.commit());
        opened.verify().unwrap();
        for place in 0..body.len() {
            let mut edited = body.to_vec();
            edited[place] ^= 1;
            let broken = Commit::open(key.clone(), commit.number(), commit.previous(), hash, &edited).unwrap_err();
            assert!(broken.problem.contains("its hash does not fit"), "{broken}");
        }
        assert!(Commit::open(key.clone(), commit.number() + 1, commit.previous(), hash, body).is_err());
        assert!(Commit::open(order("ord-2"), commit.number(), commit.previous(), hash, body).is_err());
    }
}

/// Two releases of one domain in which one event leads to another state.
macro_rules! release {
    ($release:ident, $arrived:ident, $vanished:ident) => {
        mod $release {
            use kiff::{Failure, action, domain};

            domain! {
                /// A parcel.
                pub domain Post governs Parcel;
                roles { Clerk: agent, Courier: system }
                states { Sent, final Delivered, final Lost }
                events {
                    ParcelSent     reported by Courier;
                    ParcelArrived  reported by Courier;
                    ParcelVanished reported by Courier;
                }
                transitions {
                    ParcelSent:     new  => Sent;
                    ParcelArrived:  Sent => $arrived;
                    ParcelVanished: Sent => $vanished;
                }
                actions { Track { risk: low, by: Clerk, emits: none, effect: none }; }
                allow { Sent => [Track]; }
            }

            /// Looks where it is.
            #[action(Post::Track)]
            async fn track() -> Result<(), Failure> {
                Ok(())
            }
        }
    };
}

release!(first, Delivered, Lost);
release!(second, Lost, Delivered);

#[test]
fn a_replay_that_leads_elsewhere_says_so() {
    block_on(async {
        let (store, courier) = (Arc::new(MemoryStore::new()), Actor::system("courier").unwrap());
        let policy = RolePolicy::new().assign(ActorId::new("courier").unwrap(), first::PostRole::Courier);
        let before = Runtime::<first::Post, _>::new(Arc::clone(&store), policy.clone(), ());
        let after = Runtime::<second::Post, _>::new(store, policy, ());
        let parcel = kiff::EntityKey::new("Parcel", "p-1").unwrap();
        assert!(before.ingest(&courier, &parcel, first::ParcelSent {}).await.unwrap().is_allowed());
        assert!(before.ingest(&courier, &parcel, first::ParcelArrived {}).await.unwrap().is_allowed());
        let rebuilt = before.rebuild(&courier, &parcel).await.unwrap();
        assert!(matches!(rebuilt, Verdict::Allowed(rebuilt) if rebuilt.matches));
        let rebuilt = after.rebuild(&courier, &parcel).await.unwrap();
        let Verdict::Allowed(rebuilt) = rebuilt else { panic!("{rebuilt:?}") };
        assert!(!rebuilt.matches);
        assert_eq!(rebuilt.state, second::ParcelState::Lost);
        let timeline = after.timeline(&parcel).await.unwrap().to_string();
        assert!(timeline.contains("LOST from 2 events, NOT as recorded"), "{timeline}");
    });
}
