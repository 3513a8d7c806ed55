//! What leads where: whatever of it would not compile is taken out, and told.

use std::collections::BTreeSet;

use super::descriptor::Roles;
use super::draft::{Draft, Transition, listed};

impl Draft {
    /// Takes out of the flow what would not compile, until nothing is left of it.
    pub(crate) fn mend_flow(&mut self, roles: &Roles) {
        self.two_targets();
        self.nobody_may(roles);
        let size = |draft: &Self| {
            let allowed: usize = draft.actions.iter().map(|action| action.allowed_in.len() + action.emits.len()).sum();
            draft.states.len() + draft.events.len() + draft.transitions.len() + draft.actions.len() + allowed
        };
        let mut before = usize::MAX;
        while size(self) < before {
            before = size(self);
            self.event_without_source();
            self.barred_state();
            self.unreachable_state();
            self.barred_way_out();
            self.dead_end();
            self.final_state_moves();
            self.unused_event();
            self.illegal_emit();
            self.action_allowed_nowhere();
        }
        self.several_events();
    }

    fn two_targets(&mut self) {
        let mut kept: Vec<Transition> = Vec::new();
        for line in std::mem::take(&mut self.transitions) {
            match kept.iter().find(|own| own.event == line.event && own.from == line.from) {
                Some(first) => {
                    let from = line.from.as_deref().unwrap_or("new");
                    let said = format!("`{}` leads from `{from}` to both `{}` and `{}`", line.event, first.to, line.to);
                    let written = format!("it leads to `{}`; if both are meant, split it into two events", first.to);
                    self.found("two_targets", said, written);
                }
                None => kept.push(line),
            }
        }
        self.transitions = kept;
    }

    /// What an action made happen happens without it no more: whoever reported it would pass the action's approval by.
    fn event_without_source(&mut self) {
        let lost: BTreeSet<String> = self.governed.iter().filter(|event| !self.is_emitted(event)).cloned().collect();
        let is_lost = |line: &Transition| line.from.is_some() && lost.contains(&line.event);
        let (left, kept): (Vec<Transition>, Vec<Transition>) =
            std::mem::take(&mut self.transitions).into_iter().partition(is_lost);
        self.transitions = kept;
        for Transition { event, from, to } in left {
            let from = from.as_deref().unwrap_or("new");
            let said = format!("`{event}` leads from `{from}` to `{to}`, and no action is left that emits it");
            let written = format!("the transition is left out; let an action emit it in `{from}` if it is meant");
            self.found("event_without_source", said, written);
        }
    }

    /// Whether somebody can take a transition: its event is reported, or an action that emits it is allowed where it begins.
    pub(crate) fn is_taken(&self, line: &Transition) -> bool {
        let Some(from) = &line.from else { return true };
        let mut emitting = self.actions.iter().filter(|action| action.emits.contains(&line.event)).peekable();
        emitting.peek().is_none() || emitting.any(|action| action.allowed_in.contains(from))
    }

    /// The places that the transitions which pass lead to, and that of a new entity.
    fn drawn(&self, passes: impl Fn(&Transition) -> bool) -> BTreeSet<Option<&str>> {
        let mut reached: BTreeSet<Option<&str>> = BTreeSet::from([None]);
        loop {
            let before = reached.len();
            for line in self.transitions.iter().filter(|line| passes(line)) {
                if reached.contains(&line.from.as_deref()) {
                    reached.insert(Some(&line.to));
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }

    /// Where only ways lead to that nobody can take, no way leads.
    fn barred_state(&mut self) {
        let living = self.drawn(|line| self.is_taken(line));
        let is_barred =
            |line: &&Transition| living.contains(&line.from.as_deref()) && !living.contains(&Some(line.to.as_str()));
        let barred: Vec<Transition> = self.transitions.iter().filter(is_barred).cloned().collect();
        for Transition { event, from, to } in &barred {
            let from = from.as_deref().unwrap_or("new");
            let said =
                format!("`{event}` leads from `{from}` to `{to}`, and no action that emits it is allowed in `{from}`");
            self.found(
                "barred_state",
                said,
                "the transition is left out; allow the action there if it is meant".to_owned(),
            );
        }
        self.transitions.retain(|line| !barred.contains(line));
    }

    /// What only ways lead on from that nobody can take is an end.
    fn barred_way_out(&mut self) {
        let leads_on = |line: &&Transition, state: &str| line.from.as_deref() == Some(state) && line.to != state;
        let is_stuck = |state: &str| {
            let mut onward = self.transitions.iter().filter(|line| leads_on(line, state)).peekable();
            onward.peek().is_some() && !onward.any(|line| self.is_taken(line))
        };
        let stuck: Vec<String> =
            self.states.iter().map(|state| state.name.clone()).filter(|name| is_stuck(name)).collect();
        for name in stuck {
            let onward = self.transitions.extract_if(.., |line| leads_on(&&*line, &name));
            let events: Vec<String> = onward.map(|line| line.event).collect();
            let said =
                format!("{} leads on from `{name}`, and no action that emits it is allowed there", listed(&events));
            self.found("barred_way_out", said, "it is left out; allow the action there if it is meant".to_owned());
        }
    }

    fn unreachable_state(&mut self) {
        let reached = self.drawn(|_| true);
        let is_left = |name: &str| !reached.contains(&Some(name));
        let left: Vec<String> =
            self.states.iter().map(|state| &state.name).filter(|name| is_left(name)).cloned().collect();
        for name in &left {
            let said = format!("no path from a new entity leads to the state `{name}`");
            self.found("unreachable_state", said, "it is left out, with what leads on from it".to_owned());
        }
        self.states.retain(|state| !left.contains(&state.name));
        self.transitions
            .retain(|line| !left.contains(&line.to) && !line.from.as_ref().is_some_and(|from| left.contains(from)));
        for action in &mut self.actions {
            action.allowed_in.retain(|state| !left.contains(state));
        }
    }

    /// Where nothing leads on, an entity ends; what only leads back there is no way on.
    fn dead_end(&mut self) {
        let mut stuck = Vec::new();
        for state in &mut self.states {
            let leaves = |line: &&Transition| line.from.as_ref() == Some(&state.name);
            let leads_on = self.transitions.iter().filter(leaves).any(|line| line.to != state.name);
            let loops = self.transitions.iter().any(|line| leaves(&line));
            state.is_final = !leads_on;
            if !leads_on && loops {
                stuck.push(state.name.clone());
            }
        }
        for name in stuck {
            let said = format!("the state `{name}` only leads back to itself");
            self.found("dead_end", said, "it is final, and what leads back is left out".to_owned());
            self.transitions.retain(|line| line.from.as_ref() != Some(&name));
        }
    }

    fn final_state_moves(&mut self) {
        let ends: Vec<String> =
            self.states.iter().filter(|state| state.is_final).map(|state| state.name.clone()).collect();
        let mut taken = Vec::new();
        for action in &mut self.actions {
            for state in action.allowed_in.extract_if(.., |state| ends.contains(state)) {
                taken.push((action.name.clone(), state));
            }
        }
        for (action, state) in taken {
            let said = format!("`{action}` is allowed in `{state}`, from which nothing leads on");
            let written =
                format!("`{state}` is final and allows nothing; if something still happens there, add a transition");
            self.found("final_state_moves", said, written);
        }
    }

    fn unused_event(&mut self) {
        let unused = |name: &String| !self.transitions.iter().any(|line| line.event == *name);
        let left: Vec<String> =
            self.events.iter().map(|event| &event.name).filter(|name| unused(name)).cloned().collect();
        for name in &left {
            let said = format!("no transition uses the event `{name}`");
            self.found("unused_event", said, "it is left out; nothing would come of it".to_owned());
        }
        self.events.retain(|event| !left.contains(&event.name));
        for action in &mut self.actions {
            action.emits.retain(|event| !left.contains(event));
        }
    }

    fn illegal_emit(&mut self) {
        let mut told = Vec::new();
        for action in &mut self.actions {
            let happens = |event: &str, state: &str| {
                self.transitions.iter().any(|line| line.event == event && line.from.as_deref() == Some(state))
            };
            let nowhere = |event: &String| !action.allowed_in.iter().any(|state| happens(event, state));
            let (never, emits): (Vec<String>, Vec<String>) = action.emits.drain(..).partition(nowhere);
            action.emits = emits;
            for event in never {
                let said =
                    format!("`{}` emits `{event}`, which has no transition from where it is allowed", action.name);
                let written =
                    "the action does not emit it; an event that follows on another needs an action of its own";
                told.push((said, written.to_owned()));
            }
            let fits = |state: &String| action.emits.iter().all(|event| happens(event, state));
            let (allowed, stuck): (Vec<String>, Vec<String>) = action.allowed_in.drain(..).partition(fits);
            action.allowed_in = allowed;
            if !stuck.is_empty() {
                let said = format!(
                    "`{}` is allowed in {}, from which {} has no transition",
                    action.name,
                    listed(&stuck),
                    listed(&action.emits)
                );
                told.push((said, "it is not allowed there; add the transition if it should be".to_owned()));
            }
        }
        for (said, written) in told {
            self.found("illegal_emit", said, written);
        }
    }

    fn action_allowed_nowhere(&mut self) {
        let left: Vec<String> =
            self.actions.extract_if(.., |action| action.allowed_in.is_empty()).map(|action| action.name).collect();
        for name in left {
            let said = format!("no state is left that allows the action `{name}`");
            self.found("action_allowed_nowhere", said, "it is left out".to_owned());
        }
    }

    fn several_events(&mut self) {
        let several: Vec<(String, String)> = self
            .actions
            .iter()
            .filter(|action| action.emits.len() > 1)
            .map(|action| (action.name.clone(), listed(&action.emits)))
            .collect();
        for (action, events) in several {
            let said = format!("`{action}` is followed by {events}");
            self.assumed(said, "it answers with one of them; its executor decides which".to_owned());
        }
    }
}
