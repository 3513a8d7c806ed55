//! The programs that tests run: the command line and the examples.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A program of the workspace.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// `kiff`, the command line.
    CommandLine,
    Example(&'static str),
}

impl Program {
    /// Where it is.
    ///
    /// The tests of one package build no program of another, so that all are built here, once a run and as `cargo test --workspace
    /// --all-features` builds them: after that nothing is left to be done. `tests/run` builds them before, and says by
    /// `KIFF_PROGRAMS` where they are: cargo would wait here for whatever else is being built.
    pub(crate) fn path(self) -> PathBuf {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        let folder = BUILT.get_or_init(|| {
            if let Some(folder) = std::env::var_os("KIFF_PROGRAMS") {
                return folder.into();
            }
            let test = std::env::current_exe().unwrap();
            let profile = test.parent().and_then(Path::parent).unwrap();
            let built = as_from_a_shell(Command::new(env!("CARGO")))
                .args([
                    "build",
                    "--quiet",
                    "--workspace",
                    "--all-features",
                    "--bin",
                    "kiff",
                    "--examples",
                    "--target-dir",
                ])
                .arg(profile.parent().unwrap())
                .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
                .status();
            assert!(built.unwrap().success(), "the programs of the workspace do not build");
            profile.to_owned()
        });
        let (folder, name) = match self {
            Self::CommandLine => (folder.clone(), "kiff"),
            Self::Example(name) => (folder.join("examples"), name),
        };
        folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

/// Where packages are built that are none of the workspace: with the programs of trybuild, which stand on the same macros.
pub(crate) fn packages() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("tests/trybuild")
}

/// The command without what cargo tells a test of its package: build scripts that look at it would run again, and everything that
/// stands on them would be built again.
fn as_from_a_shell(mut command: Command) -> Command {
    let is_of_package = |name: &str| ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|told| name.starts_with(told));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_package)) {
        command.env_remove(name);
    }
    command
}
