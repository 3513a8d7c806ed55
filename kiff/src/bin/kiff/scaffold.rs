//! `kiff scaffold`: a descriptor of the Go tool becomes a domain whose executors are the only thing left to fill.

mod block;
mod descriptor;
mod draft;
mod duties;
mod files;
mod flow;
mod names;
mod permissions;
mod place;
mod promises;
mod rendered;

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::new::{Kiff, Project};
use crate::shell::{Ended, Shell};
use descriptor::Descriptor;
use draft::{Draft, Finding};
use rendered::Rendered;

/// Write a domain from a descriptor of the Go tool, and say what of it does not compile here
#[derive(Debug, Args)]
pub(crate) struct Scaffold {
    /// The descriptor
    descriptor: PathBuf,
    /// The folder to make; the domain's name, if none is given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Take kiff from this checkout instead of from the registry
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer<'a> {
    created: &'a str,
    files: Vec<&'a str>,
    findings: &'a [Finding],
}

impl Scaffold {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let kiff = Kiff::new(self.path.as_deref())?;
        let text =
            fs::read_to_string(&self.descriptor).map_err(|error| Failure::file("read", &self.descriptor, &error))?;
        let descriptor = Descriptor::read(&self.descriptor, text.strip_prefix('\u{feff}').unwrap_or(&text))?;
        let mut draft = Draft::new(&descriptor);
        draft.mend_flow(&descriptor.roles);
        if draft.actions.is_empty() || !draft.transitions.iter().any(|line| line.from.is_none()) {
            let failure = Failure::new("nothing is left of the domain that could run");
            return Err(draft.findings.iter().fold(failure, |failure, own| {
                failure.note(format!("{}: {}", own.rule.unwrap_or("assumed"), own.said))
            }));
        }
        draft.assign_duties(&descriptor);
        if let Some(overlong) = draft.overlong_permission(&descriptor) {
            let help = "give the domain, or what the permission is for, a shorter name";
            return Err(Failure::new(overlong).note("rule: malformed_name").help(help));
        }
        assume_parameters(&mut draft);
        let name = self.descriptor.file_name().and_then(|name| name.to_str());
        // It stands in a comment, which a line break would end.
        let source = kiff::visible(name.unwrap_or("a descriptor"));
        let rendered = Rendered::new(&descriptor.domain, &descriptor.entity, &draft);
        let mut project = match self.out {
            Some(folder) => Project::new(folder)?,
            None => Project::new(PathBuf::from(names::snake(&rendered.domain.ident).replace('_', "-")))
                .map_err(|failure| failure.help(ANOTHER_FOLDER))?,
        };
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.95\"\npublish = false\n\n\
             [dependencies]\nkiff = {}\n\n[dev-dependencies]\nkiff-test = {}\n",
            project.package(),
            kiff.dependency("kiff", &[]),
            kiff.dependency("kiff-test", &[]),
        );
        let (library, decisions) = (project.library(), files::decisions(&draft.findings));
        project.add("Cargo.toml", manifest);
        project.add(".gitignore", "/target\n".to_owned());
        project.add("src/lib.rs", rendered.library(&source));
        project.add("tests/domain.rs", rendered.tests(&library));
        project.add("DECISIONS.md", format!("# What was decided when `{source}` became a domain\n\n{decisions}"));
        project.write()?;
        let folder = project.folder().display().to_string();
        let text = format!(
            "wrote the domain `{}` to `{folder}`: {} states, {} events, {} actions, {} roles\n\n{decisions}\n\
             The same stands in {folder}/DECISIONS.md. Fill the executors in {folder}/src/lib.rs.\n{}",
            rendered.domain.ident,
            draft.states.len(),
            draft.events.len(),
            draft.actions.len(),
            draft.roles.len(),
            kiff.caveat(),
        );
        let data = Answer { created: &folder, files: project.files(), findings: &draft.findings };
        shell.answer(&data, &text)?;
        Ok(Ended::Well)
    }
}

/// What to do where the domain's own name is none for a folder.
const ANOTHER_FOLDER: &str =
    "name another folder with `--out DIR`, new or empty: the package is called as the folder is";

/// A descriptor names parameters and says nothing else of them.
fn assume_parameters(draft: &mut Draft) {
    let mut seen: Vec<String> = Vec::new();
    for action in &draft.actions {
        for (name, parameter) in action.parameters.iter().zip(Rendered::parameters(action)) {
            let renamed = if parameter.ident == *name { String::new() } else { format!(" (was `{name}`)") };
            let line = format!("`{}: {}`{renamed}", parameter.ident, parameter.kind.type_name());
            if !seen.contains(&line) {
                seen.push(line);
            }
        }
    }
    if !seen.is_empty() {
        let said = "the types and bounds of parameters".to_owned();
        draft.assumed(said, format!("{}, each with a bound in its `#[param]` to look at", seen.join(", ")));
    }
}

#[cfg(test)]
mod tests;
