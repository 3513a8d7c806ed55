//! What is open in the domains, as far as somebody may see it: the oldest first, part by part.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::timeout;

use crate::journal::Open;
use crate::runtime::{Doubt, Pending};
use crate::served::{Answering, Served};

use super::envelope::fitting;
use super::problem::Problem;
use super::request::{Caller, Sight};
use super::{Shared, cursor};

/// Something that is open in a domain.
pub(super) trait OpenMatter: Sized + Send {
    /// Those of a domain, of one tenant or of all, behind a place.
    fn list<'a>(
        served: &'a dyn Served,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Self>>;

    /// Its place.
    fn open(&self) -> &Open;

    /// How many bytes of it somebody else has sent.
    fn size(&self) -> usize;

    /// Whether anything can come of it, so that it is counted.
    fn is_counted(&self, served: &dyn Served) -> bool;
}

impl OpenMatter for Pending {
    fn list<'a>(
        served: &'a dyn Served,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Self>> {
        served.pending_approvals(tenant, after, limit)
    }

    fn open(&self) -> &Open {
        &self.open
    }

    fn size(&self) -> usize {
        self.approval.size()
    }

    fn is_counted(&self, served: &dyn Served) -> bool {
        served.is_current(&self.approval)
    }
}

impl OpenMatter for Doubt {
    fn list<'a>(
        served: &'a dyn Served,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Self>> {
        served.in_doubt(tenant, after, limit)
    }

    fn open(&self) -> &Open {
        &self.open
    }

    /// Nothing of what was sent is told.
    fn size(&self) -> usize {
        0
    }

    fn is_counted(&self, _: &dyn Served) -> bool {
        true
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Of which sort of entity.
    pub(super) entity_type: Option<&'a str>,
    /// Behind which place.
    pub(super) after: Option<&'a Open>,
    /// How many at most.
    pub(super) limit: usize,
    /// For how many bytes of them there is room. One always fits.
    pub(super) room: usize,
    /// For how long to go on as long as nothing was found.
    pub(super) patience: Duration,
}

/// How long somebody waits for what they may see, where it comes behind much that they may not.
pub(super) const READING_ON: Duration = Duration::from_secs(1);

impl Wanted<'_> {
    /// How many of these are a part.
    fn fitting<'m, M: OpenMatter + 'm>(&self, matters: impl Iterator<Item = &'m M>) -> usize {
        fitting(matters.take(self.limit).map(M::size), self.room)
    }
}

/// A part of a list.
///
/// INVARIANT: what it says of what the caller may not see is at most when it was opened.
pub(super) struct Part<M> {
    /// Each with its domain.
    pub(super) items: Vec<(Arc<dyn Served>, M)>,
    /// Behind which place the list goes on; none where it is at its end. There may be a next part also where this one has
    /// fewer items than were wanted, or none: those in between may not be seen.
    pub(super) next: Option<Open>,
    /// Whether something was left out of which nobody can say whether the caller may see it.
    pub(super) undecided: bool,
}

/// So many times as many are looked at as are wanted, before an answer is given all the same.
const LOOKED_AT: usize = 20;

impl Shared {
    /// Shows what waits and what is in doubt in each domain, of every tenant.
    pub(super) async fn count_open(&self) {
        for served in self.domains(None) {
            count::<Pending>(&**served, "kiff_open_approvals").await;
            count::<Doubt>(&**served, "kiff_doubts").await;
        }
    }

    /// What is open and the caller may see, where `fits` says that it belongs to the list.
    pub(super) async fn open<M: OpenMatter>(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        fits: impl Fn(&dyn Served, &M) -> bool,
    ) -> Result<Part<M>, Problem> {
        let until = Instant::now() + wanted.patience;
        let mut part = self.part(caller, wanted, &fits).await?;
        while part.items.is_empty()
            && Instant::now() < until
            && let Some(next) = part.next.take()
        {
            // Others are answered meanwhile.
            yield_now().await;
            let undecided = part.undecided;
            part = self.part(caller, Wanted { after: Some(&next), ..wanted }, &fits).await?;
            part.undecided |= undecided;
        }
        Ok(part)
    }

    /// The first part of it, of which so much is looked at.
    async fn part<M: OpenMatter>(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        fits: &impl Fn(&dyn Served, &M) -> bool,
    ) -> Result<Part<M>, Problem> {
        let (mut items, mut next, mut undecided) = (Vec::new(), None, false);
        for served in self.domains(self.governed(wanted.entity_type)?) {
            let (found, looked_to) = of_domain(&**served, caller, wanted, fits, &mut undecided).await?;
            items.extend(found.into_iter().map(|matter| (Arc::clone(served), matter)));
            next = [next, looked_to].into_iter().flatten().min();
        }
        items.sort_by(|(_, one), (_, other)| one.open().cmp(other.open()));
        // What stands behind the place to which every domain was looked at comes with the next part.
        items.retain(|(_, matter)| next.as_ref().is_none_or(|next| matter.open() <= next));
        let fitting = wanted.fitting(items.iter().map(|(_, matter)| matter));
        if items.len() > fitting {
            items.truncate(fitting);
            next = items.last().map(|(_, last)| last.open().clone());
        }
        if let Some(hidden) = next.take_if(|next| items.last().is_none_or(|(_, last)| last.open() != next)) {
            items.retain(|(_, matter)| matter.open().since < hidden.since);
            next = Some(cursor::before(hidden.since)?);
        }
        Ok(Part { items, next, undecided })
    }
}

/// Shows how many there are, or that nobody knows: whoever looks at the counts wants the others all the same.
async fn count<M: OpenMatter>(served: &dyn Served, gauge: &'static str) {
    /// More are not counted.
    const MOST: usize = 1000;
    const PATIENCE: Duration = Duration::from_secs(1);
    let listed = timeout(PATIENCE, M::list(served, None, None, MOST)).await;
    let found = listed.ok().and_then(Result::ok);
    let many = found.map(|found| found.iter().filter(|matter| matter.is_counted(served)).count());
    let many = many.and_then(|many| u32::try_from(many).ok());
    metrics::gauge!(gauge, "domain" => &*served.schema().domain).set(many.map_or(f64::NAN, f64::from));
}

/// What fits in one domain, at least one more than is wanted, and where it was stopped to look; none where that is the end. Between
/// two matters that were opened at the same instant it is not stopped, so that the instant alone tells where to go on.
async fn of_domain<M: OpenMatter>(
    served: &dyn Served,
    caller: &Caller,
    wanted: Wanted<'_>,
    fits: impl Fn(&dyn Served, &M) -> bool,
    undecided: &mut bool,
) -> Result<(Vec<M>, Option<Open>), Problem> {
    /// How many are read at once.
    const PAGE: usize = 64;
    let asked = PAGE.min(wanted.limit.saturating_add(1));
    let tenant = Some(caller.principal.tenant());
    let (mut found, mut looked_to, mut looked_at) = (Vec::new(), wanted.after.cloned(), 0);
    let begun = |looked_to: &Option<Open>| looked_to.as_ref().map(|open| open.since);
    let mut since = begun(&looked_to);
    while wanted.fitting(found.iter()) == found.len()
        && (looked_at < LOOKED_AT * wanted.limit || since == begun(&looked_to))
    {
        let page = M::list(served, tenant, looked_to.as_ref(), asked).await?;
        let is_last = page.len() < asked;
        looked_at += page.len();
        looked_to = page.last().map(|last| last.open().clone()).or(looked_to);
        // The first instant of all, where the list begins.
        since = since.or_else(|| page.first().map(|first| first.open().since));
        for matter in page {
            match caller.sight(served, &matter.open().key) {
                Sight::Shown if fits(served, &matter) => found.push(matter),
                Sight::Shown | Sight::Hidden => {}
                Sight::Undecided => *undecided = true,
            }
        }
        if is_last {
            return Ok((found, None));
        }
    }
    Ok((found, looked_to))
}
