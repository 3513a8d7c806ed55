//! What can be promised of a domain: the `never` clauses that hold as it stands.

use std::collections::BTreeSet;

use super::draft::{Action, Draft, Transition};

/// `state` is not reached without `role`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Promise<'d> {
    pub(crate) state: &'d str,
    pub(crate) role: &'d str,
}

impl Draft {
    /// The final states that nobody gets to without one human.
    pub(crate) fn promises(&self) -> Vec<Promise<'_>> {
        let everywhere = self.reached(|_| true);
        let mut promises = Vec::new();
        for role in self.roles.iter().filter(|role| role.kind == "human") {
            let has_another = |roles: &[String]| roles.iter().any(|own| *own != role.name);
            let goes_without =
                |action: &Action| has_another(&action.by) && (!action.is_approved || has_another(&action.approvers));
            let without = self.reached(goes_without);
            let held = self.states.iter().filter(|state| {
                state.is_final && everywhere.contains(state.name.as_str()) && !without.contains(state.name.as_str())
            });
            promises.extend(held.map(|state| Promise { state: &state.name, role: &role.name }));
        }
        promises
    }

    /// Where entities get to by what is reported and by the actions that pass.
    fn reached(&self, passes: impl Fn(&Action) -> bool) -> BTreeSet<&str> {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        loop {
            let before = reached.len();
            for line in &self.transitions {
                let from = line.from.as_deref();
                let is_reported = self.events.iter().any(|event| event.name == line.event && event.reporter.is_some());
                let emits = |action: &&Action| {
                    action.emits.contains(&line.event)
                        && from.is_some_and(|from| action.allowed_in.iter().any(|own| own == from))
                };
                let is_made = is_reported || self.actions.iter().filter(emits).any(&passes);
                if is_made && from.is_none_or(|from| reached.contains(from)) {
                    reached.insert(&line.to);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }

    /// The events that lead a new entity to that state by ways that somebody can take, the fewest of them.
    pub(crate) fn path_to(&self, goal: &str) -> Option<Vec<&str>> {
        let mut waiting = std::collections::VecDeque::from([(None, Vec::new())]);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some((place, path)) = waiting.pop_front() {
            if place == Some(goal) {
                return Some(path);
            }
            let onward = |line: &&Transition| line.from.as_deref() == place && self.is_taken(line);
            for line in self.transitions.iter().filter(onward) {
                if seen.insert(&line.to) {
                    let longer = path.iter().copied().chain([line.event.as_str()]).collect();
                    waiting.push_back((Some(line.to.as_str()), longer));
                }
            }
        }
        None
    }
}
