//! What a project can start from, and the files of each.

use clap::ValueEnum;

/// What a project starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// Support tickets: one entity, two actions, a server and its tests
    Starter,
    /// Incidents: a server, and an agent in Python that works from fixtures or with a real model
    AgenticOps,
}

/// The files that every template has as they are.
const SHARED: [(&str, &str); 2] =
    [("Cargo.toml", include_str!("starter/manifest.toml")), ("src/lib.rs", include_str!("starter/lib.rs"))];

const STARTER: [(&str, &str); 5] = [
    (".gitignore", "/target\n*.db*\n*.log\n*.key\n*.part\n"),
    ("README.md", include_str!("starter/README.md")),
    ("src/domain.rs", include_str!("starter/domain.rs")),
    ("src/main.rs", include_str!("starter/main.rs")),
    ("tests/domain.rs", include_str!("starter/tests.rs")),
];

const AGENTIC_OPS: [(&str, &str); 14] = [
    (".gitignore", "/target\n/data\n/log\n*.key\n*.part\n__pycache__\n"),
    ("Makefile", include_str!("agentic_ops/Makefile")),
    ("README.md", include_str!("agentic_ops/README.md")),
    ("agent/agent.py", include_str!("agentic_ops/agent/agent.py")),
    ("agent/demo.py", include_str!("agentic_ops/agent/demo.py")),
    ("agent/fixtures.jsonl", include_str!("agentic_ops/agent/fixtures.jsonl")),
    ("agent/model.py", include_str!("agentic_ops/agent/model.py")),
    ("agent/test_agent.py", include_str!("agentic_ops/agent/test_agent.py")),
    ("agent/test_demo.py", include_str!("agentic_ops/agent/test_demo.py")),
    ("src/domain.rs", include_str!("agentic_ops/domain.rs")),
    ("src/main.rs", include_str!("agentic_ops/main.rs")),
    ("src/replay.rs", include_str!("agentic_ops/replay.rs")),
    ("src/serve.rs", include_str!("agentic_ops/serve.rs")),
    ("tests/domain.rs", include_str!("agentic_ops/tests.rs")),
];

impl Template {
    /// Its files, each with a name and a text that has places for names.
    pub(crate) fn files(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let own: &[_] = match self {
            Self::Starter => &STARTER,
            Self::AgenticOps => &AGENTIC_OPS,
        };
        SHARED.iter().chain(own).copied()
    }

    /// What to type first.
    pub(crate) const fn first_steps(self) -> &'static str {
        match self {
            Self::Starter => {
                "  cargo run     # a server, a call by curl that is held, and the page on which a person decides\n  \
                 cargo test    # the three tests that every domain starts with\n"
            }
            Self::AgenticOps => {
                "  make demo     # the whole governed loop, offline: block, approve, execute, replay\n  \
                 make test     # the domain, and the agent in front of a real server\n"
            }
        }
    }
}
