//! A language server at work on one file: what an editor tells it, and what it answers.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Where `tests/editor` puts rust-analyzer, unless it is there already.
const OWN: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/rust-analyzer/bin/rust-analyzer");

/// The server's words for "ask again": it was interrupted, or the text has changed meanwhile.
const AGAIN: [i64; 2] = [-32801, -32802];

/// A language server, and the one file that is open in it.
pub(crate) struct Server {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    asked: u64,
    uri: String,
    version: u64,
    text: String,
}

impl Server {
    /// Starts rust-analyzer in a package and opens its `src/lib.rs`.
    pub(crate) fn open(package: &Path) -> Self {
        let package = package.canonicalize().unwrap();
        // The versions of the workspace, so that nothing is downloaded twice.
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"), package.join("Cargo.lock")).unwrap();
        let mut process = Command::new(program())
            .current_dir(&package)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("crates"))
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let file = package.join("src/lib.rs");
        let text = fs::read_to_string(&file).unwrap();
        let uri = format!("file://{}", file.display());
        let mut server = Self { process, to, from, asked: 0, uri, version: 0, text };
        server.ask(
            "initialize",
            &json!({
                "processId": null,
                "rootUri": format!("file://{}", package.display()),
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "textDocument": { "hover": { "contentFormat": ["plaintext"] } },
                },
                "initializationOptions": { "checkOnSave": false, "cachePriming": { "enable": false } },
            }),
        );
        server.tell("initialized", &json!({}));
        let document = json!({ "uri": server.uri, "languageId": "rust", "version": 0, "text": server.text });
        server.tell("textDocument/didOpen", &json!({ "textDocument": document }));
        let is_ready =
            |said: &Value| said["method"] == "experimental/serverStatus" && said["params"]["quiescent"] == true;
        let status = server.listen(is_ready);
        assert_eq!(status["params"]["health"], "ok", "{status}");
        server
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The file now reads so.
    pub(crate) fn change(&mut self, text: &str) {
        self.version += 1;
        text.clone_into(&mut self.text);
        let document = json!({ "uri": self.uri, "version": self.version });
        self.tell("textDocument/didChange", &json!({ "textDocument": document, "contentChanges": [{ "text": text }] }));
    }

    /// The names that it offers behind so many bytes.
    pub(crate) fn completions(&mut self, offset: usize) -> Vec<String> {
        let answer = self.ask("textDocument/completion", &self.at(self.line_and_column(offset)));
        let offers = answer["items"].as_array().or(answer.as_array()).cloned().unwrap_or_default();
        let mut names: Vec<String> =
            offers.iter().map(|offer| offer["label"].as_str().unwrap_or_default().to_owned()).collect();
        names.sort();
        names
    }

    /// Where what stands at the `|` of these words is declared: line and column, in this file.
    pub(crate) fn definitions(&mut self, words: &str) -> Vec<(u64, u64)> {
        let answer = self.ask("textDocument/definition", &self.place(words));
        let places = answer.as_array().cloned().unwrap_or_default();
        places
            .iter()
            .map(|place| {
                assert_eq!(place["uri"], self.uri.as_str(), "in another file");
                let start = &place["range"]["start"];
                (start["line"].as_u64().unwrap(), start["character"].as_u64().unwrap())
            })
            .collect()
    }

    /// What it shows about what stands at the `|` of these words.
    pub(crate) fn hover(&mut self, words: &str) -> String {
        let answer = self.ask("textDocument/hover", &self.place(words));
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// The file after what stands at the `|` of these words got another name.
    pub(crate) fn renamed(&mut self, words: &str, name: &str) -> String {
        let mut asked = self.place(words);
        asked["newName"] = json!(name);
        let answer = self.ask("textDocument/rename", &asked);
        let changes = answer["documentChanges"].as_array().unwrap_or_else(|| panic!("{answer}"));
        assert!(changes.iter().all(|change| change["textDocument"]["uri"] == self.uri.as_str()), "{answer}");
        let mut edits: Vec<Value> =
            changes.iter().flat_map(|change| change["edits"].as_array().unwrap()).cloned().collect();
        edits.sort_by_key(|edit| self.offset(&edit["range"]["start"]));
        let mut text = self.text.clone();
        for edit in edits.iter().rev() {
            let range = self.offset(&edit["range"]["start"])..self.offset(&edit["range"]["end"]);
            text.replace_range(range, edit["newText"].as_str().unwrap());
        }
        text
    }

    /// Line and column of the `|` of these words, which stand once in the file.
    pub(crate) fn position(&self, words: &str) -> (u64, u64) {
        let (before, after) = words.split_once('|').unwrap();
        let whole = [before, after].concat();
        assert_eq!(self.text.matches(&whole).count(), 1, "`{whole}` does not stand once in:\n{}", self.text);
        self.line_and_column(self.text.find(&whole).unwrap() + before.len())
    }

    fn line_and_column(&self, offset: usize) -> (u64, u64) {
        let until = &self.text[..offset];
        (until.matches('\n').count() as u64, until.rsplit('\n').next().unwrap_or_default().len() as u64)
    }

    fn place(&self, words: &str) -> Value {
        self.at(self.position(words))
    }

    fn at(&self, (line, character): (u64, u64)) -> Value {
        json!({ "textDocument": { "uri": self.uri }, "position": { "line": line, "character": character } })
    }

    fn offset(&self, place: &Value) -> usize {
        let (line, column) = (place["line"].as_u64().unwrap(), place["character"].as_u64().unwrap());
        let lines = self.text.split_inclusive('\n').take(line.try_into().unwrap());
        lines.map(str::len).sum::<usize>() + usize::try_from(column).unwrap()
    }

    /// Asks until there is an answer.
    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        loop {
            self.asked += 1;
            let id = self.asked;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }));
            let answer = self.listen(|said| said["id"] == id && said.get("method").is_none());
            match answer["error"]["code"].as_i64() {
                None => return answer["result"].clone(),
                Some(code) if AGAIN.contains(&code) => {}
                Some(_) => panic!("{method}: {answer}"),
            }
        }
    }

    fn tell(&mut self, method: &str, parameters: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": parameters }));
    }

    fn send(&mut self, message: &Value) {
        let message = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{message}", message.len()).unwrap();
        self.to.flush().unwrap();
    }

    /// Reads what it says until it says what is waited for. What it asks for itself, it gets nothing of.
    fn listen(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let said = self.read();
            if let (Some(id), Some(_)) = (said.get("id"), said.get("method")) {
                let asked = said["params"]["items"].as_array().map_or(0, Vec::len);
                let nothing = if asked == 0 { Value::Null } else { json!(vec![Value::Null; asked]) };
                self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": nothing }));
            }
            if is_it(&said) {
                return said;
            }
        }
    }

    fn read(&mut self) -> Value {
        let (mut line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "rust-analyzer has ended");
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut message = vec![0; length];
        self.from.read_exact(&mut message).unwrap();
        serde_json::from_slice(&message).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The toolchain's server, or the one that `tests/editor` has built.
fn program() -> PathBuf {
    let programs = [PathBuf::from("rust-analyzer"), PathBuf::from(OWN)];
    let runs =
        |program: &PathBuf| Command::new(program).arg("--version").output().is_ok_and(|ran| ran.status.success());
    programs.into_iter().find(runs).unwrap_or_else(|| {
        panic!(
            "rust-analyzer is missing: run `rustup component add rust-analyzer`, or `tests/editor`, which builds one"
        )
    })
}
