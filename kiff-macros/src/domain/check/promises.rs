//! The `never` clauses, proved over every way in which every step can be taken.

use std::collections::HashSet;

use crate::domain::graph::{self, Approver, Move, Step, Taken, Way};
use crate::domain::model::{Action, Clause, Id, Model, Place, Promise, Role, State};
use crate::domain::syntax::ActorKind;
use crate::errors::Errors;

/// A promise whose every name is known.
enum Claim {
    Without { state: Id<State>, role: Id<Role> },
    Alone { role: Id<Role>, from: Place, to: Id<State> },
}

fn claims(model: &Model) -> impl Iterator<Item = (&Clause, Claim)> {
    model.clauses.items.iter().filter_map(|clause| {
        let claim = match &clause.promise {
            Promise::Without { state, role } => Claim::Without { state: state.exact()?.0, role: role.exact()?.0 },
            Promise::Alone { role, from, to } => {
                Claim::Alone { role: role.exact()?.0, from: from.exact()?.0, to: to.exact()?.0 }
            }
        };
        Some((clause, claim))
    })
}

/// A promise that the block breaks is worse than none; the shortest way around it shows where.
pub(crate) fn never_violated(model: &Model, errors: &Errors) {
    if model.clauses.items.is_empty() {
        return;
    }
    let steps = graph::steps(model);
    for (clause, claim) in claims(model) {
        if let Some(message) = breach(model, &steps, &claim) {
            errors.report_between("never_violated", clause.ends.0, clause.ends.1, message);
        }
    }
}

/// Whether every promise that the block keeps is still kept if this state allows this action, too.
pub(super) fn kept_if_allowed(model: &Model, state: Id<State>, action: Id<Action>) -> bool {
    let (now, then) = (graph::steps(model), graph::steps_if_allowed(model, state, action));
    claims(model).all(|(_, claim)| breach(model, &then, &claim).is_none() || breach(model, &now, &claim).is_some())
}

fn breach(model: &Model, steps: &[Step], claim: &Claim) -> Option<String> {
    match *claim {
        Claim::Without { state, role } => {
            let path = graph::shortest_path(steps, Place::New, state, |way| way.is_without(role))?;
            // Only humans approve.
            let is_machine = model.roles[role].kind().is_some_and(|kind| kind != ActorKind::Human);
            let part = if is_machine { "take" } else { "take or approve" };
            let (state, role) = (model.state_name(state), model.role_name(role));
            Some(format!(
                "`{state}` can be reached without `{role}`:\n{}\n\
                 let `{role}` {part} one of these steps, or remove the clause",
                lines(model, &path)
            ))
        }
        Claim::Alone { role, from, to } => {
            let path = graph::shortest_path(steps, from, to, |way| way.is_alone(role))?;
            // Actions can be approved, and reports cannot.
            let is_acted = path.iter().any(|taken| matches!(taken.way, Way::Acted { .. }));
            let (role, from, to) = (model.role_name(role), model.place_name(from), model.state_name(to));
            let instead = if is_acted {
                "demand an approval on one of these steps".to_owned()
            } else {
                format!("let another role than `{role}` report one of these steps")
            };
            Some(format!(
                "`{role}` alone can lead from `{from}` to `{to}`:\n{}\n\
                 {instead}, or remove the clause",
                lines(model, &path)
            ))
        }
    }
}

/// One line for each step: `Created --OrderPaid (MarkPaid by Agent)--> Paid`.
fn lines(model: &Model, path: &[Taken<'_>]) -> String {
    let line = |Taken { step, way }: &Taken<'_>| {
        let way = match way {
            Way::Reported(role) => format!("reported by {}", model.role_name(*role)),
            Way::Acted { action, runner, approver } => {
                let approved = match approver {
                    Approver::Role(role) => format!(", approved by {}", model.role_name(*role)),
                    Approver::Nobody | Approver::Unknown => String::new(),
                };
                format!("{} by {}{approved}", model.action_name(*action), model.role_name(*runner))
            }
        };
        format!(
            "  {} --{} ({way})--> {}",
            model.place_name(step.source),
            model.event_name(step.event),
            model.state_name(step.target)
        )
    };
    path.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A promise about a path that exists for nobody is trusted for nothing.
pub(crate) fn never_vacuous(model: &Model, passable: &[Move], errors: &Errors) {
    let ground = Ground { model, passable };
    let living = ground.reached(Place::New);
    for (clause, claim) in claims(model) {
        if let Some(message) = ground.emptiness(&living, &claim) {
            errors.report_between("never_vacuous", clause.ends.0, clause.ends.1, message);
        }
    }
}

/// The moves that somebody may be able to take.
struct Ground<'m> {
    model: &'m Model,
    passable: &'m [Move],
}

impl Ground<'_> {
    fn reached(&self, start: Place) -> HashSet<Place> {
        graph::reachable(self.model, self.passable, start)
    }

    /// Why the claim is empty, if it is; a state that nobody gets into is an error of its own.
    fn emptiness(&self, living: &HashSet<Place>, claim: &Claim) -> Option<String> {
        let Claim::Alone { from, to, .. } = *claim else { return None };
        if !living.contains(&from) || !living.contains(&Place::State(to)) || self.leads(from, to) {
            return None;
        }
        let (from, to) = (self.model.place_name(from), self.model.state_name(to));
        Some(format!(
            "this promises nothing, as nobody can take any path from `{from}` to `{to}`: correct its names, or remove the clause"
        ))
    }

    /// Whether at least one step leads from here to there.
    fn leads(&self, from: Place, to: Id<State>) -> bool {
        let first_steps = self.passable.iter().filter(|step| step.may_leave(from));
        let mut after_first = first_steps.map(|step| step.target);
        after_first.any(|target| match target {
            Some(target) => self.reached(Place::State(target)).contains(&Place::State(to)),
            None => true,
        })
    }
}
