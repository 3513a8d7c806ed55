//! A folder that becomes a cargo package, written only where nothing is yet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::words::WORDS;

/// What a library cannot be called beside the words of Rust: cargo refuses it, Rust means something else by it, or a crate that it
/// needs is called so.
const TAKEN: [&str; 17] = [
    "alloc",
    "build",
    "core",
    "crate",
    "deps",
    "examples",
    "incremental",
    "kiff",
    "kiff_macros",
    "kiff_test",
    "proc_macro",
    "self",
    "std",
    "super",
    "test",
    "tokio",
    "tracing_subscriber",
];

/// Where a new project takes kiff from.
pub(crate) enum Kiff {
    /// The registry, in the version of this program.
    Registry,
    /// A checkout.
    Checkout(PathBuf),
}

impl Kiff {
    /// The checkout, if one is named and is one.
    pub(crate) fn new(checkout: Option<&Path>) -> Result<Self, Failure> {
        let Some(checkout) = checkout else { return Ok(Self::Registry) };
        let folder = checkout.canonicalize().map_err(|error| Failure::file("open", checkout, &error))?;
        if !folder.join("kiff/Cargo.toml").is_file() {
            return Err(Failure::new(format!("`{}` is no checkout of kiff", checkout.display()))
                .help("name the folder that has the folders `kiff`, `kiff-macros` and `kiff-test`"));
        }
        Ok(Self::Checkout(folder))
    }

    /// What whoever begins has to know of that.
    pub(crate) const fn caveat(&self) -> &'static str {
        match self {
            Self::Registry => {
                "kiff comes from the registry. Where that does not have it, begin again with a checkout of it, `--path DIR`.\n"
            }
            Self::Checkout(_) => "",
        }
    }

    /// What stands behind the name of one of kiff's crates in a `Cargo.toml`.
    pub(crate) fn dependency(&self, name: &str, features: &[&str]) -> String {
        let source = match self {
            Self::Registry => format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
            Self::Checkout(folder) => format!("path = {}", quoted(&folder.join(name))),
        };
        if features.is_empty() {
            return format!("{{ {source} }}");
        }
        let features: Vec<String> = features.iter().map(|feature| format!("\"{feature}\"")).collect();
        format!("{{ {source}, features = [{}] }}", features.join(", "))
    }
}

/// A path as TOML writes a text; its escapes are those of JSON.
pub(crate) fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.display().to_string()).to_string()
}

/// A path as a shell takes it for one word.
pub(crate) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain =
        |letter: char| letter.is_alphanumeric() || "-_.:".contains(letter) || std::path::is_separator(letter);
    if text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The files of a project that is about to be.
pub(crate) struct Project {
    folder: PathBuf,
    package: String,
    files: Vec<(String, String)>,
}

impl Project {
    /// A project in a folder that is not there yet, or is empty.
    pub(crate) fn new(folder: PathBuf) -> Result<Self, Failure> {
        // `.` and `..` are called as what they lead to.
        let named =
            if folder.file_name().is_some() { folder.clone() } else { folder.canonicalize().unwrap_or_default() };
        let package = named.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        check_name(&package)?;
        let is_free = match fs::read_dir(&folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => return Err(Failure::file("make the folder", &folder, &error)),
        };
        if !is_free {
            return Err(Failure::new(format!("there is already something in `{}`", folder.display()))
                .help("name a folder that is not there yet, or an empty one"));
        }
        Ok(Self { folder, package, files: Vec::new() })
    }

    /// What cargo calls it.
    pub(crate) fn package(&self) -> &str {
        &self.package
    }

    /// What Rust calls its library.
    pub(crate) fn library(&self) -> String {
        self.package.replace('-', "_")
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The names of its files.
    pub(crate) fn files(&self) -> Vec<&str> {
        self.files.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// One more file.
    pub(crate) fn add(&mut self, name: &str, text: String) {
        self.files.push((name.to_owned(), text));
    }

    /// Writes all of it.
    pub(crate) fn write(&mut self) -> Result<(), Failure> {
        // Of the way to a folder that is not there yet, what is there says where it leads.
        let absolute = std::path::absolute(&self.folder).unwrap_or_default();
        let outer = absolute.ancestors().find_map(|above| above.canonicalize().ok()).unwrap_or_default();
        if outer.ancestors().any(|above| above.join("Cargo.toml").is_file()) {
            for (_, text) in self.files.iter_mut().filter(|(name, _)| name == "Cargo.toml") {
                text.push_str("\n# On its own, although a package is around it.\n[workspace]\n");
            }
        }
        for (name, text) in &self.files {
            let path = self.folder.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(|error| Failure::file("make the folder", parent, &error))?;
            }
            fs::write(&path, text).map_err(|error| Failure::file("write", &path, &error))?;
        }
        // In the style of whoever will live with it. Without rustfmt it is as good, only less even.
        let _ = Command::new("cargo").arg("fmt").current_dir(&self.folder).stdin(Stdio::null()).output();
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_fit = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
    let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    let help = "use small letters, digits, `-` and `_`, a letter first, as in `kiff new support-desk`";
    if !begins || !name.chars().all(is_fit) || name.len() > 64 {
        return Err(Failure::new(format!("`{name}` cannot be the name of a package")).help(help));
    }
    let library = name.replace('-', "_");
    if TAKEN.contains(&library.as_str()) || WORDS.contains(&library.as_str()) {
        return Err(Failure::new(format!("`{name}` means something else already")).help("choose another name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Project, TAKEN, WORDS, check_name};

    #[test]
    fn nothing_is_called_as_a_word_of_rust_or_a_crate_that_it_needs() {
        for word in WORDS.iter().chain(&TAKEN) {
            assert!(check_name(word).is_err(), "{word}");
        }
        assert!(
            check_name("yield-desk").is_ok() && check_name("try").is_err() && check_name("tracing-subscriber").is_err()
        );
    }

    #[test]
    fn a_package_is_around_a_project_only_where_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let checkout = folder.path().join("checkout");
        fs::create_dir(&checkout).unwrap();
        fs::write(checkout.join("Cargo.toml"), "[workspace]\n").unwrap();
        for (way, is_inside) in [("../desk", false), ("./inner/desk", true)] {
            let mut project = Project::new(checkout.join(way)).unwrap();
            project.add("Cargo.toml", "[package]\nname = \"desk\"\n".to_owned());
            project.write().unwrap();
            let manifest = fs::read_to_string(checkout.join(way).join("Cargo.toml")).unwrap();
            assert_eq!(manifest.contains("[workspace]"), is_inside, "{way}: {manifest}");
        }
    }
}
