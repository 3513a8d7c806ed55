//! The entity that somebody asks for by its key as it is shown, where types and tenants may hold what stands between them.

use kiff::{EntityKey, IdentifierError, Store};

use super::PAGE;
use crate::failure::Failure;

/// Every entity that somebody may mean.
pub(super) struct Asked {
    text: String,
    meant: Meant,
}

/// How it is said which.
enum Meant {
    /// By type and id, in each way in which the text can be read.
    Keys(Vec<EntityKey>),
    /// By the id alone, of whatever type in this tenant.
    Id { tenant: String },
}

impl Asked {
    /// An entity as its key is shown: `Order/ord-1`, or `acme:Order/ord-1` of another tenant than the default one. Where the tenant
    /// is given, its type and its id; where the type is given, its id alone, as also where only one entity has that id.
    pub(super) fn new(text: &str, tenant: Option<&str>, entity_type: Option<&str>) -> Result<Self, Failure> {
        if entity_type.is_none() && !text.contains('/') {
            let tenant = tenant.unwrap_or(EntityKey::DEFAULT_TENANT).to_owned();
            return Ok(Self { text: text.to_owned(), meant: Meant::Id { tenant } });
        }
        let (mut keys, mut refused) = (Vec::new(), None::<IdentifierError>);
        for (tenant, kind, id) in readings(text, tenant, entity_type) {
            match EntityKey::new(kind, id).and_then(|key| key.in_tenant(tenant)) {
                Ok(key) => keys.push(key),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            Some(error) if keys.is_empty() => Err(Failure::new(format!("`{text}` is no entity: {error}"))),
            _ => Ok(Self { text: text.to_owned(), meant: Meant::Keys(keys) }),
        }
    }

    /// The one of them that the store has. Where it has several, none is shown in the place of another.
    pub(super) async fn found<S: Store>(&self, store: &S) -> Result<EntityKey, Failure> {
        let there = match &self.meant {
            // Whoever asks for the only one says what it lacks.
            Meant::Keys(keys) if keys.len() == 1 => keys.clone(),
            Meant::Keys(keys) => {
                let mut there = Vec::new();
                for key in keys {
                    if !store.read(key, 0, 1).await?.is_empty() {
                        there.push(key.clone());
                    }
                }
                there
            }
            Meant::Id { tenant } => named(store, tenant, &self.text).await?,
        };
        match there.as_slice() {
            [] => Err(self.missing()),
            [key] => Ok(key.clone()),
            several => {
                let each = several
                    .iter()
                    .map(|key| format!("`{}` with `--tenant {} --type {}`", key.id(), key.tenant(), key.entity_type()));
                let help = format!("say which: {}", each.collect::<Vec<_>>().join(", or "));
                Err(Failure::new(format!("there are {} entities `{}`", several.len(), self.text)).help(help))
            }
        }
    }

    /// That there is none.
    pub(super) fn missing(&self) -> Failure {
        let shown = if let Meant::Keys(keys) = &self.meant
            && let [key] = keys.as_slice()
        {
            key.to_string()
        } else {
            self.text.clone()
        };
        Failure::new(format!("there is no entity `{shown}`"))
            .help("leave the entity out of `kiff timeline` to see which there are")
    }
}

/// The entities of a tenant that have this id.
async fn named<S: Store>(store: &S, tenant: &str, id: &str) -> Result<Vec<EntityKey>, Failure> {
    let (mut after, mut named) = (None, Vec::new());
    loop {
        let page = store.entities(after.as_ref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().cloned();
        named.extend(page.into_iter().filter(|key| key.tenant() == tenant && key.id() == id));
        if is_last {
            return Ok(named);
        }
    }
}

/// The tenants, types and ids that a text can be read as.
fn readings<'a>(
    text: &'a str,
    tenant: Option<&'a str>,
    entity_type: Option<&'a str>,
) -> Vec<(&'a str, &'a str, &'a str)> {
    let own = tenant.unwrap_or(EntityKey::DEFAULT_TENANT);
    if let Some(kind) = entity_type {
        return vec![(own, kind, text)];
    }
    let mut readings = Vec::new();
    for (before, id) in splits(text, '/') {
        readings.push((own, before, id));
        if tenant.is_none() {
            readings.extend(splits(before, ':').map(|(tenant, kind)| (tenant, kind, id)));
        }
    }
    readings
}

/// What stands before and behind a mark, for each place where it stands.
fn splits(text: &str, mark: char) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices(mark).filter_map(move |(at, found)| Some((text.get(..at)?, text.get(at + found.len()..)?)))
}
