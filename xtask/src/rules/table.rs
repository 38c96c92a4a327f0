//! The tables of a RULES.md, as data.

use super::Complaint;

const HEADER: [&str; 4] = ["#", "Rule", "Source", "Test"];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) line: usize,
    pub(super) number: u32,
    pub(super) tests: Vec<TestPath>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum TestPath {
    /// `` `module::tests::name` ``: a unit test of the crate.
    Unit(String),
    /// `` `tests/file.rs::name` ``: an integration test of the crate or else of the harness.
    Integration { file: String, name: String },
    /// `` `doctest::module::Item` ``: all examples on that item.
    Doc(String),
}

enum Place {
    Prose,
    BelowHeader,
    Rows,
    /// The rest of a table that is not ours.
    Unreadable,
}

/// Every rule that can be read, and a complaint for every line that cannot.
pub(super) fn read(text: &str) -> (Vec<Rule>, Vec<Complaint>) {
    let mut reader =
        Reader { place: Place::Prose, rows: Vec::new(), rules: Vec::new(), complaints: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        reader.take(index + 1, line.trim());
    }
    if reader.rows.is_empty() && reader.complaints.is_empty() {
        reader.complain(1, "no rules; write a table with the header `| # | Rule | Source | Test |`");
    }
    (reader.rules, reader.complaints)
}

struct Reader {
    place: Place,
    /// Number and line of each row whose number could be read.
    rows: Vec<(u32, usize)>,
    rules: Vec<Rule>,
    complaints: Vec<Complaint>,
}

impl Reader {
    fn take(&mut self, line: usize, text: &str) {
        if !text.starts_with('|') {
            if matches!(self.place, Place::BelowHeader) {
                self.complain(line, "the header needs a row of dashes below it: `|---|---|---|---|`");
            }
            self.place = Place::Prose;
            return;
        }
        let cells = cells(text);
        match self.place {
            Place::Prose if cells.as_deref().is_some_and(|cells| cells == HEADER) => {
                self.place = Place::BelowHeader;
            }
            Place::Prose => {
                self.complain(
                    line,
                    "RULES.md holds tables of rules only, with the header `| # | Rule | Source | Test |`",
                );
                self.place = Place::Unreadable;
            }
            Place::BelowHeader => {
                if !cells.is_some_and(|cells| {
                    cells.len() == HEADER.len() && cells.iter().all(|cell| is_ruler(cell))
                }) {
                    self.complain(line, "the header needs a row of dashes below it: `|---|---|---|---|`");
                }
                self.place = Place::Rows;
            }
            Place::Rows => match cells.as_deref() {
                Some([number, rule, source, test]) => self.take_row(line, [number, rule, source, test]),
                _ => self.complain(
                    line,
                    "a row is `| number | rule | source | test |`; write `\\|` for a bar in a cell",
                ),
            },
            Place::Unreadable => {}
        }
    }

    fn take_row(&mut self, line: usize, [number, rule, source, test]: [&str; 4]) {
        let Some(number) = self.take_number(line, number) else { return };
        if rule.is_empty() {
            self.complain(line, format!("rule {number} says nothing; write one sentence"));
        }
        if source.is_empty() {
            self.complain(
                line,
                format!("rule {number} has no source; name the section, paper, peer or decision"),
            );
        }
        if test.is_empty() {
            self.complain(
                line,
                format!("rule {number} has no test; name one that fails when the rule is broken"),
            );
        }
        let mut tests = Vec::new();
        for path in test.split(',').map(str::trim).filter(|_| !test.is_empty()) {
            match TestPath::read(path) {
                Some(path) => tests.push(path),
                None => self.complain(
                    line,
                    format!(
                        "rule {number}: {path:?} is no test path; write `module::tests::name`, \
                         `tests/file.rs::name` or `doctest::module::Item` in backticks, separated by commas"
                    ),
                ),
            }
        }
        self.rules.push(Rule { line, number, tests });
    }

    /// Numbers run 1, 2, 3 through all tables of the file.
    fn take_number(&mut self, line: usize, text: &str) -> Option<u32> {
        let number = text.parse::<u32>().ok().filter(|number| number.to_string() == text);
        let Some(number) = number else {
            self.complain(line, format!("{text:?} is no rule number; write digits only"));
            return None;
        };
        let expected = self.rows.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
        if let Some(&(_, first)) = self.rows.iter().find(|(used, _)| *used == number) {
            self.complain(
                line,
                format!("number {number} is used twice, first in line {first}; the next is {expected}"),
            );
        } else if number != expected {
            self.complain(line, format!("number {number} where {expected} is next; renumber without a gap"));
        }
        self.rows.push((number, line));
        Some(number)
    }

    fn complain(&mut self, line: usize, text: impl Into<String>) {
        self.complaints.push(Complaint { line, text: text.into() });
    }
}

impl TestPath {
    fn read(text: &str) -> Option<Self> {
        let path = text.strip_prefix('`')?.strip_suffix('`')?;
        if path.starts_with("tests/") {
            let (stem, name) = path.split_once(".rs::")?;
            return is_path(name)
                .then(|| Self::Integration { file: format!("{stem}.rs"), name: name.to_owned() });
        }
        match path.strip_prefix("doctest::") {
            Some(item) => is_path(item).then(|| Self::Doc(item.to_owned())),
            None => is_path(path).then(|| Self::Unit(path.to_owned())),
        }
    }
}

fn is_path(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    text.split("::").all(is_word)
}

/// The trimmed cells of a row; none when it does not end with a bar. A bar inside a cell is written `\|`.
fn cells(row: &str) -> Option<Vec<&str>> {
    let inner = row.strip_prefix('|')?.strip_suffix('|').filter(|inner| !inner.ends_with('\\'))?;
    let (mut cells, mut start) = (Vec::new(), 0);
    for (bar, _) in inner.match_indices('|').filter(|(bar, _)| !inner[..*bar].ends_with('\\')) {
        cells.push(inner[start..bar].trim());
        start = bar + 1;
    }
    cells.push(inner[start..].trim());
    Some(cells)
}

fn is_ruler(cell: &str) -> bool {
    let dashes = cell.trim_matches(':');
    !dashes.is_empty() && dashes.chars().all(|c| c == '-')
}
