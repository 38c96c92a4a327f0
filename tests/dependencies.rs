//! Who may know whom, and how many crates each layer pulls in: the table in ARCHITECTURE.md, held against cargo.

#![allow(missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// A published crate as ARCHITECTURE.md has it.
#[derive(Debug)]
struct Row {
    name: String,
    /// What it may depend on, features included.
    may_know: BTreeSet<String>,
    /// How many crates its tree may have, itself included, with default features.
    most: usize,
}

fn table() -> Vec<Row> {
    let text = include_str!("../ARCHITECTURE.md");
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| crate | may depend on |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, may_know, most] = cells[..] else { panic!("not three cells: {line}") };
        Row {
            name: name.trim_matches('`').to_owned(),
            may_know: may_know.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect(),
            most: most.parse().unwrap_or_else(|_| panic!("not a number: {most}")),
        }
    })
    .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline", "--color=never"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, since it runs this");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// The direct dependencies of each published crate, without those of its tests.
fn direct() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version=1"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages").iter();
    // `publish` is an empty list where a package is never published.
    let published = packages.filter(|package| package["publish"].is_null());
    let text = |value: &serde_json::Value| value.as_str().expect("a name").to_owned();
    published
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("a list of dependencies").iter();
            let names = dependencies.filter(|d| d["kind"] != "dev").map(|d| text(&d["name"])).collect();
            (text(&package["name"]), names)
        })
        .collect()
}

/// Every line of the tree of a crate with its default features: `name v1.2.3`, and what else cargo says of it.
fn tree(name: &str, edges: &str) -> BTreeSet<String> {
    let lines = cargo(&["tree", "--package", name, "--edges", edges, "--prefix", "none"]);
    lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn every_published_crate_is_in_the_table() {
    let in_table: BTreeSet<String> = table().into_iter().map(|row| row.name).collect();
    assert_eq!(in_table, direct().into_keys().collect());
}

#[test]
fn no_crate_knows_more_than_it_may() {
    let direct = direct();
    for row in table() {
        let known = &direct[&row.name];
        let too_many: Vec<_> = known.difference(&row.may_know).collect();
        assert!(too_many.is_empty(), "{} may not depend on {too_many:?}", row.name);
        let unused: Vec<_> = row.may_know.difference(known).collect();
        assert!(unused.is_empty(), "{} does not depend on {unused:?}; take it out of the table", row.name);
    }
}

#[test]
fn each_tree_is_as_small_as_promised() {
    for row in table() {
        let count = tree(&row.name, "normal").len();
        println!("{}: {count} crates, at most {}", row.name, row.most);
        assert!(count <= row.most, "{} pulls in {count} crates", row.name);
    }
}

#[test]
fn the_readme_counts_what_each_crate_pulls_in() {
    let text = include_str!("../README.md");
    for row in table() {
        let start = format!("| [`{}`](", row.name);
        let line = text.lines().find(|line| line.starts_with(&start)).expect("each crate has a row");
        let others = tree(&row.name, "normal").len() - 1;
        assert!(line.contains(&format!("| {others} crates |")), "{others} crates, but {line}");
    }
}

#[test]
fn base_layers_bring_no_c_and_no_procedural_macro() {
    for name in ["bartizan-core", "bartizan-timeout", "bartizan-retry"] {
        for line in tree(name, "normal,build") {
            let package = line.split(' ').next().expect("a line has a name");
            let builds_c =
                ["cc", "cmake", "pkg-config", "bindgen"].contains(&package) || package.ends_with("-sys");
            assert!(!builds_c, "{name} pulls in {package}");
            assert!(!line.contains("(proc-macro)"), "{name} pulls in {line}");
        }
    }
}
