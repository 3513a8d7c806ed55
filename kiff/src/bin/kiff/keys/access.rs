//! `kiff keys create`, `list` and `revoke`: who may ask a server over HTTP.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use kiff::http::{Key, Keys, KeysError, NewKey};
use kiff::{Actor, ActorId, ActorKind, Timestamp};
use serde_json::json;

use crate::failure::Failure;
use crate::shell::{Ended, Shell, columns};

/// Make an API key; its secret is shown here and never again
///
/// What an actor may do is the server's policy to say. The key says who it is, and an agent's key can never approve.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// The file that the server has its keys in; it is made with the first key
    file: PathBuf,
    /// Who shows the key, as the policy knows them
    actor: String,
    /// What they are
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    kind: ActorKind,
    /// Whose entities they see and act on, where it is not the default tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Let a service or a system name another actor in a request, for a gateway that has authenticated them
    #[arg(long)]
    acts_for_others: bool,
    /// Something to remember the key by
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// For how many days the key is good; forever, if nothing is said
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,
}

/// List the API keys of a file, those that are revoked or expired too
#[derive(Debug, Args)]
pub(super) struct List {
    /// The file
    file: PathBuf,
}

/// Make an API key worthless from now on, also for servers that run
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The file
    file: PathBuf,
    /// The number of the key, as `kiff keys list` shows it
    id: String,
}

/// What an actor can be, in words that the help lists.
fn kinds() -> impl TypedValueParser<Value = ActorKind> {
    PossibleValuesParser::new(ActorKind::ALL.map(ActorKind::as_str)).try_map(|kind| kind.parse::<ActorKind>())
}

fn failed(error: &KeysError) -> Failure {
    Failure::new(error.to_string())
}

impl Create {
    pub(super) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let actor = ActorId::new(&self.actor)
            .map_err(|error| Failure::new(format!("`{}` is no actor: {error}", self.actor)))?;
        let mut new = NewKey::new(Actor::new(actor, self.kind)).note(self.note);
        if let Some(tenant) = self.tenant {
            new = new.in_tenant(tenant);
        }
        if self.acts_for_others {
            new = new.acting_for_others();
        }
        if let Some(days) = self.days {
            let good_for = Duration::from_secs(u64::from(days) * 24 * 60 * 60);
            new = new.expires_at(Timestamp::from(SystemTime::now()).after(good_for));
        }
        let keys = Keys::open(&self.file).map_err(|error| failed(&error))?;
        let (key, secret) = keys.create(new).map_err(|error| failed(&error))?;
        let text = format!("{secret}\n\nThis is the key {} of `{}`. It is shown only now.\n", key.id, key.actor.id());
        shell.answer(&json!({ "id": key.id, "actor": key.actor, "secret": secret }), &text)?;
        Ok(Ended::Well)
    }
}

impl List {
    pub(super) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let keys = opened(&self.file)?.list().map_err(|error| failed(&error))?;
        if shell.is_json() {
            keys.iter().try_for_each(|key| shell.answer(key, ""))?;
            return Ok(Ended::Well);
        }
        let heading = ["key", "actor", "kind", "tenant", "made", "is", "note"].map(str::to_owned).to_vec();
        let rows = keys.iter().map(|key| {
            vec![
                key.id.clone(),
                key.actor.id().to_string(),
                key.actor.kind().to_string(),
                key.tenant.clone(),
                key.created_at.to_string(),
                status(key),
                kiff::visible(&key.note),
            ]
        });
        shell.answer(&(), &columns(&[heading].into_iter().chain(rows).collect::<Vec<_>>()))?;
        Ok(Ended::Well)
    }
}

impl Revoke {
    pub(super) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let revoked = opened(&self.file)?.revoke(&self.id).map_err(|error| failed(&error))?;
        let Some(key) = revoked else {
            return Err(Failure::new(format!("there is no key `{}` in `{}`", self.id, self.file.display()))
                .help("`kiff keys list` shows which there are"));
        };
        let text = format!("the key {} of `{}` is worthless from now on\n", key.id, key.actor.id());
        shell.answer(&key, &text)?;
        Ok(Ended::Well)
    }
}

/// The keys of a file that is there.
fn opened(file: &PathBuf) -> Result<Keys, Failure> {
    if !file.is_file() {
        return Err(Failure::new(format!("there is no file `{}`", file.display()))
            .help("`kiff keys create` makes it with its first key"));
    }
    Keys::open(file).map_err(|error| failed(&error))
}

fn status(key: &Key) -> String {
    let now = Timestamp::from(SystemTime::now());
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked since {at}"),
        (None, Some(at)) if at <= now => format!("expired since {at}"),
        (None, Some(at)) => format!("good until {at}"),
        (None, None) => "good".to_owned(),
    }
}
