//! How a package is asked for its domains: beside a copy of it, a small program is built that writes them down.
//!
//! A domain may stand in a library or in a program, and may be private. So the question is put where the block stands: in a
//! mirror of the workspace, in which only the files are copies that get a line more.

mod mirror;
mod modules;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kiff::format::blocks;
use serde::Deserialize;

use crate::failure::Failure;
use crate::shell::Shell;
use mirror::Mirror;
use modules::Modules;

/// What one domain says of itself.
pub(crate) struct Probed {
    /// The file that declares it, where that is known.
    pub(crate) file: Option<PathBuf>,
    /// Its schema's document.
    pub(crate) document: String,
    /// Its diagram, as SVG and for Mermaid.
    pub(crate) diagrams: Option<(String, String)>,
}

/// What was asked.
pub(crate) struct Asked {
    /// The domains that there are.
    pub(crate) domains: Vec<Probed>,
    /// What is to be known beside them.
    pub(crate) notes: Vec<String>,
}

/// What cargo knows of the workspace.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

impl Package {
    /// A name of its own for what is made of it: many packages are called the same, and some share a target directory.
    fn place(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.manifest_path.hash(&mut hasher);
        format!("{}-{:016x}", self.name, hasher.finish())
    }

    /// The version of its mirror.
    fn mirrored_version(&self) -> String {
        let before = if self.version.contains('+') { "." } else { "+" };
        format!("{}{before}{}", self.version, self.place().replace('_', "-"))
    }

    /// Whether a file below a folder of its sources is for this package, and for more than its tests, examples and benches.
    fn is_own_source(&self, folder: &Path, file: &Path) -> bool {
        let mut within = file.ancestors().skip(1).take_while(|above| *above != folder);
        let is_of_another = within.any(|above| above.join("Cargo.toml").is_file());
        let is_root = self.manifest_path.parent() == Some(folder);
        let is_beside = |name: &str| is_root && file.starts_with(folder.join(name));
        !is_of_another && !["tests", "examples", "benches"].into_iter().any(is_beside)
    }
}

/// A library or a program.
#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Target {
    fn is_library(&self) -> bool {
        self.kind.iter().any(|kind| matches!(kind.as_str(), "lib" | "rlib" | "dylib" | "cdylib" | "staticlib"))
    }

    fn is_program(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bin")
    }
}

/// Asks the package in a folder for its domains, or for the one at a path; of a workspace that is no package, each package.
pub(crate) fn ask(folder: &Path, domain: Option<&str>, shell: &Shell) -> Result<Asked, Failure> {
    let metadata = metadata(folder)?;
    let manifest = folder.join("Cargo.toml").canonicalize().unwrap_or_default();
    let is_own = |package: &&Package| package.manifest_path.canonicalize().is_ok_and(|own| own == manifest);
    let packages: Vec<&Package> = match metadata.packages.iter().find(is_own) {
        Some(package) => vec![package],
        None => metadata.packages.iter().collect(),
    };
    if domain.is_some() && packages.len() > 1 {
        return Err(Failure::new(format!("`{}` has several packages", folder.display()))
            .help("name the folder of the package that has the domain"));
    }
    let (mut domains, mut notes) = (Vec::new(), Vec::new());
    for package in &packages {
        if let Some(probe) = Probe::new(&metadata, package, domain)? {
            let _spinner = shell.spinner("building the package");
            probe.build_original(folder, shell)?;
            probe.knows_all(folder)?;
            domains.extend(probe.ask(folder)?);
            notes.extend(probe.unreached(folder));
        }
    }
    if domains.is_empty() {
        let names: Vec<String> = packages.iter().map(|package| format!("`{}`", package.name)).collect();
        let failure = Failure::new(format!("there is no `domain!` block in {}", names.join(", ")))
            .help("where a macro or `include!` writes it, name it with `--domain PATH`");
        return Err(notes.into_iter().fold(failure, Failure::note));
    }
    Ok(Asked { domains, notes })
}

fn metadata(folder: &Path) -> Result<Metadata, Failure> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(Failure::new(format!("`{}` is no package: there is no Cargo.toml", folder.display()))
            .help("name the folder of a package or a workspace, or a file that `schema().to_json()` wrote"));
    }
    let mut command = Command::new("cargo");
    command.args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"]).arg(&manifest);
    let output = ran(&mut command, || Failure::new(format!("cargo cannot read `{}`", manifest.display())))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("what `cargo metadata` says cannot be read: {error}")))
}

/// Runs cargo, and hands on what it complains of as it stands.
fn ran(command: &mut Command, failure: impl FnOnce() -> Failure) -> Result<Output, Failure> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| Failure::new(format!("cargo cannot be run: {error}")))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(failure().after(String::from_utf8_lossy(&output.stderr).trim_end()))
}

/// One package, its libraries and programs that have domains, and the modules of each.
struct Probe<'a> {
    metadata: &'a Metadata,
    package: &'a Package,
    targets: Vec<(&'a Target, Modules)>,
    astray: Astray,
}

impl<'a> Probe<'a> {
    /// None if the package has no domain.
    fn new(metadata: &'a Metadata, package: &'a Package, domain: Option<&str>) -> Result<Option<Self>, Failure> {
        let libraries = package.targets.iter().filter(|target| target.is_library());
        let programs = package.targets.iter().filter(|target| target.is_program());
        let mut targets = Vec::new();
        let mut seen: Vec<PathBuf> = Vec::new();
        for target in libraries.chain(programs) {
            let mut modules = Modules::of(&target.src_path)?;
            match domain {
                Some(path) => modules.name(path),
                // A file that a library and a program share is asked once.
                None => modules.leave_out(&seen),
            }
            if modules.has_domains() || modules.unread().is_some() {
                seen.extend(modules.with_blocks());
                targets.push((target, modules));
            }
            if domain.is_some() && !targets.is_empty() {
                break;
            }
        }
        let astray = if domain.is_none() { Astray::of(package)? } else { Astray::default() };
        let has_any = !targets.is_empty() || !astray.blocks.is_empty();
        Ok(has_any.then_some(Self { metadata, package, targets, astray }))
    }

    /// Builds what is there, so that whatever does not compile is told at the user's own lines.
    fn build_original(&self, folder: &Path, shell: &Shell) -> Result<(), Failure> {
        let mut build = Command::new("cargo");
        build.args(["build", "--quiet", "--package", &self.package.name, "--manifest-path"]);
        build.arg(&self.package.manifest_path).current_dir(folder);
        if shell.is_watched() {
            build.args(["--color", "always"]);
        }
        for (target, _) in &self.targets {
            if target.is_library() {
                build.arg("--lib");
            } else {
                build.args(["--bin", &target.name]);
            }
        }
        let failure = || Failure::new(format!("`{}` does not build", self.package.name));
        ran(&mut build, || failure().help("what is said above is to be mended first")).map(drop)
    }

    /// What no question reaches would be looked at by nobody.
    fn knows_all(&self, folder: &Path) -> Result<(), Failure> {
        if let (Some((file, line)), Some(including)) = (self.astray.blocks.first(), &self.astray.including) {
            let (file, including) = (below(folder, file), below(folder, including));
            let message =
                format!("no `mod` line is found that leads to the `domain!` block at `{}:{line}`", file.display());
            return Err(Failure::new(message)
                .note(format!("an `include!` in `{}` may lead to it", including.display()))
                .help("check its package by itself with `--domain PATH`, or take the block out of the sources"));
        }
        let Some((file, line)) = self.targets.iter().find_map(|(_, modules)| modules.unread()) else { return Ok(()) };
        let file = below(folder, file);
        Err(Failure::new(format!("the type of the `domain!` block at `{}:{line}` is not found", file.display()))
            .help("name it with `--domain PATH`, or let the block stand in its file's own module"))
    }

    /// What is told of the blocks that nothing leads to, so that nobody takes them for looked at.
    fn unreached(&self, folder: &Path) -> Vec<String> {
        let blocks = self.astray.blocks.iter().map(|(file, line)| {
            let file = below(folder, file);
            format!("the `domain!` block at `{}:{line}` is not looked at: no `mod` line leads to it", file.display())
        });
        blocks.collect()
    }

    /// Builds the mirror with its programs, runs them, and reads what they write down.
    fn ask(&self, folder: &Path) -> Result<Vec<Probed>, Failure> {
        let place = self.metadata.target_directory.join("kiff").join(self.package.place());
        let manifests = self.metadata.packages.iter().map(|package| package.manifest_path.as_path());
        let (root, built) = (&self.metadata.workspace_root, &self.metadata.target_directory);
        let mirror = Mirror::new(root, &place.join("mirror"), built, manifests)?;
        let mut manifest = mirror.package(&self.package.manifest_path, &self.package.mirrored_version())?;
        let (mut probed, mut programs) = (Vec::new(), Vec::new());
        for (target, modules) in &self.targets {
            let first = probed.len();
            let program = format!("kiff-check-{}", target.name);
            let source = self.write_program(&mirror, target, modules, first)?;
            let _ = write!(manifest, "\n[[bin]]\nname = \"{program}\"\npath = {}\n", crate::new::quoted(&source));
            programs.push(program);
            probed.extend(modules.declared());
        }
        mirror.write(&self.package.manifest_path, &manifest)?;
        for program in &programs {
            let mut run = Command::new("cargo");
            run.args(["run", "--quiet", "--bin", program, "--manifest-path"]);
            run.arg(mirror.copy_of(&self.package.manifest_path)).current_dir(folder);
            run.env("CARGO_TARGET_DIR", &self.metadata.target_directory).arg("--").arg(&place);
            let failure = || Failure::new(format!("`{}` builds, and its domains cannot be asked", self.package.name));
            ran(&mut run, || {
                failure().help("write the document yourself with `schema().to_json()`, and check that file")
            })?;
        }
        let read = |number: usize, kind: &str| {
            let path = place.join(format!("{number}.{kind}"));
            fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))
        };
        let probed = probed.into_iter().enumerate().map(|(number, file)| {
            let file = file.map(|file: PathBuf| below(folder, &file));
            let diagrams = Some((read(number, "svg")?, read(number, "mmd")?));
            Ok(Probed { file, document: read(number, "json")?, diagrams })
        });
        probed.collect()
    }

    /// Writes the copies of a target's files that are asked, and the program that asks; answers where that stands.
    fn write_program(
        &self,
        mirror: &Mirror,
        target: &Target,
        modules: &Modules,
        first: usize,
    ) -> Result<PathBuf, Failure> {
        let numbers = first..first + modules.declared().len();
        let asked: Vec<String> = numbers.map(modules::function).collect();
        if target.is_library() {
            for (file, text) in modules.with_questions(first) {
                mirror.write(file, &text)?;
            }
            let source = self.package.manifest_path.with_file_name(format!("kiff-check-{}.rs", target.name));
            let library = target.name.replace('-', "_");
            let asked = asked.iter().map(|function| format!("{library}::{function}"));
            mirror.write(&source, &program(&asked.collect::<Vec<_>>(), first, ""))?;
            return Ok(mirror.copy_of(&source));
        }
        // The program itself becomes the one that asks: a copy of its root beside it, in which `main` is another.
        let source = target.src_path.with_file_name(format!("kiff_check_{}.rs", target.name));
        for (file, text) in modules.with_questions(first) {
            if *file != target.src_path {
                mirror.write(file, &text)?;
                continue;
            }
            let Some(text) = modules::without_main(&text) else {
                return Err(Failure::new(format!("there is no `fn main` in `{}`", file.display())));
            };
            let unused = format!("    let _ = {};\n", modules::MAIN);
            mirror.write(&source, &format!("{text}\n{}", program(&asked, first, &unused)))?;
        }
        Ok(mirror.copy_of(&source))
    }
}

/// The blocks in the folders of the libraries and programs that belong to no target of the package.
#[derive(Default)]
struct Astray {
    /// The file and the line of each.
    blocks: Vec<(PathBuf, usize)>,
    /// A source that may lead to them without a `mod` line.
    including: Option<PathBuf>,
}

impl Astray {
    fn of(package: &Package) -> Result<Self, Failure> {
        let real = |file: PathBuf| file.canonicalize().unwrap_or(file);
        let mut known: BTreeSet<PathBuf> = BTreeSet::new();
        let mut folders: BTreeSet<&Path> = BTreeSet::new();
        let mut astray = Self::default();
        for target in package.targets.iter().filter(|target| target.src_path.is_file()) {
            let modules = Modules::of(&target.src_path)?;
            known.extend(modules.files().map(real));
            if target.is_library() || target.is_program() {
                folders.extend(target.src_path.parent());
                astray.including = astray.including.or_else(|| modules.including().map(Path::to_owned));
            }
        }
        for folder in folders {
            let mut files = Vec::new();
            crate::fmt::sources(folder, &mut files)?;
            for file in files.into_iter().filter(|file| package.is_own_source(folder, file)) {
                if !known.insert(real(file.clone())) {
                    continue;
                }
                let bytes = fs::read(&file).map_err(|error| Failure::file("read", &file, &error))?;
                let line = blocks(&String::from_utf8_lossy(&bytes)).first().map(|block| block.line);
                astray.blocks.extend(line.map(|line| (file, line)));
            }
        }
        Ok(astray)
    }
}

/// A file as it is named from where the folder was named.
fn below(folder: &Path, file: &Path) -> PathBuf {
    let inside = folder.canonicalize().ok().and_then(|folder| file.strip_prefix(folder).ok().map(Path::to_owned));
    match inside {
        Some(inside) if folder == Path::new(".") => inside,
        Some(inside) => folder.join(inside),
        None => file.to_owned(),
    }
}

/// A `main` that asks and writes down the answers, in the folder that it is given.
fn program(asked: &[String], first: usize, before: &str) -> String {
    let mut program = format!(
        "fn main() -> ::std::io::Result<()> {{\n{before}    \
         let folder = ::std::path::PathBuf::from(::std::env::args_os().nth(1).unwrap_or_default());\n"
    );
    for (number, function) in asked.iter().enumerate().map(|(place, function)| (first + place, function)) {
        let _ = writeln!(
            program,
            "    let [document, svg, mermaid] = {function}();\n    \
             ::std::fs::write(folder.join(\"{number}.json\"), document)?;\n    \
             ::std::fs::write(folder.join(\"{number}.svg\"), svg)?;\n    \
             ::std::fs::write(folder.join(\"{number}.mmd\"), mermaid)?;"
        );
    }
    program.push_str("    Ok(())\n}\n");
    program
}
