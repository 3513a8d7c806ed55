//! `kiff keys generate` and `kiff keys show`: the keys that a log is signed with.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use kiff::proof::{KeyError, SigningKey, VerifyingKey, WitnessKey};
use serde_json::json;

use crate::failure::Failure;
use crate::shell::{Ended, Shell};

/// Make the key of a log: the secret half in FILE, the public half in FILE.pub
///
/// To rotate, make a key of the same name, sign with both (`kiff log advance --key OLD --key NEW`), hand the new public
/// key to those who verify, and when all of them trust it, sign with the new key alone.
#[derive(Debug, Args)]
pub(super) struct Generate {
    /// The name of the log, by convention its address, as in `example.com/refunds`
    name: String,
    /// The file of the secret half, which is not there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Show the public halves of a log's keys
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Files of keys, secret or public
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Generate {
    pub(super) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        generate(&self.name, &self.out, shell)
    }
}

impl Show {
    pub(super) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        show(&self.files, shell)
    }
}

fn generate(name: &str, out: &Path, shell: &Shell) -> Result<Ended, Failure> {
    let mut public_file = out.as_os_str().to_owned();
    public_file.push(".pub");
    let public_file = PathBuf::from(public_file);
    let failed = |error: KeyError| {
        let failure = Failure::new(error.to_string());
        match error {
            KeyError::File { error, .. } if error.kind() == ErrorKind::AlreadyExists => {
                failure.help("a key is never written over: name a file that is not there yet, and whose `.pub` is not")
            }
            _ => failure,
        }
    };
    let key = SigningKey::generate(name).map_err(failed)?;
    let public = key.verifying_key();
    // The public half first: without the secret one it is worth nothing, and can go again.
    public.write(&public_file).map_err(failed)?;
    if let Err(error) = key.write(out) {
        let _ = fs::remove_file(&public_file);
        return Err(failed(error));
    }
    let text = format!(
        "wrote the secret key to {} and the public key to {}\n\n{public}\n\n\
         Whoever has the secret key signs in the log's name: keep it where only the log's writer reads it.\n",
        out.display(),
        public_file.display(),
    );
    shell.answer(
        &json!({ "name": name, "public": public.to_string(), "secret_file": out, "public_file": public_file }),
        &text,
    )?;
    Ok(Ended::Well)
}

fn show(files: &[PathBuf], shell: &Shell) -> Result<Ended, Failure> {
    for path in files {
        refuse_secret(&path.to_string_lossy(), "file with a key", "name the file that the key is in")?;
        let (public, is_secret) = match SigningKey::read(path) {
            Ok(key) => (key.verifying_key().clone(), true),
            Err(_) => (VerifyingKey::read(path).map_err(|error| Failure::new(error.to_string()))?, false),
        };
        let half = if is_secret { "secret" } else { "public" };
        let data = json!({ "file": path, "name": public.name(), "public": public.to_string(), "half": half });
        shell.answer(&data, &format!("{public}  ({half} key in {})\n", path.display()))?;
    }
    Ok(Ended::Well)
}

/// The public keys of logs, each as it is written or in a file.
pub(crate) fn trusted(keys: &[String]) -> Result<Vec<VerifyingKey>, Failure> {
    let help = "name the file that `kiff keys generate` wrote, which ends with `.pub`, or write what is in it";
    keys.iter().map(|text| given(text, "public key", help)).collect()
}

/// The public keys of witnesses, each as it is written or in a file.
pub(crate) fn witnesses_of(keys: &[String]) -> Result<Vec<WitnessKey>, Failure> {
    let help = "write it as the witness publishes it: its name, `+`, eight digits, `+`, and the key in base64";
    keys.iter().map(|text| given(text, "key of a witness", help)).collect()
}

/// What a secret key begins with as it is written.
const SECRET: &str = "PRIVATE+KEY+";

/// Refuses a secret key where something else is meant, before anything else is said of it: whatever is not found or cannot be read is
/// shown, and a secret must not be.
pub(crate) fn refuse_secret(text: &str, what: &str, help: &str) -> Result<(), Failure> {
    if text.trim_start().starts_with(SECRET) {
        let message = format!("a secret key is written where a {what} is meant: keep it to yourself");
        return Err(Failure::new(message).help(help));
    }
    Ok(())
}

/// A key as it is written or in a file. What is said of one that is none, or of a file that is not there: a key is never without
/// a `+`.
fn given<K: FromStr<Err = KeyError>>(text: &str, what: &str, help: &str) -> Result<K, Failure> {
    refuse_secret(text, what, help)?;
    let path = Path::new(text);
    let written = if path.is_file() {
        fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?
    } else {
        text.to_owned()
    };
    written.trim().parse().map_err(|error: KeyError| {
        let failure = if text.contains('+') || path.exists() {
            Failure::new(format!("`{text}` is no {what}: {error}"))
        } else {
            Failure::new(format!("there is no file `{text}`, and a {what} is written otherwise"))
        };
        failure.help(help)
    })
}
