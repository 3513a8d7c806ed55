//! `kiff new`: an empty folder becomes a governed project.

mod project;
mod template;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::shell::{Ended, Shell};

use project::word;
use template::Template;

pub(crate) use project::{Kiff, Project, quoted};

/// Start a project: a domain, a program, its tests
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The folder to make; its last part is the name of the package
    name: PathBuf,
    /// What to start from
    #[arg(long, value_enum, default_value_t = Template::Starter)]
    template: Template,
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
        for (name, text) in self.template.files() {
            project.add(name, fill(text));
        }
        project.write()?;
        let folder = project.folder().display().to_string();
        let text = format!(
            "created `{package}` in `{folder}`\n\n  cd {}\n{}\nThe rules stand in src/domain.rs; README.md says what to do next.\n{}",
            word(project.folder()),
            self.template.first_steps(),
            kiff.caveat()
        );
        shell.answer(&Answer { created: &folder, package: &package, files: project.files() }, &text)?;
        Ok(Ended::Well)
    }
}
