//! The files of a library or a program, found by their `mod` lines, and the domains that they declare.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use kiff::format::{self, blocks};
use regex_lite::Regex;

use crate::failure::Failure;

/// What `main` of a program is called, where another one takes its place.
pub(super) const MAIN: &str = "kiff_check_main";

/// A module with a file of its own.
struct Module {
    file: PathBuf,
    /// Where the files of its modules are.
    folder: PathBuf,
    text: String,
    way: Way,
    /// The types of the domains that stand in it.
    domains: Vec<String>,
    /// The lines of its blocks whose types are not known.
    unread: Vec<usize>,
}

/// How a module is reached.
enum Way {
    /// It is the root.
    Root,
    /// By its name, from the module at this place.
    Named(String, usize),
    /// A module within a file is on the way, and may be closed to all others.
    Hidden,
    /// It is there in tests alone, and what they govern is nobody's governance.
    ForTests,
}

/// The modules of one library or program; the first is its root.
pub(super) struct Modules(Vec<Module>);

/// The name of the function that answers for a domain.
pub(super) fn function(number: usize) -> String {
    format!("kiff_check_{number}")
}

impl Modules {
    /// Those that the root's file leads to.
    pub(super) fn of(root: &Path) -> Result<Self, Failure> {
        let folder = root.parent().unwrap_or(root).to_owned();
        let mut modules = vec![Module::read(root.to_owned(), folder, Way::Root)?];
        let mut next = 0;
        while let Some(module) = modules.get(next) {
            for (file, folder, way) in module.leads_to(next) {
                if !modules.iter().any(|known| known.file == file) {
                    modules.push(Module::read(file, folder, way)?);
                }
            }
            next += 1;
        }
        Ok(Self(modules))
    }

    /// Only the domain at a path is meant.
    pub(super) fn name(&mut self, path: &str) {
        for (place, module) in self.0.iter_mut().enumerate() {
            module.domains = if place == 0 { vec![format!("crate::{path}")] } else { Vec::new() };
            module.unread.clear();
        }
    }

    /// The domains in these files are not meant.
    pub(super) fn leave_out(&mut self, files: &[PathBuf]) {
        for module in self.0.iter_mut().filter(|module| files.contains(&module.file)) {
            module.domains.clear();
            module.unread.clear();
        }
    }

    /// The file and the line of a block whose type is not known, if there is one.
    pub(super) fn unread(&self) -> Option<(&Path, usize)> {
        self.0.iter().find_map(|module| Some((module.file.as_path(), *module.unread.first()?)))
    }

    /// Whether any domain is declared.
    pub(super) fn has_domains(&self) -> bool {
        self.0.iter().any(|module| !module.domains.is_empty())
    }

    /// The files that have blocks which are meant.
    pub(super) fn with_blocks(&self) -> impl Iterator<Item = PathBuf> {
        let with_any = self.0.iter().filter(|module| !module.domains.is_empty() || !module.unread.is_empty());
        with_any.map(|module| module.file.clone())
    }

    /// All files, those of tests as well.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.0.iter().map(|module| module.file.clone())
    }

    /// A file that takes in others with `include!`, and not in tests alone.
    pub(super) fn including(&self) -> Option<&Path> {
        let is_called = |rest: &str| rest.trim_start().starts_with('!');
        let includes = |text: &str| text.split("include").skip(1).any(is_called);
        let mut modules = self.0.iter().filter(|module| !matches!(module.way, Way::ForTests));
        modules.find(|module| includes(&module.text)).map(|module| module.file.as_path())
    }

    /// Each domain's file, as far as it is known, in the order in which they are numbered.
    pub(super) fn declared(&self) -> Vec<Option<PathBuf>> {
        let files = self.0.iter().flat_map(|module| {
            module.domains.iter().map(|domain| (!domain.starts_with("crate::")).then(|| module.file.clone()))
        });
        files.collect()
    }

    /// The files that have to say more, each with its new text: a function for each domain, numbered from `first`, and its
    /// way to the root.
    pub(super) fn with_questions(&self, first: usize) -> Vec<(&PathBuf, String)> {
        let mut more: Vec<String> = self.0.iter().map(|_| String::new()).collect();
        let domains =
            self.0.iter().enumerate().flat_map(|(place, module)| module.domains.iter().map(move |own| (place, own)));
        for (number, (place, domain)) in domains.enumerate() {
            let function = function(first + number);
            let mut add = |place: usize, text: &str| {
                if let Some(more) = more.get_mut(place) {
                    let _ = write!(more, "\n/// Asked by `kiff check`.\n#[allow(unreachable_pub)]\n{text}\n");
                }
            };
            add(
                place,
                &format!(
                    "pub fn {function}() -> [::std::string::String; 3] {{\n    [{domain}::schema().to_json().into(), \
                     {domain}::SVG.into(), {domain}::MERMAID.into()]\n}}"
                ),
            );
            let mut at = self.0.get(place);
            while let Some(Way::Named(name, parent)) = at.map(|module| &module.way) {
                add(*parent, &format!("pub use self::{name}::{function};"));
                at = self.0.get(*parent);
            }
        }
        let texts = self.0.iter().zip(more).enumerate().filter(|(place, (_, more))| *place == 0 || !more.is_empty());
        texts.map(|(_, (module, more))| (&module.file, format!("{}\n{more}", module.text))).collect()
    }
}

impl Module {
    fn read(file: PathBuf, folder: PathBuf, way: Way) -> Result<Self, Failure> {
        let text = fs::read_to_string(&file).map_err(|error| Failure::file("read", &file, &error))?;
        let (mut domains, mut unread) = (Vec::new(), Vec::new());
        for block in blocks(&text) {
            match (&way, block.domain) {
                (Way::ForTests, _) => {}
                (Way::Root | Way::Named(..), Some(domain)) => domains.push(domain.to_owned()),
                _ => unread.push(block.line),
            }
        }
        Ok(Self { file, folder, text, way, domains, unread })
    }

    /// The files that its `mod` lines lead to, the folder of the modules of each, and the way there; `place` is its own.
    fn leads_to(&self, place: usize) -> Vec<(PathBuf, PathBuf, Way)> {
        let mut lines = format::modules(&self.text);
        // What is there in tests and otherwise is there otherwise.
        lines.sort_by_key(|line| line.is_for_tests);
        let found = lines.into_iter().filter_map(|line| {
            let around = line.within.iter().map(|name| plain(name)).collect::<PathBuf>();
            let (name, folder) = (plain(line.name), self.folder.join(around));
            let (flat, deep) = (folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs"));
            let file = match line.path {
                Some(path) if line.within.is_empty() => self.file.with_file_name(path),
                Some(path) => folder.join(path),
                None if flat.is_file() => flat,
                None => deep,
            };
            let has_own_folder = line.path.is_none() && file.file_stem().is_some_and(|stem| stem != "mod");
            let inside = if has_own_folder { folder.join(name) } else { file.parent()?.to_owned() };
            let way = match &self.way {
                Way::ForTests => Way::ForTests,
                _ if line.is_for_tests => Way::ForTests,
                Way::Hidden => Way::Hidden,
                _ if !line.within.is_empty() => Way::Hidden,
                Way::Root | Way::Named(..) => Way::Named(line.name.to_owned(), place),
            };
            file.is_file().then_some((file, inside, way))
        });
        found.collect()
    }
}

/// The name without what makes a word of Rust a name.
fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// The text of a program's root in which another `main` has its place; none if there is no `main`.
pub(super) fn without_main(text: &str) -> Option<String> {
    let main = Regex::new(r"(?m)^((?:pub(?:\([^)]*\))?\s+)?(?:async\s+)?fn\s+)main(\s*\()").ok()?;
    main.is_match(text).then(|| main.replace(text, format!("${{1}}{MAIN}${{2}}")).into_owned())
}
