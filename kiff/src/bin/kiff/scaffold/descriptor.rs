//! The descriptor: a domain in JSON, as the Go tool reads it. Unknown keys are refused, and so are unknown names.

use std::fmt;
use std::path::Path;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::place::Step::{Item, Key, Name};
use super::place::{Step, place};
use crate::failure::Failure;

/// A domain in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Descriptor {
    pub(crate) domain: String,
    pub(crate) entity: String,
    #[serde(default)]
    pub(crate) adapter: Option<String>,
    pub(crate) events: Vec<String>,
    pub(crate) states: Vec<String>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) actions: Vec<Action>,
    #[serde(default)]
    pub(crate) roles: Roles,
}

/// `{"on": "ORDER_PAID", "from": "CREATED", "to": "PAID"}`; an entity begins where `from` is empty or left out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transition {
    pub(crate) on: String,
    #[serde(default)]
    pub(crate) from: String,
    pub(crate) to: String,
}

/// An action and what it demands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) allowed_states: Vec<String>,
    #[serde(default)]
    pub(crate) required_parameters: Vec<String>,
    #[serde(default)]
    pub(crate) required_permissions: Vec<String>,
    #[serde(default)]
    pub(crate) risk: String,
    #[serde(default)]
    pub(crate) approval: String,
    #[serde(default)]
    pub(crate) follow_up_events: Vec<String>,
}

/// Roles and their permissions, in the order in which they are written.
#[derive(Debug, Default)]
pub(crate) struct Roles(pub(crate) Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Roles;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("roles with their permissions, as in `{\"agent\": [\"refund.execute\"]}`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Roles, A::Error> {
                let mut roles: Vec<(String, Vec<String>)> = Vec::new();
                while let Some((name, permissions)) = map.next_entry::<String, Vec<String>>()? {
                    if roles.iter().any(|(own, _)| *own == name) {
                        return Err(de::Error::custom(format_args!("the role `{name}` is declared twice")));
                    }
                    roles.push((name, permissions));
                }
                Ok(Roles(roles))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// How many of each a block may declare; of roles two fewer, because some may have to be added. Of transitions a block may have
/// any number, and nobody reads as many.
const MOST: [(&str, usize); 5] =
    [("states", 128), ("events", 512), ("transitions", 2_048), ("actions", 512), ("roles", 62)];

/// How many parameters an executor may take.
const MOST_PARAMETERS: usize = 64;

/// The words for risk, as both sides know them.
pub(crate) const RISKS: [&str; 4] = ["low", "medium", "high", "critical"];

impl Descriptor {
    /// Reads a descriptor, or says where it is none.
    pub(crate) fn read(file: &Path, text: &str) -> Result<Self, Failure> {
        let mut descriptor: Self = serde_json::from_str(text).map_err(|error| syntax(file, text, &error))?;
        let check = Check { file, text };
        check.lists(&descriptor)?;
        check.names(&descriptor)?;
        check.references(&descriptor)?;
        for action in &mut descriptor.actions {
            for (word, usual) in [(&mut action.risk, "low"), (&mut action.approval, "never")] {
                *word = plain(word);
                if word.is_empty() {
                    usual.clone_into(word);
                }
            }
        }
        Ok(descriptor)
    }
}

/// A word as it is compared.
fn plain(word: &str) -> String {
    word.trim().to_lowercase()
}

/// A text that is no descriptor, shown where it stops to be one.
fn syntax(file: &Path, text: &str, error: &serde_json::Error) -> Failure {
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let end = (line_start + error.column()).min(text.len());
    let before = text.get(..end).unwrap_or(text);
    let key = before.strip_suffix('"').and_then(|inside| inside.rfind('"'));
    let start = key.unwrap_or_else(|| before.char_indices().next_back().map_or(0, |(at, _)| at));
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let message = message.replace("EOF while", "the text ends while").replace("expected a sequence", "expected a list");
    let message = message.as_str();
    let (message, expected) = match message.split_once(", expected ") {
        Some((what, expected)) => (what.replace("unknown field", "unknown key"), format!("expected {expected}")),
        None => (message.replace("missing field", "missing key"), String::new()),
    };
    Failure::new(message).at(file, text, start..end, &expected)
}

/// What a descriptor must be beyond its shape.
struct Check<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Check<'_> {
    /// A fault, shown where what is at fault stands.
    fn fault(&self, message: String, steps: &[Step<'_>], label: &str) -> Failure {
        let failure = Failure::new(message);
        match place(self.text, steps) {
            Some(bytes) => failure.at(self.file, self.text, bytes, label),
            None => failure,
        }
    }

    fn lists(&self, descriptor: &Descriptor) -> Result<(), Failure> {
        self.sizes(descriptor)?;
        let lists = [
            ("states", descriptor.states.is_empty()),
            ("events", descriptor.events.is_empty()),
            ("actions", descriptor.actions.is_empty()),
            ("transitions", descriptor.transitions.is_empty()),
        ];
        if let Some((empty, _)) = lists.iter().find(|(_, is_empty)| *is_empty) {
            return Err(self.fault(format!("`{empty}` is empty"), &[Name(empty)], "a domain has at least one"));
        }
        let mut actions = descriptor.actions.iter().enumerate();
        if let Some((number, action)) = actions.find(|(_, action)| action.allowed_states.is_empty()) {
            let message = format!("no state allows the action `{}`", action.name);
            let steps = [Key("actions"), Item(number), Key("name")];
            return Err(self.fault(message, &steps, "name its `allowed_states`").note("rule: action_allowed_nowhere"));
        }
        if descriptor.transitions.iter().all(|transition| !transition.from.is_empty()) {
            let message = "no transition begins an entity".to_owned();
            let failure = self.fault(message, &[Name("transitions")], "one has an empty `from`");
            return Err(failure.note("rule: no_initial_transition"));
        }
        Ok(())
    }

    fn sizes(&self, descriptor: &Descriptor) -> Result<(), Failure> {
        let [states, events, transitions, actions, roles] = MOST.map(|(_, most)| most);
        let over = [
            descriptor.states.get(states).map(|name| (name, vec![Key("states"), Item(states)])),
            descriptor.events.get(events).map(|name| (name, vec![Key("events"), Item(events)])),
            descriptor.transitions.get(transitions).map(|own| (&own.on, vec![Key("transitions"), Item(transitions)])),
            descriptor.actions.get(actions).map(|own| (&own.name, vec![Key("actions"), Item(actions), Key("name")])),
            descriptor.roles.0.get(roles).map(|(role, _)| (role, vec![Key("roles"), Name(role)])),
        ];
        for ((what, most), over) in MOST.into_iter().zip(over) {
            if let Some((name, steps)) = over {
                let message = format!("a domain has at most {most} {what}, and `{name}` is one more");
                return Err(self.fault(message, &steps, "split the domain").note("rule: too_many"));
            }
        }
        for (number, action) in descriptor.actions.iter().enumerate() {
            if let Some(name) = action.required_parameters.get(MOST_PARAMETERS) {
                let own = &action.name;
                let message =
                    format!("an action has at most {MOST_PARAMETERS} parameters, and `{name}` of `{own}` is one more");
                let steps = [Key("actions"), Item(number), Key("required_parameters"), Item(MOST_PARAMETERS)];
                return Err(self.fault(message, &steps, "leave some out, or put them into one").note("rule: too_many"));
            }
        }
        Ok(())
    }

    fn names(&self, descriptor: &Descriptor) -> Result<(), Failure> {
        self.name(&descriptor.domain, &[Key("domain")])?;
        self.name(&descriptor.entity, &[Key("entity")])?;
        if let Some(adapter) = &descriptor.adapter {
            self.name(adapter, &[Key("adapter")])?;
        }
        for (list, names) in [("states", &descriptor.states), ("events", &descriptor.events)] {
            for (place, name) in names.iter().enumerate() {
                self.name(name, &[Key(list), Item(place)])?;
            }
        }
        for (number, action) in descriptor.actions.iter().enumerate() {
            self.name(&action.name, &[Key("actions"), Item(number), Key("name")])?;
            let lists = [
                ("required_parameters", &action.required_parameters),
                ("required_permissions", &action.required_permissions),
            ];
            for (list, names) in lists {
                for (place, name) in names.iter().enumerate() {
                    self.name(name, &[Key("actions"), Item(number), Key(list), Item(place)])?;
                }
            }
        }
        for (role, permissions) in &descriptor.roles.0 {
            self.name(role, &[Key("roles"), Name(role)])?;
            for (place, permission) in permissions.iter().enumerate() {
                self.name(permission, &[Key("roles"), Key(role), Item(place)])?;
            }
        }
        Ok(())
    }

    fn name(&self, name: &str, steps: &[Step<'_>]) -> Result<(), Failure> {
        let is_fit = |letter: char| letter.is_ascii_alphanumeric() || "_-.:/".contains(letter);
        let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if is_name && name.chars().all(is_fit) && name.len() <= 64 {
            return Ok(());
        }
        let label = "a letter, and then letters, digits, `_`, `-`, `.`, `:` and `/`";
        Err(self.fault(format!("{name:?} cannot be a name"), steps, label).note("rule: malformed_name"))
    }

    fn references(&self, descriptor: &Descriptor) -> Result<(), Failure> {
        for (number, transition) in descriptor.transitions.iter().enumerate() {
            let at = |key: &'static str| [Key("transitions"), Item(number), Key(key)];
            self.known("event", &transition.on, &descriptor.events, &at("on"))?;
            self.known("state", &transition.to, &descriptor.states, &at("to"))?;
            if !transition.from.is_empty() {
                self.known("state", &transition.from, &descriptor.states, &at("from"))?;
            }
        }
        for (number, action) in descriptor.actions.iter().enumerate() {
            let at = |list: &'static str, place: usize| [Key("actions"), Item(number), Key(list), Item(place)];
            for (place, state) in action.allowed_states.iter().enumerate() {
                self.known("state", state, &descriptor.states, &at("allowed_states", place))?;
            }
            for (place, event) in action.follow_up_events.iter().enumerate() {
                self.known("event", event, &descriptor.events, &at("follow_up_events", place))?;
            }
            self.word(number, "risk", &action.risk, &RISKS)?;
            self.word(number, "approval", &action.approval, &["never", "required"])?;
        }
        Ok(())
    }

    fn known(&self, kind: &str, name: &str, declared: &[String], steps: &[Step<'_>]) -> Result<(), Failure> {
        if declared.iter().any(|own| own == name) {
            return Ok(());
        }
        let near = declared.iter().map(|own| (strsim::jaro_winkler(own, name), own));
        let near = near.max_by(|left, right| left.0.total_cmp(&right.0)).filter(|(likeness, _)| *likeness > 0.8);
        let label = near.map_or_else(|| format!("not in `{kind}s`"), |(_, near)| format!("did you mean `{near}`?"));
        Err(self.fault(format!("unknown {kind} `{name}`"), steps, &label).note("rule: unknown_name"))
    }

    fn word(&self, number: usize, key: &str, word: &str, words: &[&str]) -> Result<(), Failure> {
        let plain = plain(word);
        if plain.is_empty() || words.contains(&plain.as_str()) {
            return Ok(());
        }
        let steps = [Key("actions"), Item(number), Key(key)];
        Err(self.fault(format!("unknown {key} `{word}`"), &steps, &format!("expected {}", words.join(", "))))
    }
}
