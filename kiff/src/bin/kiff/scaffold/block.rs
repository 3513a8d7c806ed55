//! The `domain!` block of a draft, as a person would write it.

use std::fmt::Write;

use super::rendered::{Declared, Rendered};

impl Rendered<'_> {
    /// The whole block.
    pub(crate) fn block(&self) -> String {
        let mut block = String::new();
        let _ = write!(
            block,
            "domain! {{\n    /// The life of {} `{}`, and who may do what with it.\n    pub domain {} governs {};\n    services {};\n",
            if self.entity.ident.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" },
            self.entity.ident,
            self.domain.declared(),
            self.entity.declared(),
            self.services(),
        );
        let sections = [
            ("roles", self.roles()),
            ("states", self.states()),
            ("events", self.events()),
            ("transitions", self.transitions()),
            ("actions", self.actions()),
            ("allow", self.allow()),
            ("never", self.never()),
        ];
        for (name, lines) in sections {
            match lines.as_slice() {
                [] => {}
                [line] if line.len() < 100 && name != "actions" && name != "events" => {
                    let _ = write!(block, "\n    {name} {{ {line} }}\n");
                }
                lines => {
                    let _ = write!(block, "\n    {name} {{\n");
                    for line in lines {
                        let _ = writeln!(block, "        {line}");
                    }
                    block.push_str("    }\n");
                }
            }
        }
        block.push_str("}\n");
        block
    }

    fn roles(&self) -> Vec<String> {
        let roles = self.draft.roles.iter();
        let roles = roles.map(|role| format!("{}: {}", self.declared(Declared::Role, &role.name), role.kind));
        wrapped(&roles.collect::<Vec<_>>())
    }

    fn states(&self) -> Vec<String> {
        let states = self.draft.states.iter().map(|state| {
            let word = if state.is_final { "final " } else { "" };
            format!("{word}{}", self.declared(Declared::State, &state.name))
        });
        wrapped(&states.collect::<Vec<_>>())
    }

    fn events(&self) -> Vec<String> {
        let rows = self.draft.events.iter().map(|event| {
            let fields: Vec<String> = self
                .fields(&event.name)
                .iter()
                .map(|field| format!("{}: {}", field.ident, field.kind.type_name()))
                .collect();
            let fields = if fields.is_empty() { String::new() } else { format!("{{ {} }}", fields.join(", ")) };
            let reported = match &event.reporter {
                Some(role) => format!("reported by {}", self.role(role)),
                None => String::new(),
            };
            let rest = [fields, reported].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            [self.declared(Declared::Event, &event.name), rest, ";".to_owned()]
        });
        aligned(&rows.collect::<Vec<_>>(), " ")
    }

    fn transitions(&self) -> Vec<String> {
        // One line for each event and where it leads, with all the states that it leads there from.
        let mut lines: Vec<(&str, Vec<&str>, &str)> = Vec::new();
        for line in &self.draft.transitions {
            let from = line.from.as_deref().map_or("new", |from| self.state(from));
            match lines.iter_mut().find(|(event, _, to)| *event == line.event && *to == line.to) {
                Some((_, sources, _)) => sources.push(from),
                None => lines.push((&line.event, vec![from], &line.to)),
            }
        }
        let rows = lines.iter().map(|(event, sources, to)| {
            [format!("{}:", self.event(event)), sources.join(" | "), format!("=> {};", self.state(to))]
        });
        aligned(&rows.collect::<Vec<_>>(), " ")
    }

    fn actions(&self) -> Vec<String> {
        let rows = self.draft.actions.iter().map(|action| {
            let piped = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(" | ") };
            let by = piped(action.by.iter().map(|role| self.role(role)).collect());
            let emits = piped(action.emits.iter().map(|event| self.event(event)).collect());
            let mut keys = vec![format!("risk: {}", action.risk), format!("by: {by}"), format!("emits: {emits}")];
            if action.is_approved {
                let approvers: Vec<&str> = action.approvers.iter().map(|role| self.role(role)).collect();
                keys.push(format!("approval: {}", approvers.join(" | ")));
            }
            keys.extend(action.permission.as_ref().map(|permission| format!("permission: \"{permission}\"")));
            [self.declared(Declared::Action, &action.name), format!("{{ {} }};", keys.join(", ")), String::new()]
        });
        aligned(&rows.collect::<Vec<_>>(), " ")
    }

    fn allow(&self) -> Vec<String> {
        let rows = self.draft.states.iter().filter_map(|state| {
            let allowed = self.draft.actions.iter().filter(|action| action.allowed_in.contains(&state.name));
            let allowed: Vec<&str> = allowed.map(|action| self.action(&action.name)).collect();
            let line = [self.state(&state.name).to_owned(), format!("=> [{}];", allowed.join(", ")), String::new()];
            (!allowed.is_empty()).then_some(line)
        });
        aligned(&rows.collect::<Vec<_>>(), " ")
    }

    fn never(&self) -> Vec<String> {
        let promises = self.draft.promises();
        promises.iter().map(|own| format!("{} without {};", self.state(own.state), self.role(own.role))).collect()
    }
}

/// Names with commas between them, in lines that are not too long.
fn wrapped(names: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.len() + name.len() < 90 => {
                line.push_str(", ");
                line.push_str(name);
            }
            Some(line) => {
                line.push(',');
                lines.push(name.clone());
            }
            None => lines.push(name.clone()),
        }
    }
    lines
}

/// Rows of three columns, each as wide as its widest.
fn aligned(rows: &[[String; 3]], gap: &str) -> Vec<String> {
    let widest =
        |column: fn(&[String; 3]) -> &String| rows.iter().map(|row| column(row).len()).max().unwrap_or_default();
    let (first, second) = (widest(|[first, _, _]| first), widest(|[_, second, _]| second));
    let lines = rows.iter().map(|[one, two, three]| {
        let line = match three.as_str() {
            "" | ";" => format!("{one:<first$}{gap}{two}"),
            _ => format!("{one:<first$}{gap}{two:<second$}{gap}{three}"),
        };
        let end = if three == ";" { ";" } else { "" };
        format!("{}{end}", line.trim_end())
    });
    lines.collect()
}
