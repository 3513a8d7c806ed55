//! A domain with everything that a schema can have: optional and listed parameters, patterns, floats, types of its own,
//! actions with no event, with several, and without an outside.

use kiff::{Cents, Failure, action, domain};
use kiff_test::Spy;
use serde::{Deserialize, Serialize};

/// A type of the domain's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Fits through the slot.
    Small,
    /// Does not.
    Large,
}

domain! {
    /// Parcels on their way.
    pub domain Shipping governs Parcel;
    services Spy<&'static str>;

    roles { Packer: agent, Clerk: human, Manager: human, Shop: system, Carrier: external }

    states { Ordered, Packed, OnTheWay, final Delivered, final Lost }

    events {
        ParcelOrdered   { value: Cents, gift: bool, note: Option<String>, size: Size } reported by Shop | Clerk;
        ParcelPacked    { weight: f64 };
        ParcelSent      { express: bool };
        ParcelReturned  { reason: String };
        ParcelDelivered { signatures: Vec<String> } reported by Carrier;
        LossReported reported by Carrier | Manager;
    }

    transitions {
        ParcelOrdered:   new      => Ordered;
        ParcelPacked:    Ordered  => Packed;
        // Drawn, and nobody's way: what packs is not allowed there.
        ParcelPacked:    Packed   => Packed;
        ParcelSent:      Packed   => OnTheWay;
        ParcelReturned:  OnTheWay => Packed;
        ParcelDelivered: OnTheWay => Delivered;
        LossReported:    OnTheWay => Lost;
    }

    actions {
        Pack   { risk: low,      by: Packer | Clerk, emits: ParcelPacked, effect: none };
        Label  { risk: low,      by: Packer,         emits: none };
        Send   { risk: high,     by: Packer,         emits: ParcelSent, approval: Clerk | Manager };
        Recall { risk: critical, by: Clerk,          emits: ParcelReturned, approval: Manager };
    }

    allow {
        Ordered  => [Pack];
        Packed   => [Label, Send];
        OnTheWay => [Recall];
    }
}

/// Puts it into a box.
#[action(Shipping::Pack)]
pub async fn pack(
    log: &Spy<&'static str>,
    #[param(range(min = 1, max = 30), float("a weight is no money"))] weight: f64,
    size: Size,
) -> Result<ParcelPacked, Failure> {
    let _ = size;
    log.call("pack")?;
    Ok(ParcelPacked { weight })
}

/// Writes the address on it.
#[action(Shipping::Label)]
pub async fn label(
    log: &Spy<&'static str>,
    #[param(pattern(r"[A-Z]{2}-\d{3,5}"))] code: String,
    #[param(length(max = 3))] lines: Vec<String>,
    #[param(length(min = 2, max = 20))] note: Option<String>,
) -> Result<(), Failure> {
    let _ = (code, lines, note);
    log.call("label")
}

/// Hands it to the carrier.
#[action(Shipping::Send)]
pub async fn send(
    log: &Spy<&'static str>,
    #[param(range(min = 0, max = 250))] priority: u8,
    insured: Option<Cents>,
    express: bool,
) -> Result<ParcelSent, Failure> {
    let _ = (priority, insured);
    log.call("send")?;
    Ok(ParcelSent { express })
}

/// Calls it back.
#[action(Shipping::Recall)]
pub async fn recall(log: &Spy<&'static str>) -> Result<ParcelReturned, Failure> {
    log.call("recall")?;
    Ok(ParcelReturned { reason: "called back".into() })
}
