//! How a diagram says in few words who brings a step about.

use super::{Consent, Step, Way};

/// What one line of a label is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Event,
    Way,
    Approval,
}

/// The lines of a label: the event, and then how it comes about.
pub(super) fn lines(step: &Step) -> Vec<(About, String)> {
    let mut lines = vec![(About::Event, step.event.clone())];
    for way in &step.ways {
        match way {
            Way::Reported { by } => lines.push((About::Way, format!("reported by {}", alternatives(by)))),
            Way::Acted { action, by, consent } => {
                let by = if by.is_empty() { String::new() } else { format!(" · {}", alternatives(by)) };
                lines.push((About::Way, format!("{action}{by}")));
                match consent {
                    Consent::NotNeeded => {}
                    Consent::Waived => lines.push((About::Way, "approval waived".to_owned())),
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
