//! A mirror of a workspace: links to everything that is there, and copies of the files that are to say more.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;
use crate::new::quoted;

/// A mirror of a folder.
pub(super) struct Mirror {
    original: PathBuf,
    copy: PathBuf,
    left_out: PathBuf,
}

impl Mirror {
    /// A new mirror of the workspace `original` with these manifests of packages at `copy`, without what is built.
    pub(super) fn new<'m>(
        original: &Path,
        copy: &Path,
        left_out: &Path,
        manifests: impl Iterator<Item = &'m Path>,
    ) -> Result<Self, Failure> {
        let mirror = Self { original: original.to_owned(), copy: copy.to_owned(), left_out: left_out.to_owned() };
        match fs::remove_dir_all(copy) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::file("clear", copy, &error));
            }
            _ => {}
        }
        mirror.own(original)?;
        let root = original.join("Cargo.toml");
        let mut manifest = mirror.manifest(&root)?;
        if !manifest.lines().any(|line| line.trim_start().starts_with("[workspace")) {
            // Wherever the mirror stands, it belongs to no workspace around it.
            manifest.push_str("\n[workspace]\n");
        }
        mirror.write(&root, &manifest)?;
        for own in manifests.filter(|own| *own != root && own.starts_with(original)) {
            let text = mirror.manifest(own)?;
            if text != read(own)? {
                mirror.write(own, &text)?;
            }
        }
        let lock = original.join("Cargo.lock");
        if lock.is_file() {
            mirror.write(&lock, &read(&lock)?)?;
        }
        Ok(mirror)
    }

    /// Where a file of the original is mirrored.
    pub(super) fn copy_of(&self, file: &Path) -> PathBuf {
        file.strip_prefix(&self.original).map_or_else(|_| file.to_owned(), |inside| self.copy.join(inside))
    }

    /// Writes another text for a file of the original.
    pub(super) fn write(&self, file: &Path, text: &str) -> Result<(), Failure> {
        let (Ok(_), Some(folder)) = (file.strip_prefix(&self.original), file.parent()) else {
            return Err(Failure::new(format!("`{}` lies outside of the workspace", file.display())));
        };
        self.own(folder)?;
        let copy = self.copy_of(file);
        // A link must not be written through.
        let _ = fs::remove_file(&copy);
        fs::write(&copy, text).map_err(|error| Failure::file("write", &copy, &error))
    }

    /// The text of a package's manifest, in a version of its own: what is built of a mirror must never pass for what is built
    /// of the original, and cargo tells the two apart by nothing else. Its library is one that a program can ask, whatever else
    /// it is for.
    pub(super) fn package(&self, file: &Path, version: &str) -> Result<String, Failure> {
        let text = self.manifest(file)?;
        let mut own = String::new();
        let (mut table, mut is_in_list) = ("", false);
        for line in text.lines() {
            let start = line.trim_start();
            if is_in_list {
                is_in_list = !line.contains(']');
                continue;
            }
            if start.starts_with('[') {
                table = start;
            }
            let is_key =
                |key: &str| start.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']));
            if table.starts_with("[package]") && is_key("version") {
                continue;
            }
            if table.starts_with("[lib]") && (is_key("crate-type") || is_key("crate_type")) {
                is_in_list = !line.contains(']');
                continue;
            }
            own.push_str(line);
            own.push('\n');
            if start.starts_with("[package]") {
                let _ = writeln!(own, "version = \"{version}\"");
            }
        }
        Ok(own)
    }

    /// The text of a manifest, as it stands in the mirror: what leads out of the workspace is named from the root.
    pub(super) fn manifest(&self, file: &Path) -> Result<String, Failure> {
        let text = fs::read_to_string(self.copy_of(file)).or_else(|_| read(file))?;
        let folder = file.parent().unwrap_or(file);
        let pattern = regex_lite::Regex::new(r#"\bpath\s*=\s*(?:"([^"]*)"|'([^']*)')"#)
            .map_err(|error| Failure::new(error.to_string()))?;
        let named = pattern.replace_all(&text, |found: &regex_lite::Captures<'_>| {
            let path = found.get(1).or_else(|| found.get(2));
            let leads_to = normal(&folder.join(path.map_or("", |path| path.as_str())));
            if leads_to.starts_with(&self.original) {
                found.get(0).map_or("", |whole| whole.as_str()).to_owned()
            } else {
                format!("path = {}", quoted(&leads_to))
            }
        });
        Ok(named.into_owned())
    }

    /// Makes a folder of the mirror a folder of its own, full of links, where it was a link.
    fn own(&self, folder: &Path) -> Result<(), Failure> {
        let failure = |error: io::Error| Failure::file("mirror", folder, &error);
        // INVARIANT: those above are no links. What lies behind a link is the user's.
        match folder.parent() {
            Some(parent) if folder != self.original => self.own(parent)?,
            _ => fs::create_dir_all(self.copy.parent().unwrap_or(&self.copy)).map_err(failure)?,
        }
        let copy = self.copy_of(folder);
        match fs::symlink_metadata(&copy) {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => fs::remove_file(&copy).map_err(failure)?,
            Err(_) => {}
        }
        fs::create_dir(&copy).map_err(failure)?;
        for entry in fs::read_dir(folder).map_err(failure)? {
            let entry = entry.map_err(failure)?;
            if entry.path() != self.left_out && entry.file_name() != ".git" {
                link(&entry.path(), &copy.join(entry.file_name())).map_err(failure)?;
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

/// A path without steps back. What it names need not be there.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(unix)]
fn link(original: &Path, copy: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(original, copy)
}

/// Where links are a privilege, all of it is copied.
#[cfg(not(unix))]
fn link(original: &Path, copy: &Path) -> io::Result<()> {
    if !original.is_dir() {
        return fs::copy(original, copy).map(drop);
    }
    fs::create_dir(copy)?;
    for entry in fs::read_dir(original)? {
        let entry = entry?;
        link(&entry.path(), &copy.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::{Mirror, quoted};

    #[test]
    fn each_manifest_names_what_leads_out_of_the_workspace_from_the_root() {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("space");
        let kiff = quoted(&outside.path().join("kiff/kiff"));
        let write = |name: &str, text: &str| {
            fs::create_dir_all(root.join(name)).unwrap();
            fs::write(root.join(name).join("Cargo.toml"), text).unwrap();
        };
        write("", "[workspace]\nmembers = [\"desk\", \"till\", \"door\"]\n");
        write("desk", "[dependencies]\nkiff = { path = \"../../kiff/kiff\" }\ntill = { path = '../till' }\n");
        write("till", "[dependencies.kiff]\npath = '../../kiff/kiff'\n");
        write("door", "[dependencies]\ntill = { path = \"../till\" }\n");
        let manifests = ["", "desk", "till", "door"].map(|name| root.join(name).join("Cargo.toml"));
        let copy = outside.path().join("copy");
        let manifests = manifests.iter().map(PathBuf::as_path);
        let mirror = Mirror::new(&root, &copy, &root.join("target"), manifests).unwrap();
        let mirrored = |name: &str| fs::read_to_string(mirror.copy_of(&root.join(name).join("Cargo.toml"))).unwrap();
        assert_eq!(
            mirrored("desk"),
            format!("[dependencies]\nkiff = {{ path = {kiff} }}\ntill = {{ path = '../till' }}\n")
        );
        assert_eq!(mirrored("till"), format!("[dependencies.kiff]\npath = {kiff}\n"));
        assert_eq!(mirrored("door"), "[dependencies]\ntill = { path = \"../till\" }\n");
        let told = |text: &str| {
            write("desk", text);
            fs::remove_dir_all(&copy).unwrap();
            mirror.package(&root.join("desk/Cargo.toml"), "1.0.0+desk").unwrap()
        };
        let own = told(
            "[package]\nname = \"desk\"\nversion.workspace = true\n[lib]\ncrate-type = [\n    \"cdylib\",\n]\nbench = false\n",
        );
        assert_eq!(own, "[package]\nversion = \"1.0.0+desk\"\nname = \"desk\"\n[lib]\nbench = false\n");
    }
}
