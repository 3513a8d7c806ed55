//! The check of a whole store: every chain, what it is looked up by, every position, and what was signed.

use std::collections::HashSet;
use std::fmt;
use std::io;

use serde::Serialize;

use crate::digest::Digest;
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit, Cursor, Query};
use crate::merkle::TreeHead;
use crate::store::{Store, StoreError};

mod fault;
mod logged;
mod lookup;
mod order;
mod records;
mod swap;

pub use fault::Fault;

use logged::Leaves;
use lookup::{Lookups, Said};
use order::Order;
use records::Records;
use swap::Broken;

/// The check of a whole store, which knows no domain.
///
/// The chain alone finds what was changed in an entity's journal, and what was appended without following from what was there. Given a [head](TreeHead) that was written down or signed
/// before, the check finds as well that the store was cut or written anew since; given the leaves of the log, it names the
/// commits.
///
/// It can run while others write: what is appended behind its back is not looked at.
///
/// ```
/// use kiff::{MemoryStore, Verification};
///
/// # pollster::block_on(async {
/// let store = MemoryStore::new();
/// let report = Verification::of(&store).run(|progress| eprintln!("{progress:?}")).await?;
/// assert!(report.is_sound());
///
/// // Written down today, this head shows tomorrow that nothing before it was touched.
/// let head = report.head.ok_or("the order of the commits is broken")?;
/// let tomorrow = Verification::of(&store).signed(head).run(|_| ()).await?;
/// assert_eq!(tomorrow.confirmed, [head]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Verification<'a, S> {
    store: &'a S,
    signed: Vec<TreeHead>,
    /// What was signed of a log, and the log.
    log: Option<(TreeHead, Leaves<'a>)>,
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The chains are checked, entity by entity.
    Chains {
        /// How many entities were checked.
        entities: u64,
        /// How many commits they have.
        commits: u64,
        /// About how many commits there are.
        of: u64,
    },
    /// The order of all commits is checked.
    Order {
        /// How many were checked.
        commits: u64,
        /// About how many there are.
        of: u64,
    },
}

/// What a check has found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How many entities have a journal.
    pub entities: u64,
    /// How many commits have their place in an unbroken chain.
    pub commits: u64,
    /// How many positions the store has.
    pub positions: u64,
    /// The head over all commits of the store; none where one of them cannot be read.
    pub head: Option<TreeHead>,
    /// The given heads that the store still has.
    pub confirmed: Vec<TreeHead>,
    /// What is wrong: of each chain its first fault and what its store does not find by its keys, then what is wrongly open, then
    /// whatever the order of all commits shows beyond that.
    pub faults: Vec<Fault>,
}

/// How many entities or commits are read at once.
const PAGE: usize = 512;

impl<'a, S: Store> Verification<'a, S> {
    /// The check of a store, of its chains and positions alone.
    pub fn of(store: &'a S) -> Self {
        Self { store, signed: Vec::new(), log: None }
    }

    /// Checks as well that the store still begins with the commits of this head. Can be called for several.
    pub fn signed(mut self, head: TreeHead) -> Self {
        self.signed.push(head);
        self.signed.sort_unstable_by_key(|head| head.size);
        self
    }

    /// Checks as well that the store still begins with the commits of a log's signed head, and each of them against the leaf
    /// of the log at its position, so that a commit which is not the one that was logged can be named. The leaves are believed
    /// only where they lead to that head.
    pub fn log(self, head: TreeHead, leaves: impl Iterator<Item = io::Result<Digest>> + Send + 'a) -> Self {
        Self { log: Some((head, Box::new(leaves))), ..self.signed(head) }
    }

    /// Runs the check and tells how far it has come.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read at all. What is wrong with a journal is in the report.
    pub async fn run(self, mut progress: impl FnMut(Progress) + Send) -> Result<Report, StoreError> {
        let Self { store, signed, log } = self;
        let newest = store.search(&Query::default(), Cursor::LAST, 1).await;
        let of = newest.ok().and_then(|newest| newest.first().map(|(position, _)| *position)).unwrap_or_default();
        let (mut chains, mut lookups) = (Chains::default(), Lookups::of(store).await);
        let mut after = None;
        loop {
            let page = store.entities(after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().cloned();
            for key in page {
                chains.check(store, key, &mut lookups).await;
                let Chains { entities, commits, .. } = chains;
                progress(Progress::Chains { entities, commits, of });
            }
            // Others may bring new ones all the time.
            if is_last {
                break;
            }
        }
        chains.faults.extend(lookups.finish(store).await);
        let mut order = Order::new(signed, log);
        order.walk(store, |commits| progress(Progress::Order { commits, of: of.max(commits) })).await;
        Ok(Report::of(chains, order))
    }
}

impl<S> fmt::Debug for Verification<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification").field("signed", &self.signed).finish_non_exhaustive()
    }
}

/// The chains of the entities that were checked.
#[derive(Default)]
struct Chains {
    entities: u64,
    commits: u64,
    faults: Vec<Fault>,
    broken: Broken,
}

impl Chains {
    /// A commit that was edited, or stands where another one belongs.
    fn edited(&mut self, broken: &BrokenJournal) -> Fault {
        self.broken.push(broken);
        Fault::edited(broken)
    }

    /// Checks one entity up to its first fault; the others are checked all the same.
    async fn check<S: Store>(&mut self, store: &S, key: EntityKey, lookups: &mut Lookups) {
        self.entities += 1;
        let (mut records, mut said) = (Records::new(key.clone()), Said::default());
        match self.follow(store, &key, &mut records, &mut said).await {
            Ok(()) if records.are_known() => lookups.add(said),
            Ok(()) => lookups.leave_out(key),
            Err(fault) => {
                self.faults.push(fault);
                lookups.leave_out(key);
            }
        }
    }

    async fn follow<S: Store>(
        &mut self,
        store: &S,
        key: &EntityKey,
        records: &mut Records,
        said: &mut Said,
    ) -> Result<(), Fault> {
        let (mut number, mut head) = (0, Commit::GENESIS);
        loop {
            let (page, limit) = if let Ok(page) = store.read(key, number, PAGE).await {
                (page, PAGE)
            } else {
                // Those before the broken one are checked: one by one, because a page is read whole or not at all.
                let one = store.read(key, number, 1).await;
                let one = one.map_err(|error| match error.broken() {
                    Some(broken) => self.edited(broken),
                    None => Fault::unreadable(key.clone(), number, &error),
                })?;
                (one, 1)
            };
            let is_last = page.len() < limit;
            for (at, commit) in page.iter().enumerate() {
                let expected = number + 1;
                if commit.key() != key {
                    let (key, found) = (key.clone(), commit.key().clone());
                    return Err(Fault::Misplaced { key, number: expected, found });
                }
                if commit.number() != expected {
                    let later = page.iter().skip(at).any(|commit| commit.number() == expected);
                    let fault = if later || commit.number() < expected { Fault::reordered } else { Fault::missing };
                    return Err(fault(key.clone(), expected));
                }
                if commit.previous() != head {
                    return Err(Fault::Replaced { key: key.clone(), number: expected });
                }
                // INVARIANT: a commit whose hash does not fit what it says cannot be read.
                records.follow(commit).map_err(Fault::unfounded)?;
                self.faults.extend(said.follow(store, commit).await);
                (number, head) = (expected, commit.hash());
                self.commits += 1;
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

impl Report {
    fn of(chains: Chains, order: Order<'_>) -> Self {
        let Chains { entities, commits, mut faults, mut broken } = chains;
        let (head, positions) = (order.head(), order.positions());
        let (confirmed, found, also_broken) = order.finish();
        broken.extend(&also_broken);
        // A commit that cannot be read is met on both walks, and so is one that is gone.
        let named: HashSet<_> = faults.iter().filter_map(Fault::edit).collect();
        let misnumbered: HashSet<_> =
            faults.iter().filter(|fault| fault.is_of_numbers()).filter_map(Fault::entity).collect();
        let is_told = |fault: &Fault| {
            fault.edit().is_some_and(|edit| named.contains(&edit))
                || (fault.is_of_numbers() && fault.entity().is_some_and(|key| misnumbered.contains(key)))
        };
        let found: Vec<_> = found.into_iter().filter(|fault| !is_told(fault)).collect();
        faults.extend(found);
        broken.name(&mut faults);
        if commits > positions {
            faults.push(Fault::Inserted { commits, positions });
        }
        Self { entities, commits, positions, head, confirmed, faults }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}")?;
        }
        for head in &self.confirmed {
            writeln!(f, "what was signed is whole: {head}")?;
        }
        let Self { entities, commits, faults, .. } = self;
        match faults.len() {
            0 => write!(f, "{commits} commits of {entities} entities are what was written"),
            1 => write!(f, "{commits} commits of {entities} entities were checked, and 1 fault was found"),
            many => write!(f, "{commits} commits of {entities} entities were checked, and {many} faults were found"),
        }
    }
}
