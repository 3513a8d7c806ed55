//! Where a stream is in each domain, as the id of an event says it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::super::percent::{decoded, encoded};

/// A place in the one order of a store's commits: behind so many records of the commit at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) record: u32,
}

impl Place {
    /// Behind every record of a commit.
    pub(super) const WHOLE: u32 = u32::MAX;

    /// Behind the whole commit at `position`.
    pub(super) const fn behind(position: u64) -> Self {
        Self { position, record: Self::WHOLE }
    }

    /// The position behind which the next record is to be looked for.
    pub(super) const fn before(self) -> u64 {
        if self.record == Self::WHOLE { self.position } else { self.position.saturating_sub(1) }
    }
}

/// Where a stream is in each domain: `refund:12.2,mission:7`. A domain that is not named is at its beginning.
///
/// The names are encoded as in an address: a domain may be called as it likes, and an id is a header.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, Place>);

impl Places {
    /// More domains than anybody serves.
    const MOST: usize = 256;

    pub(super) fn of(&self, domain: &str) -> Place {
        self.0.get(domain).copied().unwrap_or(Place::behind(0))
    }

    pub(super) fn written<'a>(places: impl Iterator<Item = (&'a str, Place)>) -> String {
        let places = places.map(|(domain, Place { position, record })| match record {
            Place::WHOLE => format!("{}:{position}", encoded(domain)),
            record => format!("{}:{position}.{record}", encoded(domain)),
        });
        places.collect::<Vec<_>>().join(",")
    }
}

impl FromStr for Places {
    type Err = PlacesError;

    fn from_str(text: &str) -> Result<Self, PlacesError> {
        let mut places = BTreeMap::new();
        for part in text.split(',').filter(|_| text != "0") {
            // Behind the last colon: a name that somebody has decoded may have others.
            let (domain, place) = part.rsplit_once(':').ok_or(PlacesError)?;
            let place = match place.split_once('.') {
                Some((position, record)) => Place { position: number(position)?, record: number(record)? },
                None => Place::behind(number(place)?),
            };
            places.insert(decoded(domain).ok_or(PlacesError)?, place);
            if places.len() > Self::MOST {
                return Err(PlacesError);
            }
        }
        Ok(Self(places))
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, PlacesError> {
    text.parse().map_err(|_| PlacesError)
}

/// A text is no id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlacesError;

impl fmt::Display for PlacesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of an event: send the one that came last, or `0` for all from the beginning")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written() {
        let places = [("refund", Place { position: 12, record: 2 }), ("mission", Place::behind(7))];
        let id = Places::written(places.into_iter());
        assert_eq!(id, "refund:12.2,mission:7");
        let read: Places = id.parse().unwrap();
        assert_eq!((read.of("refund"), read.of("mission")), (places[0].1, places[1].1));
        assert_eq!(read.of("another"), Place::behind(0));
        assert_eq!("0".parse::<Places>().unwrap().of("refund"), Place::behind(0));
        for bad in ["", "12", "refund", "refund:x", "refund:1.2.3", "refund:-1", "refund:1,", "%:1", "%ff:1"] {
            assert!(bad.parse::<Places>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_domain_may_be_called_as_it_likes() {
        let names = ["acme:payables", "ausgänge", "a,b:1", "100%", "acme/v1.2"];
        let places: Vec<_> = names.into_iter().zip((1..).map(Place::behind)).collect();
        let id = Places::written(places.iter().copied());
        assert!(id.is_ascii() && !id.contains([' ', '\n']), "{id}");
        let read: Places = id.parse().unwrap();
        for (name, place) in places {
            assert_eq!(read.of(name), place, "{id}");
        }
        // As a client has it that decodes the query once too often.
        let decoded: Places = "acme:payables:12.2,ausgänge:7".parse().unwrap();
        assert_eq!(decoded.of("acme:payables"), Place { position: 12, record: 2 });
        assert_eq!(decoded.of("ausgänge"), Place::behind(7));
    }
}
