//! Rules held against the recorded results.

use crate::{
    libtest::Verdict,
    results::{DOCTESTS, Results, Row},
};

use super::{
    Complaint,
    table::{Rule, TestPath},
};

/// The tests that a crate's rules may name.
pub(super) struct Suite<'a> {
    pub(super) package: &'a str,
    /// The package whose `tests/` hold what needs two crates or a socket.
    pub(super) harness: &'a str,
    pub(super) results: &'a Results,
}

impl Suite<'_> {
    pub(super) fn verify(&self, rule: &Rule) -> Vec<Complaint> {
        let complaint = |text| Complaint { line: rule.line, text: format!("rule {}: {text}", rule.number) };
        rule.tests.iter().filter_map(|path| self.complaint(path)).map(complaint).collect()
    }

    fn complaint(&self, path: &TestPath) -> Option<String> {
        let rows = self.find(path);
        if rows.is_empty() {
            return Some(format!("`{path}` did not run{}", self.hint(path)));
        }
        let any = |verdict| rows.iter().any(|row| row.verdict == verdict);
        if any(Verdict::Failed) {
            Some(format!("`{path}` failed; mend the code, or the rule if it is wrong"))
        } else if any(Verdict::Ignored) {
            Some(format!("`{path}` was ignored; a rule needs a test that runs"))
        } else {
            None
        }
    }

    fn find(&self, path: &TestPath) -> Vec<&Row> {
        match path {
            TestPath::Unit(name) => {
                self.rows(self.package, |row| row.target.starts_with("src/") && row.test == *name)
            }
            TestPath::Integration { file, name } => {
                let is_it = |row: &Row| row.target == *file && row.test == *name;
                let own = self.rows(self.package, is_it);
                if own.is_empty() { self.rows(self.harness, is_it) } else { own }
            }
            TestPath::Doc(item) => self
                .rows(self.package, |row| row.target == DOCTESTS && documented_item(&row.test) == Some(item)),
        }
    }

    fn rows(&self, package: &str, is_it: impl Fn(&Row) -> bool) -> Vec<&Row> {
        self.results.rows.iter().filter(|row| row.package == package && is_it(row)).collect()
    }

    /// Where a test of that name did run.
    fn hint(&self, path: &TestPath) -> String {
        let (TestPath::Unit(name) | TestPath::Integration { name, .. } | TestPath::Doc(name)) = path;
        let last = |name: &str| name.rsplit("::").next().map(str::to_owned);
        let mut rows = self.results.rows.iter().filter(|row| {
            [self.package, self.harness].contains(&row.package.as_str()) && last(&row.test) == last(name)
        });
        match rows.next() {
            Some(row) if row.target.starts_with("src/") => format!("; `{}` did", row.test),
            Some(row) => format!("; `{}::{}` did", row.target, row.test),
            None => "; write that test, or correct the name".to_owned(),
        }
    }
}

/// `module::Item` of `src/module.rs - module::Item (line 7)`.
fn documented_item(test: &str) -> Option<&str> {
    let (_, item) = test.split_once(" - ")?;
    Some(item.rsplit_once(" (line ")?.0)
}

impl std::fmt::Display for TestPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unit(name) => f.write_str(name),
            Self::Integration { file, name } => write!(f, "{file}::{name}"),
            Self::Doc(item) => write!(f, "doctest::{item}"),
        }
    }
}
