//! A domain that lets through more than its schema shows: a field that may be left out, and a pattern that most texts match.

use kiff::{Failure, action, domain};

domain! {
    /// What meters count.
    pub domain Metering governs Meter;

    roles { Device: system }

    states { Counting, Paused }

    events {
        Counted {
            #[serde(default)]
            count: u32,
            unit: String,
        } reported by Device;
        MeterPaused reported by Device;
    }

    transitions {
        Counted:     new | Counting | Paused => Counting;
        MeterPaused: Counting                => Paused;
    }

    actions { Label { risk: low, by: Device, emits: none }; }

    allow { Counting => [Label]; }
}

/// Says what it counts.
#[action(Metering::Label)]
pub async fn label(#[param(pattern("[^<>]+"))] text: String) -> Result<(), Failure> {
    let _ = text;
    Ok(())
}
