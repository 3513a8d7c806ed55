//! How a diagram says in few words who brings an event about.

use super::{Cause, Consent, Occurrence};

/// What one line of a label is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Event,
    Cause,
    Approval,
}

/// The lines of a label: the event, and then how it comes about.
pub(super) fn lines(occurrence: &Occurrence) -> Vec<(About, String)> {
    let mut lines = vec![(About::Event, occurrence.event.clone())];
    for cause in &occurrence.causes {
        match cause {
            Cause::Reported { by } => lines.push((About::Cause, format!("reported by {}", alternatives(by)))),
            Cause::Acted { action, by, consent } => {
                let by = if by.is_empty() { String::new() } else { format!(" · {}", alternatives(by)) };
                lines.push((About::Cause, format!("{action}{by}")));
                match consent {
                    Consent::NotNeeded => {}
                    Consent::Waived => lines.push((About::Cause, "approval waived".to_owned())),
                    Consent::By(roles) => lines.push((About::Approval, format!("{} approves", alternatives(roles)))),
                }
            }
        }
    }
    lines
}

/// `Agent`, `Agent or Operator`, `Agent, Operator or System`
fn alternatives(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
