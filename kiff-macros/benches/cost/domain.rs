//! A domain of any size, in the language.

use std::fmt::Write;

/// Where the action of that number may run, and where it leads.
pub(crate) fn step(states: usize, action: usize) -> (usize, usize) {
    let from = action % (states - 1);
    (from, (from + 1 + action / (states - 1)).min(states - 1))
}

/// A ring of states; each action leads some states on.
pub(crate) fn source(states: usize, actions: usize) -> String {
    let mut text = String::from("//! Generated.\n\nuse kiff::{Cents, Failure, action, domain};\n\n");
    write(&mut text, states, actions).unwrap_or_default();
    text
}

fn write(text: &mut String, states: usize, actions: usize) -> std::fmt::Result {
    writeln!(text, "domain! {{\n    pub domain Work governs Task;")?;
    writeln!(text, "    roles {{ Agent: agent, Operator: human, Shop: system }}")?;
    write!(text, "    states {{ ")?;
    for state in 0..states - 1 {
        write!(text, "S{state}, ")?;
    }
    writeln!(text, "final S{} }}\n    events {{\n        Opened {{ total: Cents }} reported by Shop;", states - 1)?;
    for action in 0..actions {
        writeln!(text, "        Done{action} {{ amount: Cents, reason: String }};")?;
    }
    writeln!(text, "    }}\n    transitions {{\n        Opened: new => S0;")?;
    for action in 0..actions {
        let (from, to) = step(states, action);
        writeln!(text, "        Done{action}: S{from} => S{to};")?;
    }
    writeln!(text, "    }}\n    actions {{")?;
    for action in 0..actions {
        let (risk, approval) = if action % 3 == 0 { ("high", ", approval: Operator") } else { ("low", "") };
        writeln!(text, "        Do{action} {{ risk: {risk}, by: Agent, emits: Done{action}{approval} }};")?;
    }
    writeln!(text, "    }}\n    allow {{")?;
    for state in 0..states - 1 {
        let allowed = (0..actions).filter(|action| step(states, *action).0 == state);
        let allowed: Vec<String> = allowed.map(|action| format!("Do{action}")).collect();
        writeln!(text, "        S{state} => [{}];", allowed.join(", "))?;
    }
    writeln!(text, "    }}\n}}\n")?;
    for action in 0..actions {
        writeln!(text, "#[action(Work::Do{action})]\nasync fn do_{action}(")?;
        writeln!(text, "    #[param(range(min = 1, max = 1000))] amount: Cents,\n    reason: String,")?;
        writeln!(text, ") -> Result<Done{action}, Failure> {{\n    Ok(Done{action} {{ amount, reason }})\n}}\n")?;
    }
    Ok(())
}
