//! The one writer of a log: it appends what the store has, and signs what it has appended.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use super::edge::{Edge, Files};
use super::key::Signers;
use super::log::{CHECKPOINT, CHECKPOINTS, LogError, read_checkpoint};
use super::tile::Tile;
use crate::journal::{Commit, Cursor, Query};
use crate::merkle::{self, TreeHead};
use crate::store::Store;

/// The one writer of a log: two processes cannot both be it.
///
/// Call [`advance`](Self::advance) as often as a checkpoint is wanted: every second, or after so many commits. It reads and
/// writes files, so call it where that may take its time. A crash at any step is harmless: what was signed stays, and what
/// is missing behind it is written again from the store.
///
/// ```
/// # use kiff::MemoryStore;
/// use kiff::proof::{LogError, Sequencer, SigningKey};
///
/// # let folder = std::env::temp_dir().join(format!("kiff-sequencer-{}", std::process::id()));
/// # let _ = std::fs::remove_dir_all(&folder);
/// # let store = MemoryStore::new();
/// # pollster::block_on(async {
/// let key = SigningKey::generate("example.com/refunds")?;
/// let mut sequencer = Sequencer::open(&folder, key.clone())?;
/// let advanced = sequencer.advance(&store).await?;
/// assert_eq!(advanced.size, 0);
///
/// assert!(matches!(Sequencer::open(&folder, key), Err(LogError::InUse { .. })));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sequencer {
    directory: PathBuf,
    /// Held as long as this lives.
    lock: File,
    signers: Signers,
    checkpoint_every: u64,
    /// What is signed and on disk; none before it was read, and after a failure.
    signed: Option<(SignedCheckpoint, Edge)>,
}

/// What [`Sequencer::advance`] did.
#[derive(Debug, Clone)]
pub struct Advanced {
    /// How many commits the log has now.
    pub size: u64,
    /// How many of them are new.
    pub appended: u64,
    /// The newest checkpoint.
    pub checkpoint: SignedCheckpoint,
}

/// How many commits are read at once.
const PAGE: usize = 512;

impl Drop for Sequencer {
    fn drop(&mut self) {
        // A process that this one is just starting has the file open as well for an instant, and would hold the lock. Where it
        // cannot be given up it goes with the file.
        let _ = self.lock.unlock();
    }
}

impl Sequencer {
    /// How many commits at most lie between two checkpoints when nothing else is said.
    pub const CHECKPOINT_EVERY: u64 = 16_384;

    /// Takes the folder, which is made when it is not there.
    ///
    /// # Errors
    /// [`LogError::InUse`] when another process has it, [`LogError::OtherKeys`] when it has a checkpoint that none of the keys has
    /// signed, as where the key was lost and another made in its place, [`LogError::File`] when it cannot be written.
    pub fn open(directory: impl Into<PathBuf>, signers: impl Into<Signers>) -> Result<Self, LogError> {
        let (directory, signers) = (directory.into(), signers.into());
        fs::create_dir_all(&directory).map_err(|error| at(&directory, &error))?;
        let path = directory.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|error| at(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LogError::InUse { directory }),
            Err(TryLockError::Error(error)) => return Err(at(&path, &error).into()),
        }
        let sequencer = Self { directory, lock, signers, checkpoint_every: Self::CHECKPOINT_EVERY, signed: None };
        sequencer.newest()?;
        Ok(sequencer)
    }

    /// The same, with a checkpoint after at most so many commits, also while it catches up.
    #[must_use]
    pub fn checkpoint_every(mut self, commits: u64) -> Self {
        self.checkpoint_every = commits.max(1);
        self
    }

    /// The name of the log: that of its key.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.signers.origin()
    }

    /// Appends the commits that the store has behind the log's last, and signs a checkpoint when there are some, or when the
    /// newest is not signed by each of the keys.
    ///
    /// # Errors
    /// [`LogError::RolledBack`], [`LogError::Rewritten`] and [`LogError::Diverged`] when the store is not what was signed: then
    /// nothing is signed. Where the tiles are whole, only the last commit that was signed is looked at.
    /// [`LogError`] when something cannot be read or written.
    pub async fn advance<S: Store>(&mut self, store: &S) -> Result<Advanced, LogError> {
        let (mut checkpoint, mut edge) = match self.signed.take() {
            Some(signed) => signed,
            None => self.recover(store).await?,
        };
        let before = checkpoint.claim().head().size;
        expect_signed(store, &edge).await?;
        let mut files = Files::new(self.directory.clone());
        loop {
            let size = edge.head().size;
            let page = store.search(&Query::default(), Cursor::After(size), PAGE).await?;
            // Where others write all the time there is always one more: what comes from here on is for the next call.
            let is_last = page.len() < PAGE;
            for (expected, (position, commit)) in (size + 1..).zip(page) {
                append(&mut edge, expected, position, &commit, |path, bytes| files.write(&path, &bytes))?;
                if expected - checkpoint.claim().head().size >= self.checkpoint_every {
                    checkpoint = self.sign(&edge, &mut files, Some(&checkpoint))?;
                }
            }
            if is_last {
                break;
            }
        }
        let size = edge.head().size;
        if size > checkpoint.claim().head().size || !checkpoint.is_signed_by(&self.signers) {
            checkpoint = self.sign(&edge, &mut files, Some(&checkpoint))?;
        }
        self.signed = Some((checkpoint.clone(), edge));
        Ok(Advanced { size, appended: size - before, checkpoint })
    }

    /// Writes the partial tiles, then the checkpoint that needs them, then its copy.
    fn sign(
        &self,
        edge: &Edge,
        files: &mut Files,
        before: Option<&SignedCheckpoint>,
    ) -> Result<SignedCheckpoint, LogError> {
        for (path, bytes) in edge.partial() {
            files.write(&path, &bytes)?;
        }
        files.settle()?;
        let head = edge.head();
        let checkpoint = SignedCheckpoint::sign(head, &self.signers);
        let text = checkpoint.to_string();
        files.write(Path::new(CHECKPOINT), text.as_bytes())?;
        files.settle()?;
        files.write(&Path::new(CHECKPOINTS).join(head.size.to_string()), text.as_bytes())?;
        files.settle()?;
        for copy in surplus(copies(&self.directory)?) {
            // One that cannot be removed takes a little room, and nothing else.
            drop(fs::remove_file(self.directory.join(CHECKPOINTS).join(copy.to_string())));
        }
        let before = before.map_or(0, |before| before.claim().head().size);
        for level in 0..Tile::levels(before) {
            let full = Tile::last_full(level, head.size);
            let partial = Tile::partial(level, before);
            if let Some(done) = partial.filter(|partial| full.is_some_and(|full| partial.index <= full.index)) {
                files.remove_partial(done)?;
            }
        }
        Ok(checkpoint)
    }

    /// Reads what was signed last, and its edge: from the tiles, or where they are damaged from the store. Where the newest
    /// checkpoint was found among the copies alone, it is put back in its place.
    async fn recover<S: Store>(&self, store: &S) -> Result<(SignedCheckpoint, Edge), LogError> {
        let Some((path, checkpoint, head)) = self.newest()? else {
            let edge = Edge::default();
            return Ok((self.sign(&edge, &mut Files::new(self.directory.clone()), None)?, edge));
        };
        let edge = match Edge::read(&self.directory, head.size) {
            Ok(edge) if edge.head() == head => edge,
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
                return Err(error.into());
            }
            _ => self.rebuild(store, head).await?,
        };
        if path != self.directory.join(CHECKPOINT) {
            let mut files = Files::new(self.directory.clone());
            files.write(Path::new(CHECKPOINT), checkpoint.to_string().as_bytes())?;
            files.settle()?;
        }
        Ok((checkpoint, edge))
    }

    /// What was signed last and its file, where one of the keys has signed it; none where nothing is signed yet.
    fn newest(&self) -> Result<Option<(PathBuf, SignedCheckpoint, TreeHead)>, LogError> {
        let Some((path, checkpoint)) = newest_checkpoint(&self.directory)? else { return Ok(None) };
        match checkpoint.verify(&self.signers.verifying_keys()).map(Checkpoint::head) {
            Ok(head) => Ok(Some((path, checkpoint, head))),
            Err(CheckpointError::Untrusted { .. }) => Err(LogError::OtherKeys { directory: self.directory.clone() }),
            Err(error) => Err(LogError::Checkpoint { path, error }),
        }
    }

    /// Writes the tiles of what was signed again from the store. Before it is known that the store still leads there nothing is
    /// written: the tiles that are left tell which of its commits are not those that were signed.
    async fn rebuild<S: Store>(&self, store: &S, signed: TreeHead) -> Result<Edge, LogError> {
        walk_to(store, signed, |_, _| Ok(())).await?;
        let mut files = Files::new(self.directory.clone());
        let edge = walk_to(store, signed, |path, bytes| files.write(&path, &bytes)).await?;
        for (path, bytes) in edge.partial() {
            files.write(&path, &bytes)?;
        }
        files.settle()?;
        Ok(edge)
    }
}

/// The edge of what was signed, from the store; each file of a tile that is full goes to `full`.
async fn walk_to<S: Store>(
    store: &S,
    signed: TreeHead,
    mut full: impl FnMut(PathBuf, Vec<u8>) -> io::Result<()>,
) -> Result<Edge, LogError> {
    let (mut edge, size) = (Edge::default(), signed.size);
    while edge.head().size < size {
        let from = edge.head().size;
        let limit = usize::try_from(size - from).map_or(PAGE, |rest| rest.min(PAGE));
        let page = store.search(&Query::default(), Cursor::After(from), limit).await?;
        if page.is_empty() {
            return Err(LogError::RolledBack { signed: size });
        }
        for (expected, (position, commit)) in (from + 1..).zip(page) {
            append(&mut edge, expected, position, &commit, &mut full)?;
        }
    }
    if edge.head() == signed { Ok(edge) } else { Err(LogError::Diverged { size }) }
}

fn append(
    edge: &mut Edge,
    expected: u64,
    position: u64,
    commit: &Commit,
    full: impl FnMut(PathBuf, Vec<u8>) -> io::Result<()>,
) -> Result<(), LogError> {
    if position != expected {
        return Err(LogError::Gap { position: expected });
    }
    Ok(edge.push(commit.hash(), full)?)
}

/// Checks that the last commit that was signed is still at its position.
async fn expect_signed<S: Store>(store: &S, edge: &Edge) -> Result<(), LogError> {
    let signed = edge.head().size;
    let Some(last) = edge.last() else { return Ok(()) };
    match store.search(&Query::default(), Cursor::After(signed - 1), 1).await?.first() {
        Some((position, commit)) if *position == signed && merkle::leaf(&commit.hash()) == last => Ok(()),
        Some((position, _)) if *position == signed => Err(LogError::Rewritten { position: signed }),
        Some(_) => Err(LogError::Gap { position: signed }),
        None => Err(LogError::RolledBack { signed }),
    }
}

/// The newest checkpoint and its file: a log that has lost it, or has an older one in its place, goes on behind the last of its
/// copies, never anew and never from further back.
fn newest_checkpoint(directory: &Path) -> Result<Option<(PathBuf, SignedCheckpoint)>, LogError> {
    let mut newest = None;
    for path in [last_copy(directory)?, Some(directory.join(CHECKPOINT))].into_iter().flatten() {
        let found = read_checkpoint(&path)?.map(|checkpoint| (path, checkpoint));
        newest = [newest, found].into_iter().flatten().max_by_key(|(_, checkpoint)| checkpoint.claim().head().size);
    }
    Ok(newest)
}

/// The copy of the checkpoint over the most commits.
fn last_copy(directory: &Path) -> Result<Option<PathBuf>, LogError> {
    Ok(copies(directory)?.last().map(|size| directory.join(CHECKPOINTS).join(size.to_string())))
}

/// The sizes of the checkpoints of which there are copies, in order.
fn copies(directory: &Path) -> Result<Vec<u64>, LogError> {
    let copies = match fs::read_dir(directory.join(CHECKPOINTS)) {
        Ok(copies) => copies,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let size = |copy: fs::DirEntry| copy.file_name().to_str()?.parse::<u64>().ok();
    let mut sizes: Vec<u64> = copies.filter_map(Result::ok).filter_map(size).collect();
    sizes.sort_unstable();
    Ok(sizes)
}

/// How many of the newest copies are kept, however close they are.
const NEWEST: usize = 16;

/// Of the older ones one is kept for so many commits.
const SPAN: u64 = 65_536;

/// Which of the copies go: the folder of a log that is signed every second would be full of them. The first of each span stays
/// for good, so that what is an older checkpoint today is one tomorrow.
fn surplus(mut sizes: Vec<u64>) -> Vec<u64> {
    sizes.truncate(sizes.len().saturating_sub(NEWEST));
    let mut kept = None;
    sizes.retain(|size| kept.replace(size / SPAN) == Some(size / SPAN));
    sizes
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_older_checkpoints_the_first_of_each_span_stays() {
        let every = |step: usize, to: u64| (0..=to).step_by(step).collect::<Vec<_>>();
        assert!(surplus(every(1, 15)).is_empty());
        assert_eq!(surplus(every(1, 19)), [1, 2, 3]);
        // Signed again and again, it keeps what it kept.
        let mut kept = Vec::new();
        for size in every(1_000, 10 * SPAN) {
            kept.push(size);
            let gone = surplus(kept.clone());
            kept.retain(|size| !gone.contains(size));
        }
        let firsts: Vec<u64> = (0..10).map(|span| (span * SPAN).next_multiple_of(1_000)).collect();
        assert_eq!(kept[..firsts.len()], firsts);
        assert_eq!(kept.len(), firsts.len() + NEWEST);
    }
}
