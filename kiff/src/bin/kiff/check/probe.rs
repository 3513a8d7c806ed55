//! How a crate is asked for its domains: a small program that depends on it is built, run, and writes them down.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

use crate::failure::Failure;
use crate::new::quoted;
use crate::shell::Shell;

/// What one domain says of itself.
pub(crate) struct Probed {
    /// Its schema's document.
    pub(crate) document: String,
    /// Its diagram, as SVG and for Mermaid.
    pub(crate) diagrams: Option<(String, String)>,
}

/// What cargo knows of the crate.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

/// Asks the library in a folder for its domains, or for the one at a path.
pub(crate) fn ask(folder: &Path, domain: Option<&str>, shell: &Shell) -> Result<Vec<Probed>, Failure> {
    let metadata = metadata(folder)?;
    let manifest = folder.join("Cargo.toml").canonicalize().unwrap_or_default();
    let found =
        metadata.packages.iter().find(|package| package.manifest_path.canonicalize().is_ok_and(|own| own == manifest));
    let Some(package) = found else {
        return Err(Failure::new(format!("`{}` is a workspace and no package", folder.display()))
            .help("name the folder of the package that has the domain"));
    };
    let is_library = |target: &&Target| target.kind.iter().any(|kind| kind == "lib" || kind == "rlib");
    let Some(library) = package.targets.iter().find(is_library) else {
        return Err(Failure::new(format!("`{}` has no library, and only a library can be asked", package.name)).help(
            "move the domain from src/main.rs into src/lib.rs, or write its document yourself with\n\
             `Domain::schema().to_json()` and check that file",
        ));
    };
    let paths = match domain {
        Some(path) => vec![vec![path.to_owned()]],
        None => declared(&library.src_path)?,
    };
    if paths.is_empty() {
        return Err(Failure::new(format!("there is no `domain!` block in the library of `{}`", package.name))
            .help("where a macro or `include!` writes it, name it with `--domain PATH`"));
    }
    let probe = Probe::new(&metadata, package, library)?;
    let _spinner = shell.spinner("building the crate");
    // Each domain by its module, and if that one is private by its re-export at the root.
    let ran =
        probe.run(&paths.iter().filter_map(|names| names.first().map(String::as_str)).collect::<Vec<_>>(), folder);
    match ran {
        Err(first) => {
            let at_root: Vec<&str> = paths.iter().filter_map(|names| names.last().map(String::as_str)).collect();
            probe.run(&at_root, folder).map_err(|_| first)
        }
        ran => ran,
    }
}

fn metadata(folder: &Path) -> Result<Metadata, Failure> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(Failure::new(format!("`{}` is no crate: there is no Cargo.toml", folder.display()))
            .help("name the folder of a crate, or a file that `schema().to_json()` wrote"));
    }
    let mut command = Command::new("cargo");
    command.args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"]).arg(&manifest);
    let output = ran(&mut command)?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("what `cargo metadata` says cannot be read: {error}")))
}

/// Runs cargo, and hands on what it complains of.
fn ran(command: &mut Command) -> Result<Output, Failure> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| Failure::new(format!("cargo cannot be run: {error}")))?;
    if output.status.success() {
        return Ok(output);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new("the crate does not build").note(complaint.trim().to_owned()))
}

/// The paths of the domains in a library's files: by its module, and at the root.
fn declared(root: &Path) -> Result<Vec<Vec<String>>, Failure> {
    let source = root.parent().unwrap_or(root);
    let pattern =
        r"(?m)^[ \t]*(?:kiff::)?domain!\s*\{(?:\s*(?://.*|#\[[^\]]*\]))*\s*pub(?:\([^)]*\))?\s+domain\s+([A-Za-z_]\w*)";
    let block = regex_lite::Regex::new(pattern).map_err(|error| Failure::new(error.to_string()))?;
    let mut found = Vec::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| Failure::file("read", &folder, &error))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && path != source.join("main.rs") {
                let text = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
                for name in block.captures_iter(&text).filter_map(|captures| Some(captures.get(1)?.as_str())) {
                    let modules = modules(source, root, &path);
                    found.push(vec![format!("{modules}{name}"), name.to_owned()]);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// `desk/support.rs` is the module `desk::support::`.
fn modules(source: &Path, root: &Path, path: &Path) -> String {
    if path == root {
        return String::new();
    }
    let inside = path.strip_prefix(source).unwrap_or(path).with_extension("");
    let parts = inside.iter().filter_map(|part| part.to_str()).filter(|part| *part != "mod");
    parts.fold(String::new(), |modules, part| format!("{modules}{part}::"))
}

/// The small program.
struct Probe {
    folder: PathBuf,
    target: PathBuf,
    library: String,
}

impl Probe {
    fn new(metadata: &Metadata, package: &Package, library: &Target) -> Result<Self, Failure> {
        let folder = metadata.target_directory.join("kiff").join(&package.name);
        let source = folder.join("src");
        fs::create_dir_all(&source).map_err(|error| Failure::file("make the folder", &source, &error))?;
        let own = package.manifest_path.parent().unwrap_or(&package.manifest_path);
        let manifest = format!(
            "[package]\nname = \"kiff-check\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n\
             asked = {{ package = \"{}\", path = {} }}\n\n[workspace]\n",
            package.name,
            quoted(own),
        );
        let path = folder.join("Cargo.toml");
        fs::write(&path, manifest).map_err(|error| Failure::file("write", &path, &error))?;
        // The same versions as the crate itself is built with.
        let lock = metadata.workspace_root.join("Cargo.lock");
        if lock.is_file() {
            fs::copy(&lock, folder.join("Cargo.lock")).map_err(|error| Failure::file("read", &lock, &error))?;
        }
        let target = metadata.target_directory.clone();
        Ok(Self { folder, target, library: library.name.clone() })
    }

    fn run(&self, domains: &[&str], folder: &Path) -> Result<Vec<Probed>, Failure> {
        let mut program = String::from("fn main() -> std::io::Result<()> {\n");
        for (number, domain) in domains.iter().enumerate() {
            let _ = writeln!(
                program,
                "    std::fs::write(\"{number}.json\", asked::{domain}::schema().to_json())?;\n    \
                 std::fs::write(\"{number}.svg\", asked::{domain}::SVG)?;\n    \
                 std::fs::write(\"{number}.mmd\", asked::{domain}::MERMAID)?;"
            );
        }
        program.push_str("    Ok(())\n}\n");
        let path = self.folder.join("src/main.rs");
        fs::write(&path, program).map_err(|error| Failure::file("write", &path, &error))?;
        let mut build = Command::new("cargo");
        build.args(["build", "--quiet", "--manifest-path"]).arg(self.folder.join("Cargo.toml")).current_dir(folder);
        ran(build.env("CARGO_TARGET_DIR", &self.target)).map_err(|failure| {
            failure.help(format!(
                "a domain that is not public cannot be asked: re-export it in the root of `{}`, or name it with `--domain PATH`",
                self.library
            ))
        })?;
        let program = self.target.join("debug").join(format!("kiff-check{}", std::env::consts::EXE_SUFFIX));
        ran(Command::new(program).current_dir(&self.folder))?;
        let read = |number: usize, kind: &str| {
            let path = self.folder.join(format!("{number}.{kind}"));
            fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))
        };
        let probed = (0..domains.len()).map(|number| {
            Ok(Probed { document: read(number, "json")?, diagrams: Some((read(number, "svg")?, read(number, "mmd")?)) })
        });
        probed.collect()
    }
}
