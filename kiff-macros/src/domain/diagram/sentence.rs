//! How a diagram says in few words who brings an event about.

use super::{Cause, Consent, Occurrence};

/// What one line of a label is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Event,
    Cause,
    Approval,
}

/// One line of a label.
pub(super) struct Line {
    pub(super) about: About,
    pub(super) text: String,
}

/// The lines of a label: the event, and then how it comes about.
pub(super) fn lines(occurrence: &Occurrence) -> Vec<Line> {
    let mut lines = vec![Line { about: About::Event, text: occurrence.event.clone() }];
    let mut add = |about: About, text: String| lines.push(Line { about, text });
    for cause in &occurrence.causes {
        match cause {
            Cause::Reported { by } => add(About::Cause, format!("reported by {}", alternatives(by))),
            Cause::Acted { action, by, consent } => {
                let by = if by.is_empty() { String::new() } else { format!(" · {}", alternatives(by)) };
                add(About::Cause, format!("{action}{by}"));
                match consent {
                    Consent::NotNeeded => {}
                    Consent::Waived => add(About::Cause, "approval waived".to_owned()),
                    Consent::By(roles) => add(About::Approval, format!("{} approves", alternatives(roles))),
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
