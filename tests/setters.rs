//! Every setter says what holds without it.

#![allow(missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

/// What makes one request, one answer or one body has no default: nothing is set until it is.
const MAKES_ONE: [&str; 2] = ["bartizan-test/src", "bartizan-client/src/request.rs"];

#[test]
fn every_setter_states_its_default() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut seen = 0;
    let mut silent = Vec::new();
    for file in sources(&crates) {
        let path = file.strip_prefix(&crates).expect("it is in there").display().to_string();
        if MAKES_ONE.iter().any(|makes_one| path.starts_with(makes_one)) {
            continue;
        }
        for setter in setters(&fs::read_to_string(&file).expect("sources are text")) {
            seen += 1;
            if !setter.docs.to_lowercase().contains("default") {
                silent.push(format!("{path}: {}", setter.name));
            }
        }
    }
    assert!(seen > 100, "that looks at nothing: {seen}");
    assert!(silent.is_empty(), "no word of the default:\n{}", silent.join("\n"));
}

/// All Rust sources but those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_test = |path: &Path| path.file_stem().is_some_and(|name| name == "tests" || name == "target");
    let here = files.into_iter().filter(|file| file.extension().is_some_and(|e| e == "rs"));
    let below = folders.into_iter().filter(|folder| !is_test(folder)).flat_map(|folder| sources(&folder));
    here.filter(|file| !is_test(file)).chain(below).collect()
}

#[derive(Debug)]
struct Setter {
    name: String,
    docs: String,
}

/// Public methods that take `self` and something, or nothing, and give back the same type, perhaps with another parameter.
fn setters(source: &str) -> Vec<Setter> {
    let mut setters = Vec::new();
    let (mut docs, mut of) = (String::new(), String::new());
    let mut lines = source.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line.starts_with("///") {
            docs.push_str(line);
        } else if line.starts_with("impl") {
            of = of_impl(line);
        } else if let Some(name) = method(line) {
            let mut signature = line.to_owned();
            while !signature.contains(['{', ';']) {
                signature.push_str(lines.next().unwrap_or(";"));
            }
            if sets(&signature, &of) {
                setters.push(Setter { name: format!("{of}::{name}"), docs: docs.clone() });
            }
        }
        if !line.starts_with("///") && !line.starts_with("#[") {
            docs.clear();
        }
    }
    setters
}

/// The type of an `impl` block, without what it is generic over; nothing for a trait's.
fn of_impl(line: &str) -> String {
    if line.contains(" for ") {
        return String::new();
    }
    // The arrow of a closure is no bracket.
    let line = line.replace("->", "  ");
    let mut depth = 0;
    let start = line.find(|c| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        c == ' ' && depth == 0
    });
    let name = start.map_or("", |start| line[start..].trim_start());
    name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn method(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ")?;
    let name = rest.strip_prefix("const ").unwrap_or(rest).strip_prefix("fn ")?;
    // What a macro writes has its docs where the macro is used.
    name.split(['(', '<']).next().filter(|name| !name.starts_with('$'))
}

fn sets(signature: &str, of: &str) -> bool {
    let takes_itself = signature.contains("(self") || signature.contains("(mut self");
    let Some((_, gives)) = signature.split_once("->") else { return false };
    let gives = gives.trim_start().trim_start_matches("Result<");
    takes_itself && (gives.starts_with("Self") || (!of.is_empty() && gives.starts_with(&format!("{of}<"))))
}

#[test]
fn what_sets_is_told_from_what_does_not() {
    let source = "impl<F: Fn(u8) -> u8> One<F> {
        /// A word.
        pub fn word(mut self, word: u8) -> Self {}
        /// Wide. None by default.
        #[must_use]
        pub fn wide<G>(
            self,
            wide: G,
        ) -> Result<Self, E>
        where G: Copy {}
        pub fn other<G>(self) -> One<G> {}
        pub fn $any(self) -> Self {}
        pub fn build(self) -> Two {}
        pub fn look(&self) -> Self {}
        fn own(self) -> Self {}
    }
    impl Clone for One {
        pub fn other(self) -> One<u8> {}
    }";
    let found = setters(source);
    let names: Vec<&str> = found.iter().map(|setter| &*setter.name).collect();
    assert_eq!(names, ["One::word", "One::wide", "One::other"]);
    let docs: Vec<&str> = found.iter().map(|setter| &*setter.docs).collect();
    assert_eq!(docs, ["/// A word.", "/// Wide. None by default.", ""]);
}
