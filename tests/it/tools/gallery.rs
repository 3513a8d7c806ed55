//! A domain whose parameters are of every sort.

use kiff::{Actor, ActorId, Cents, Domain, EntityKey, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use pollster::block_on;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

domain! {
    /// The rooms of a gallery.
    pub domain Gallery governs Room;
    roles { Curator: agent, Door: system }
    states { Open, final Closed }
    events {
        RoomOpened reported by Door;
        RoomClosed reported by Door;
        PictureHung { title: String };
    }
    transitions {
        RoomOpened:  new  => Open;
        RoomClosed:  Open => Closed;
        PictureHung: Open => Open;
    }
    actions {
        HangPicture { risk: medium, by: Curator, emits: PictureHung };
        /// Looks around.
        ///
        /// It is said in the block.
        Look { risk: low, by: Curator, emits: none, effect: none };
    }
    allow { Open => [HangPicture, Look]; }
}

/// What is around a picture.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// As it came.
    None,
    /// Wood of this sort.
    Wood {
        /// Oak, for example.
        sort: String,
    },
}

/// Where it hangs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The wall.
    pub wall: Wall,
    /// From the floor, in centimetres.
    pub height: Option<u8>,
}

/// A wall.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub enum Wall {
    North,
    South,
}

/// A day.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Day(#[schemars(extend("format" = "date"))] String);

/// A text that is at most eight letters long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(!try_from)]
pub struct Short(#[schemars(length(min = 1, max = 8))] String);

impl TryFrom<String> for Short {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.chars().count() > 8 { Err("it is longer than eight letters") } else { Ok(Self(text)) }
    }
}

impl kiff::Measured for Short {
    fn measure(&self) -> Option<u64> {
        self.0.measure()
    }
}

/// A part that has parts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Its own.
    pub parts: Vec<Part>,
}

/// A note in any form, of a type that has no `JsonSchema`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note(Value);

/// Hangs a picture on a wall.
#[action(Gallery::HangPicture)]
#[expect(clippy::too_many_arguments, reason = "one of every sort")]
async fn hang_picture(
    /// What it is called.
    #[param(pattern("[A-Z][a-z]+|untitled"))]
    title: String,
    #[param(range(min = 1, max = 500))] width: u32,
    #[param(range(max = 300))] height: Option<i32>,
    #[param(range(min = 0, max = 90), float("kilograms, no amount"))] weight: f64,
    #[param(float("degrees, no amount"))] tilt: f64,
    serial: u64,
    frame: Frame,
    place: Option<Place>,
    #[param(length(min = 1, max = 3))] tags: Vec<String>,
    until: Day,
    /// For how much.
    #[param(range(min = 0))]
    insured: Option<Cents>,
    #[param(pattern("(?i)[a-z]+"), length(max = 8))] code: Option<String>,
    #[param(length(min = 2, max = 20))] short: Option<Short>,
    is_glazed: bool,
    part: Part,
    /// Whatever comes to mind.
    note: Note,
) -> Result<PictureHung, Failure> {
    drop((width, height, weight, tilt, serial, frame, place, tags, until, insured, code, short, is_glazed, part, note));
    Ok(PictureHung { title })
}

/// What the fn says, and nobody reads.
#[action(Gallery::Look)]
async fn look() -> Result<(), Failure> {
    Ok(())
}

/// A gallery and a room that is open.
pub(super) fn open() -> (Runtime<Gallery>, EntityKey) {
    let door = Actor::system("door").unwrap();
    let policy = RolePolicy::new().assign(ActorId::new("door").unwrap(), GalleryRole::Door);
    let runtime = Runtime::new(MemoryStore::new(), policy, ());
    let room = Gallery::entity("room-1").unwrap();
    assert!(block_on(runtime.ingest(&door, &room, RoomOpened)).unwrap().is_allowed());
    (runtime, room)
}

/// A domain whose action has a parameter of a name that agents do not accept.
pub(super) mod tailor {
    use kiff::{Failure, action, domain};

    domain! {
        /// The coats of a tailor.
        pub domain Tailor governs Coat;
        roles { Cutter: agent }
        states { Ordered, final Sewn }
        events { CoatOrdered reported by Cutter; CoatCut; CoatSewn reported by Cutter; }
        transitions {
            CoatOrdered: new     => Ordered;
            CoatCut:     Ordered => Ordered;
            CoatSewn:    Ordered => Sewn;
        }
        actions { CutCoat { risk: low, by: Cutter, emits: CoatCut }; }
        allow { Ordered => [CutCoat]; }
    }

    #[action(Tailor::CutCoat)]
    async fn cut_coat(größe: u8) -> Result<CoatCut, Failure> {
        if größe == 0 { Err(Failure::refused("there is nothing to cut")) } else { Ok(CoatCut) }
    }
}

/// A domain whose action has a name that agents do not accept.
pub(super) mod attic {
    use kiff::{Failure, action, domain};

    domain! {
        /// An attic.
        pub domain Attic governs Chest;
        roles { Heir: agent }
        states { Full, final Empty }
        events { AtticFound reported by Heir; Tidied; Cleared reported by Heir; }
        transitions {
            AtticFound: new  => Full;
            Tidied:     Full => Full;
            Cleared:    Full => Empty;
        }
        actions { TidyUp as "attic.tidy-up" { risk: low, by: Heir, emits: Tidied }; }
        allow { Full => [TidyUp]; }
    }

    #[action(Attic::TidyUp)]
    async fn tidy_up() -> Result<Tidied, Failure> {
        Ok(Tidied)
    }
}
