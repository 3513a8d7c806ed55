//! A commit as JSON: byte for byte what serde writes of it, in a fraction of the time, because every step writes one.

use std::fmt::{self, Write as _};

use super::fact::{
    ActionDeduplicated, ActionExecuted, ActionFailed, ActionStarted, ActionValidated, ApprovalRecorded,
    ApprovalRequired, ApprovalReviewRejected, ApprovalReviewed, DecisionProposed, EventIngested, Fact, FailedOutcome,
    Settled, StateChanged, StateRebuilt, Unknown,
};
use super::{Content, RecordId};
use crate::actor::Actor;
use crate::approval::Binding;
use crate::decision::{Confidence, Evidence, Rationale};
use crate::digest::Digest;
use crate::event::Trace;
use crate::identifier::{ActorId, ApprovalId, DecisionId, EventId, ExecutionId, IdempotencyKey, TraceId};
use crate::json::Json;
use crate::schema::Text;
use crate::time::Timestamp;

/// The JSON of a commit.
pub(super) fn content(content: &Content) -> Vec<u8> {
    /// Room for a commit of a few records, so that writing one seldom moves it.
    const USUAL_SIZE: usize = 1024;
    let Content { at, actor, trace, cause, fold, facts } = content;
    let mut out = String::with_capacity(USUAL_SIZE);
    out.push('{');
    member(&mut out, "\"at\":", at);
    member(&mut out, "\"actor\":", actor);
    member(&mut out, "\"trace\":", trace);
    member(&mut out, "\"cause\":", cause);
    member(&mut out, "\"fold\":", fold);
    member(&mut out, "\"records\":", &**facts);
    out.push('}');
    out.into_bytes()
}

/// A part of a commit.
pub(super) trait WriteJson {
    /// Adds its JSON.
    fn write(&self, out: &mut String);

    /// Whether an object does not name it at all.
    fn is_left_out(&self) -> bool {
        false
    }
}

/// Adds a member of an object; `key` comes with its quotes and colon.
fn member(out: &mut String, key: &'static str, value: &(impl WriteJson + ?Sized)) {
    if value.is_left_out() {
        return;
    }
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push_str(key);
    value.write(out);
}

/// Adds a record; `opening` is everything of it before its data.
pub(super) fn record(out: &mut String, opening: &str, data: &impl WriteJson) {
    out.push_str(opening);
    data.write(out);
    out.push('}');
}

/// Adds a record as it was read.
pub(super) fn unknown(out: &mut String, record: &Unknown) {
    out.push_str("{\"kind\":");
    text(out, &record.kind);
    shown(out, format_args!(",\"v\":{},\"data\":{}}}", record.version, record.data));
}

fn text(out: &mut String, text: &str) {
    if text.bytes().any(|byte| matches!(byte, 0..b' ' | b'"' | b'\\')) {
        out.push_str(&serde_json::Value::from(text).to_string());
    } else {
        plain(out, text);
    }
}

/// Adds a text that has nothing to escape.
fn plain(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// Adds what is shown as JSON writes it.
fn shown(out: &mut String, value: impl fmt::Display) {
    // INVARIANT: writing to a string does not fail.
    let _ = write!(out, "{value}");
}

macro_rules! objects {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl WriteJson for $type {
            fn write(&self, out: &mut String) {
                // Taken apart, so that none is forgotten.
                let Self { $($field),* } = self;
                out.push('{');
                $(member(out, concat!("\"", stringify!($field), "\":"), $field);)*
                out.push('}');
            }
        }
    )*};
}

objects! {
    ActionDeduplicated { action, execution, key }
    ActionExecuted { action, execution, settled }
    ActionFailed { action, outcome, code, message, parameters, execution, settled }
    ActionStarted { action, execution, approval, key }
    ActionValidated { action, parameters }
    ApprovalRecorded { approval, action, parameters, reasons, binding, expires_at }
    ApprovalRequired { action, parameters, approval, message }
    ApprovalReviewRejected { approval, code, message }
    ApprovalReviewed { approval, reason }
    DecisionProposed { id, action, parameters, reasons }
    EventIngested { event, payload, id, source, occurred_at }
    Evidence { source, content }
    StateRebuilt { state, events, matches }
    Trace { trace_id, correlation_id, causation_id }
}

impl WriteJson for StateChanged {
    fn write(&self, out: &mut String) {
        let Self { from, to } = self;
        out.push('{');
        member(out, "\"from\":", &OrNull(from));
        member(out, "\"to\":", to);
        out.push('}');
    }
}

impl WriteJson for Binding {
    fn write(&self, out: &mut String) {
        let Self { whole, parameters, contract, evidence } = self;
        out.push('{');
        member(out, "\"whole\":", whole);
        member(out, "\"parameters\":", parameters);
        member(out, "\"contract\":", contract);
        member(out, "\"evidence\":", &OrNull(evidence));
        out.push('}');
    }
}

impl WriteJson for Rationale {
    fn write(&self, out: &mut String) {
        let Self { rationale, confidence, evidence } = self;
        out.push('{');
        member(out, "\"rationale\":", rationale);
        member(out, "\"confidence\":", confidence);
        if !evidence.is_empty() {
            member(out, "\"evidence\":", &**evidence);
        }
        out.push('}');
    }

    fn is_left_out(&self) -> bool {
        self.is_empty()
    }
}

impl WriteJson for Actor {
    fn write(&self, out: &mut String) {
        out.push('{');
        member(out, "\"id\":", self.id());
        member(out, "\"kind\":", self.kind().as_str());
        out.push('}');
    }
}

impl WriteJson for Settled {
    fn write(&self, out: &mut String) {
        match self {
            Self::Reconcile => out.push_str("{\"by\":\"reconcile\"}"),
            Self::Person { reason } => {
                out.push_str("{\"by\":\"person\"");
                member(out, "\"reason\":", reason);
                out.push('}');
            }
        }
    }
}

macro_rules! values {
    ($($type:ty: |$value:ident, $out:ident| $write:expr,)*) => {$(
        impl WriteJson for $type {
            fn write(&self, $out: &mut String) {
                let $value = self;
                $write;
            }
        }
    )*};
}

values! {
    str: |value, out| text(out, value),
    String: |value, out| text(out, value),
    Text: |value, out| text(out, value),
    ActorId: |id, out| text(out, id.as_str()),
    ApprovalId: |id, out| text(out, id.as_str()),
    DecisionId: |id, out| text(out, id.as_str()),
    EventId: |id, out| text(out, id.as_str()),
    ExecutionId: |id, out| text(out, id.as_str()),
    IdempotencyKey: |id, out| text(out, id.as_str()),
    TraceId: |id, out| text(out, id.as_str()),
    FailedOutcome: |outcome, out| plain(out, outcome.as_str()),
    Json: |json, out| out.push_str(json.as_str()),
    Digest: |digest, out| plain(out, str::from_utf8(&digest.text()).unwrap_or_default()),
    Timestamp: |at, out| plain(out, str::from_utf8(&at.text()).unwrap_or_default()),
    RecordId: |id, out| shown(out, format_args!("\"{id}\"")),
    Confidence: |confidence, out| shown(out, serde_json::Value::from(f64::from(*confidence))),
    u64: |number, out| shown(out, number),
    bool: |value, out| out.push_str(if *value { "true" } else { "false" }),
}

impl WriteJson for Fact {
    fn write(&self, out: &mut String) {
        Self::write(self, out);
    }
}

impl<T: WriteJson + ?Sized> WriteJson for Box<T> {
    fn write(&self, out: &mut String) {
        (**self).write(out);
    }
}

impl<T: WriteJson> WriteJson for Option<T> {
    fn write(&self, out: &mut String) {
        OrNull(self).write(out);
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }
}

/// What is named even where there is none.
struct OrNull<'a, T>(&'a Option<T>);

impl<T: WriteJson> WriteJson for OrNull<'_, T> {
    fn write(&self, out: &mut String) {
        match self.0 {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: WriteJson> WriteJson for [T] {
    fn write(&self, out: &mut String) {
        out.push('[');
        for item in self {
            if !out.ends_with('[') {
                out.push(',');
            }
            item.write(out);
        }
        out.push(']');
    }
}

#[cfg(test)]
mod tests;
