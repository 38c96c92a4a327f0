//! The guide's pages: that each is in the docs, that its code is compiled, and that what it repeats is what the crates say.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Whose docs have the defaults that a page shows.
const DEFAULTS: [(&str, &str); 6] = [
    ("timeouts", "timeout"),
    ("retry", "retry"),
    ("circuit_breaker", "circuit-breaker"),
    ("rate_limit", "rate-limit"),
    ("cache", "cache"),
    ("auth", "auth"),
];

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// By their names.
fn pages() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/bartizan/guide");
    let files =
        fs::read_dir(folder).expect("the folder of the pages").map(|entry| entry.expect("a page").path());
    let name = |path: &Path| path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
    files.map(|path| (name(&path), fs::read_to_string(&path).expect("pages are text"))).collect()
}

/// The info strings of a page's blocks of code.
fn blocks(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("```")).step_by(2).collect()
}

#[test]
fn each_page_is_in_the_docs_and_in_the_list_of_pages() {
    let (here, peers, pages) = (read("crates/bartizan/src/guide.rs"), read("guide/src/lib.rs"), pages());
    for name in pages.keys() {
        let file = format!("guide/{name}.md\")");
        assert!(here.contains(&file), "{name}");
        // What shows a peer is compiled in the package that has the peers, and nowhere else.
        let is_left_out =
            here.contains(&format!("#[cfg_attr(not(doctest), doc = include_str!(\"../{file})]"));
        assert_eq!(is_left_out, peers.contains(&file), "{name}");
        assert!(name == "index" || pages["index"].contains(&format!("[`{name}`]")), "{name}");
    }
}

#[test]
fn each_page_has_code_and_all_of_it_is_compiled() {
    for (name, page) in pages() {
        let blocks = blocks(&page);
        assert!(blocks.iter().any(|info| matches!(*info, "" | "no_run")), "{name}");
        assert!(blocks.iter().all(|info| matches!(*info, "" | "no_run" | "text")), "{name}: {blocks:?}");
    }
}

#[test]
fn migrations_show_both_sides() {
    for (name, page) in pages().iter().filter(|(name, _)| name.starts_with("from_")) {
        let [before, after, changes] =
            ["# Before", "# After", "# What changes"].map(|heading| page.find(heading).unwrap());
        assert!(before < after && after < changes, "{name}");
        assert!(
            !page[before..after].contains("bartizan") && page[after..changes].contains("bartizan"),
            "{name}"
        );
        assert_eq!(blocks(&page[before..after]), [""], "{name}");
    }
}

/// The first table after a heading, its links without where they lead.
fn table(text: &str, heading: &str) -> Vec<String> {
    let after = text.lines().skip_while(|line| *line != heading).skip(1);
    let rows = after.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.map(without_targets).collect()
}

/// `[x](y)` and ``[`x`]`` become `x`.
fn without_targets(line: &str) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some((before, link)) = rest.split_once('[') {
        text.push_str(before);
        // An interval: `U[0, 1)`.
        if before.ends_with(char::is_alphanumeric) {
            text.push('[');
            rest = link;
            continue;
        }
        let (shown, after) = link.split_once(']').expect("a link ends");
        text.push_str(shown);
        rest = match after.strip_prefix('(') {
            Some(target) => target.split_once(')').expect("its target, too").1,
            None => after,
        };
    }
    text + rest
}

#[test]
fn defaults_are_what_the_crates_say() {
    let pages = pages();
    for (page, name) in DEFAULTS {
        let docs = read(format!("crates/bartizan-{name}/src/lib.rs"));
        let docs: Vec<&str> = docs.lines().map(|line| line.trim_start_matches("//!").trim_start()).collect();
        let says = table(&docs.join("\n"), "# Defaults");
        assert!(says.len() > 3, "{name}: {says:?}");
        assert_eq!(table(&pages[page], "# Defaults"), says, "{page}");
    }
}

#[test]
fn events_are_what_the_crates_write() {
    let pages = pages();
    for (page, name) in DEFAULTS {
        let events = pages[page].split_once("With the feature `tracing`").expect("they are told").1;
        let events = events.split("\n\n").next().expect("a paragraph");
        let code = read(format!("crates/bartizan-{name}/src/trace.rs"));
        let target = format!("bartizan_{}", name.replace('-', "_"));
        assert!(events.contains(&format!("`{target}`")), "{page}");
        let told: Vec<&str> = events.split('`').skip(1).step_by(2).collect();
        let strings = code.split('"').skip(1).step_by(2);
        let written = strings.filter(|text| *text != "tracing" && *text != target);
        for event in written {
            assert!(told.contains(&event), "{page}: `{event}` is not told");
        }
    }
}
