//! The files of a library or a program, found by their `mod` lines, and the domains that they declare.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use kiff::format::blocks;
use regex_lite::Regex;

use crate::failure::Failure;

/// What `main` of a program is called, where another one takes its place.
pub(super) const MAIN: &str = "kiff_check_main";

/// A module with a file of its own.
struct Module {
    file: PathBuf,
    text: String,
    /// Its name, and the place of the module that declares it.
    parent: Option<(String, usize)>,
    /// The types of the domains that stand in it.
    domains: Vec<String>,
    /// The lines of its blocks whose types are not known.
    unread: Vec<usize>,
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
        let pattern = |pattern| Regex::new(pattern).map_err(|error| Failure::new(error.to_string()));
        let line =
            pattern(r"(?m)^((?:[ \t]*#\[[^\]\n]*\]\s*)*)(?:pub(?:\([^)]*\))?[ \t]+)?mod[ \t]+([A-Za-z_]\w*)[ \t]*;")?;
        let path = pattern(r#"#\[path\s*=\s*"([^"]*)"\]"#)?;
        let mut modules = vec![Module::read(root.to_owned(), None)?];
        let mut next = 0;
        while let Some(module) = modules.get(next) {
            let own = module.file.parent().unwrap_or(root).to_owned();
            let inside = match (next, module.file.file_stem()) {
                (0, _) | (_, None) => own.clone(),
                (_, Some(stem)) if stem == "mod" => own.clone(),
                (_, Some(stem)) => own.join(stem),
            };
            let mut found = Vec::new();
            for captures in line.captures_iter(&module.text) {
                let part = |number: usize| captures.get(number).map_or("", |part| part.as_str());
                let (attributes, name) = (part(1), part(2));
                if attributes.contains("cfg(test)") {
                    continue;
                }
                let named = path.captures(attributes).and_then(|captures| captures.get(1));
                let files = match named {
                    Some(named) => vec![own.join(named.as_str())],
                    None => vec![inside.join(format!("{name}.rs")), inside.join(name).join("mod.rs")],
                };
                found.extend(files.into_iter().find(|file| file.is_file()).map(|file| (file, name.to_owned())));
            }
            for (file, name) in found {
                if !modules.iter().any(|known| known.file == file) {
                    modules.push(Module::read(file, Some((name, next)))?);
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

    /// The files.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.0.iter().map(|module| module.file.clone())
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
            while let Some((name, parent)) = at.and_then(|module| module.parent.as_ref()) {
                add(*parent, &format!("pub use self::{name}::{function};"));
                at = self.0.get(*parent);
            }
        }
        let texts = self.0.iter().zip(more).enumerate().filter(|(place, (_, more))| *place == 0 || !more.is_empty());
        texts.map(|(_, (module, more))| (&module.file, format!("{}\n{more}", module.text))).collect()
    }
}

impl Module {
    fn read(file: PathBuf, parent: Option<(String, usize)>) -> Result<Self, Failure> {
        let text = fs::read_to_string(&file).map_err(|error| Failure::file("read", &file, &error))?;
        let blocks = blocks(&text);
        let domains = blocks.iter().filter_map(|block| block.domain.map(str::to_owned)).collect();
        let unread = blocks.iter().filter(|block| block.domain.is_none()).map(|block| block.line).collect();
        Ok(Self { file, text, parent, domains, unread })
    }
}

/// The text of a program's root in which another `main` has its place; none if there is no `main`.
pub(super) fn without_main(text: &str) -> Option<String> {
    let main = Regex::new(r"(?m)^((?:pub(?:\([^)]*\))?\s+)?(?:async\s+)?fn\s+)main(\s*\()").ok()?;
    main.is_match(text).then(|| main.replace(text, format!("${{1}}{MAIN}${{2}}")).into_owned())
}
