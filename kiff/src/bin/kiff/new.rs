//! `kiff new`: an empty folder becomes a governed project.

mod project;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::shell::{Ended, Shell};

pub(crate) use project::{Kiff, Project, quoted};

/// Start a project: a domain, a program, its tests
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The folder to make; its last part is the name of the package
    name: PathBuf,
    /// Take kiff from this checkout instead of from the registry
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer<'a> {
    created: &'a str,
    package: &'a str,
    files: Vec<&'a str>,
}

impl New {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let kiff = Kiff::new(self.path.as_deref())?;
        let mut project = Project::new(self.name)?;
        let (package, library) = (project.package().to_owned(), project.library());
        let fill = |text: &str| {
            let with_names = text.replace("@PACKAGE@", &package).replace("@LIBRARY@", &library);
            with_names
                .replace("@KIFF@", &kiff.dependency("kiff", &["http", "proof", "sqlite"]))
                .replace("@KIFF_TEST@", &kiff.dependency("kiff-test", &[]))
        };
        project.add("Cargo.toml", fill(include_str!("new/starter/manifest.toml")));
        project.add(".gitignore", "/target\n*.db*\n*.log\n*.log.key\n".to_owned());
        project.add("README.md", fill(include_str!("new/starter/README.md")));
        project.add("src/lib.rs", fill(include_str!("new/starter/lib.rs")));
        project.add("src/domain.rs", fill(include_str!("new/starter/domain.rs")));
        project.add("src/main.rs", fill(include_str!("new/starter/main.rs")));
        project.add("tests/domain.rs", fill(include_str!("new/starter/tests.rs")));
        project.write()?;
        let folder = project.folder().display().to_string();
        let text = format!(
            "created `{package}` in `{folder}`\n\n  cd {folder}\n  cargo run     # a server, a call by curl that is held, and the page on which a person decides\n  \
             cargo test    # the three tests that every domain starts with\n\nThe rules stand in src/domain.rs; README.md says what to do next.\n"
        );
        shell.answer(&Answer { created: &folder, package: &package, files: project.files() }, &text)?;
        Ok(Ended::Well)
    }
}
