//! `kiff check`: what a domain crate's governance is, as a table, a diagram, and what a reviewer should look at.

mod differences;
mod findings;
mod overview;
mod probe;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use kiff::Schema;
use serde::Serialize;

use crate::failure::Failure;
use crate::made;
use crate::shell::{Ended, Shell};
use differences::Told;
use findings::Finding;
use probe::{Asked, Probed};

/// Explain the governance of a domain: table, diagram, and what to look at
///
/// A package is built and asked, so that what is shown is what compiles: its library and its programs, and each package of a
/// workspace. The folder `kiff` in the target directory holds the small program that asks.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The folder of a package or a workspace, or a document that `schema().to_json()` wrote
    #[arg(default_value = ".")]
    place: PathBuf,
    /// The path of the domain's type in the package, where it is not found by itself, as in `desk::Support`
    #[arg(long, value_name = "PATH")]
    domain: Option<String>,
    /// Draw the diagram into this file: SVG, or Mermaid if it ends with `.mmd`
    #[arg(long, value_name = "FILE")]
    diagram: Option<PathBuf>,
    /// Write the schema's document into this file, to check against it later
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Compare with a document that was saved before and tell each difference; the answer is no if there is one
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// The answer is no if there is anything to look at
    #[arg(long)]
    strict: bool,
}

/// What is said of one domain.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a Path>,
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unchanged: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<Told>>,
    findings: Vec<Finding>,
    schema: Schema,
}

impl Check {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let Asked { domains, notes } = if self.place.is_file() {
            let domains = vec![Probed { file: None, document: read(&self.place)?, diagrams: None }];
            Asked { domains, notes: Vec::new() }
        } else {
            probe::ask(&self.place, self.domain.as_deref(), shell)?
        };
        let reviewed = self.against.as_deref().map(|path| schema(path, &read(path)?)).transpose()?;
        // Nothing is written of what cannot be read.
        let schemas = domains.iter().map(|domain| schema(&self.place, &domain.document));
        let schemas = schemas.collect::<Result<Vec<Schema>, Failure>>()?;
        self.keep(&domains)?;
        let (mut answers, mut text) = (Vec::new(), String::new());
        let mut holds = true;
        for (domain, schema) in domains.iter().zip(schemas) {
            let findings = findings::of(&schema);
            let differences = reviewed.as_ref().map(|reviewed| differences::of(&schema, reviewed));
            let unchanged = reviewed.as_ref().map(|reviewed| reviewed.fingerprint() == schema.fingerprint());
            holds &= unchanged.unwrap_or(true) && (!self.strict || findings.is_empty());
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&overview::of(&schema, domain.file.as_deref(), &findings));
            if let Some(differences) = &differences {
                text.push_str(&differences::shown(unchanged == Some(true), differences));
            }
            let (file, fingerprint) = (domain.file.as_deref(), schema.fingerprint().to_string());
            answers.push(Answer { file, fingerprint, unchanged, differences, findings, schema });
        }
        shell.answer(&answers, &text)?;
        for note in &notes {
            shell.note(note);
        }
        Ok(Ended::if_so(holds))
    }

    /// Writes the files that are asked for, of the one domain that there is.
    fn keep(&self, domains: &[Probed]) -> Result<(), Failure> {
        if self.diagram.is_none() && self.save.is_none() && self.against.is_none() {
            return Ok(());
        }
        let [domain] = domains else {
            return Err(Failure::new(format!("there are {} domains, and one is needed here", domains.len()))
                .help("name it with `--domain PATH`"));
        };
        let mut files = Vec::new();
        if let Some(path) = &self.save {
            files.push((path.as_path(), domain.document.as_str()));
        }
        if let Some(path) = &self.diagram {
            let Some((svg, mermaid)) = &domain.diagrams else {
                return Err(
                    Failure::new("a schema's document has no diagram").help("check the package of the domain instead")
                );
            };
            let is_mermaid = path.extension().is_some_and(|extension| extension == "mmd");
            files.push((path.as_path(), if is_mermaid { mermaid.as_str() } else { svg.as_str() }));
        }
        made::replace(&files)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

fn schema(path: &Path, document: &str) -> Result<Schema, Failure> {
    Schema::from_json(document).map_err(|error| Failure::new(format!("`{}`: {error}", path.display())))
}
