//! The same without kiff: enums, structs and matches that read, judge and run, as people write them.

use std::fmt::Write;

use super::domain::step;

/// What a careful person writes for the same states and actions.
pub(crate) fn source(states: usize, actions: usize) -> String {
    let mut text = String::from("//! Generated.\n\nuse serde::{Deserialize, Serialize};\n\n");
    let written = types(&mut text, states, actions).and_then(|()| matches(&mut text, states, actions));
    written.unwrap_or_default();
    text
}

fn types(text: &mut String, states: usize, actions: usize) -> std::fmt::Result {
    writeln!(text, "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\npub enum State {{")?;
    for state in 0..states {
        writeln!(text, "    S{state},")?;
    }
    writeln!(text, "}}\n\nimpl std::fmt::Display for State {{")?;
    writeln!(text, "    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{")?;
    writeln!(text, "        f.write_str(state_name(*self))\n    }}\n}}\n")?;
    writeln!(text, "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\npub enum Action {{")?;
    for action in 0..actions {
        writeln!(text, "    Do{action},")?;
    }
    writeln!(text, "}}\n")?;
    for action in 0..actions {
        writeln!(text, "#[derive(Debug, Clone, Serialize, Deserialize)]")?;
        writeln!(text, "pub struct Done{action} {{ pub amount: i64, pub reason: String }}\n")?;
        writeln!(text, "#[derive(Debug, Clone, Serialize, Deserialize)]")?;
        writeln!(text, "pub struct Do{action} {{ pub amount: i64, pub reason: String }}\n")?;
        writeln!(text, "async fn do_{action}(amount: i64, reason: String) -> Result<Done{action}, String> {{")?;
        writeln!(text, "    Ok(Done{action} {{ amount, reason }})\n}}\n")?;
    }
    writeln!(text, "#[derive(Debug, Clone)]\npub enum Event {{")?;
    for action in 0..actions {
        writeln!(text, "    Done{action}(Done{action}),")?;
    }
    writeln!(text, "}}\n")?;
    for action in 0..actions {
        writeln!(text, "impl From<Done{action}> for Event {{")?;
        writeln!(text, "    fn from(event: Done{action}) -> Self {{\n        Self::Done{action}(event)\n    }}\n}}\n")?;
    }
    Ok(())
}

/// A fn of one match; `arm` writes what stands before and after `=>`.
fn function(
    text: &mut String,
    head: &str,
    over: &str,
    count: usize,
    arm: impl Fn(usize) -> String,
) -> std::fmt::Result {
    writeln!(text, "{head} {{\n    match {over} {{")?;
    for number in 0..count {
        writeln!(text, "        {},", arm(number))?;
    }
    Ok(())
}

fn matches(text: &mut String, states: usize, actions: usize) -> std::fmt::Result {
    const END: &str = "    }\n}\n";
    const NONE: &str = "        _ => None,\n    }\n}\n";
    function(text, "pub fn state(name: &str) -> Option<State>", "name", states, |n| {
        format!("\"S{n}\" => Some(State::S{n})")
    })?;
    writeln!(text, "{NONE}")?;
    function(text, "pub fn state_name(state: State) -> &'static str", "state", states, |n| {
        format!("State::S{n} => \"S{n}\"")
    })?;
    writeln!(text, "{END}")?;
    function(text, "pub fn action(name: &str) -> Option<Action>", "name", actions, |n| {
        format!("\"DO_{n}\" => Some(Action::Do{n})")
    })?;
    writeln!(text, "{NONE}")?;
    function(text, "pub fn event_name(event: &Event) -> &'static str", "event", actions, |n| {
        format!("Event::Done{n}(_) => \"DONE_{n}\"")
    })?;
    writeln!(text, "{END}")?;
    let head = "pub fn needs_approval(action: Action) -> bool";
    function(text, head, "action", actions, |n| format!("Action::Do{n} => {}", n % 3 == 0))?;
    writeln!(text, "{END}")?;
    function(text, "pub fn allowed(action: Action, state: State) -> bool", "action", actions, |n| {
        format!("Action::Do{n} => matches!(state, State::S{})", step(states, n).0)
    })?;
    writeln!(text, "{END}")?;
    function(text, "pub fn transition(from: State, event: &str) -> Option<State>", "(event, from)", actions, |n| {
        let (from, to) = step(states, n);
        format!("(\"DONE_{n}\", State::S{from}) => Some(State::S{to})")
    })?;
    writeln!(text, "{NONE}")?;
    let head = "pub fn encode(event: &Event) -> Result<String, serde_json::Error>";
    function(text, head, "event", actions, |n| format!("Event::Done{n}(event) => serde_json::to_string(event)"))?;
    writeln!(text, "{END}")?;
    let head = "pub fn decode(name: &str, text: &str) -> Option<Result<Event, serde_json::Error>>";
    function(text, head, "name", actions, |n| {
        format!("\"DONE_{n}\" => Some(serde_json::from_str(text).map(Event::Done{n}))")
    })?;
    writeln!(text, "{NONE}")?;
    let head = "pub async fn run(action: Action, text: &str) -> Result<Event, String>";
    function(text, head, "action", actions, |n| {
        format!(
            "Action::Do{n} => {{\n            let Do{n} {{ amount, reason }} = serde_json::from_str(text).map_err(|error| \
             error.to_string())?;\n            if !(1..=1000).contains(&amount) {{\n                return \
             Err(\"amount\".to_owned());\n            }}\n            do_{n}(amount, reason).await.map(Event::Done{n})\n        }}"
        )
    })?;
    writeln!(text, "{END}")
}
