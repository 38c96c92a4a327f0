//! The table of requirements, `crates/bartizan-cache/rules.tsv`.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::Scenario;

const TABLE: &str = include_str!("../../crates/bartizan-cache/rules.tsv");
const HEADER: &str = "id\tsection\tlevel\trequirement\tshown by";
const LEVELS: [&str; 6] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "text"];

struct Rule<'a> {
    id: &'a str,
    level: &'a str,
    shown_by: ShownBy<'a>,
}

enum ShownBy<'a> {
    Scenarios(Vec<&'a str>),
    /// Why nothing shows it.
    Reason,
}

#[derive(Default)]
struct Count {
    rules: usize,
    by_scenario: usize,
    by_pending: usize,
    by_reason: usize,
}

/// Fails for a requirement that nothing shows and that has no reason, for an id that is there twice, and for a scenario that shows nothing.
pub(crate) fn check(running: &[Scenario], pending: &[Scenario]) {
    let ids = |scenarios: &[Scenario]| -> Vec<String> { scenarios.iter().map(|s| s.id.clone()).collect() };
    let (running, pending) = (ids(running), ids(pending));
    let (counts, wrong) = verify(TABLE, &running, &pending);
    println!("document level rules by-scenario by-pending by-reason");
    for ((document, level), count) in &counts {
        let Count { rules, by_scenario, by_pending, by_reason } = count;
        println!("{document} {level:10} {rules:3} {by_scenario:3} {by_pending:3} {by_reason:3}");
    }
    let sum = |of: fn(&Count) -> usize| counts.values().map(of).sum::<usize>();
    println!(
        "{} rules: {} by scenarios, {} by pending ones, {} by a reason; {} scenarios and {} pending ones",
        sum(|count| count.rules),
        sum(|count| count.by_scenario),
        sum(|count| count.by_pending),
        sum(|count| count.by_reason),
        running.len(),
        pending.len(),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many requirements there are of each document and level, and what is wrong with the table.
fn verify<'a>(
    table: &'a str,
    running: &[String],
    pending: &[String],
) -> (BTreeMap<(&'a str, &'a str), Count>, Vec<String>) {
    let mut counts = BTreeMap::<_, Count>::new();
    let (mut known, mut named) = (BTreeSet::new(), BTreeSet::new());
    let mut wrong = Vec::new();
    let all: BTreeSet<&str> = running.iter().chain(pending).map(String::as_str).collect();
    if all.len() < running.len() + pending.len() {
        wrong.push("two scenarios have one id".to_owned());
    }
    if table.lines().next() != Some(HEADER) {
        wrong.push(format!("the table begins with {HEADER:?}"));
    }
    for (index, line) in table.lines().enumerate().skip(1) {
        let rule = match Rule::read(line) {
            Ok(rule) => rule,
            Err(why) => {
                wrong.push(format!("rules.tsv:{}: {why}", index + 1));
                continue;
            }
        };
        if !known.insert(rule.id) {
            wrong.push(format!("{} is there twice", rule.id));
        }
        let document = rule.id.split('-').next().unwrap_or_default();
        let count = counts.entry((document, rule.level)).or_default();
        count.rules += 1;
        let ShownBy::Scenarios(patterns) = rule.shown_by else {
            count.by_reason += 1;
            continue;
        };
        let mut shows: BTreeSet<&str> = BTreeSet::new();
        for pattern in patterns {
            let before = shows.len();
            shows.extend(all.iter().copied().filter(|id| fits(id, pattern)));
            if shows.len() == before {
                wrong.push(format!("{}: no scenario is {pattern:?}, or it is named twice", rule.id));
            }
        }
        if running.iter().any(|id| shows.contains(id.as_str())) {
            count.by_scenario += 1;
        } else {
            count.by_pending += 1;
        }
        named.extend(shows);
    }
    wrong.extend(all.difference(&named).map(|id| format!("{id} shows no requirement")));
    (counts, wrong)
}

/// Whether a scenario is meant: by its id, or by the start of it and a `*`.
fn fits(id: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(id == pattern, |start| id.starts_with(start))
}

impl<'a> Rule<'a> {
    fn read(line: &'a str) -> Result<Self, String> {
        let cells: Vec<_> = line.split('\t').collect();
        let [id, section, level, text, shown_by] = cells[..] else {
            return Err(format!("{} cells", cells.len()));
        };
        if cells.iter().any(|cell| cell.trim().is_empty() || cell.trim() != *cell) {
            return Err("a cell is empty, or has space around it".to_owned());
        }
        if !LEVELS.contains(&level) {
            return Err(format!("{level:?} is no level"));
        }
        let document_and_section = format!("{}-{}", id.split('-').next().unwrap_or_default(), section);
        if !id.starts_with(&document_and_section) {
            return Err(format!("{id} is not of section {section}"));
        }
        if text.ends_with('.') {
            return Err("a requirement has no full stop".to_owned());
        }
        let shown_by = match shown_by.strip_prefix("reason: ") {
            Some(_) => ShownBy::Reason,
            None => ShownBy::Scenarios(shown_by.split(' ').collect()),
        };
        Ok(Self { id, level, shown_by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(lines: &[&str]) -> Vec<String> {
        let table: String = [HEADER].iter().chain(lines).flat_map(|line| [*line, "\n"]).collect();
        verify(&table, &["a-1".to_owned(), "b".to_owned()], &["c".to_owned()]).1
    }

    const WHOLE: &str = "9111-3-a\t3\tMUST\tso it is\ta-* b c";

    #[test]
    fn a_table_that_names_every_scenario_is_whole() {
        assert_eq!(complaints(&[WHOLE, "9111-3-b\t3\tMAY\tso\treason: nobody does"]), [""; 0]);
    }

    #[test]
    fn what_is_missing_twice_or_unknown_is_told() {
        for (line, complaint) in [
            ("9111-3-b\t3\tMUST\tso\ta-2", "9111-3-b: no scenario is \"a-2\", or it is named twice"),
            ("9111-3-b\t3\tMUST\tso\tb b", "9111-3-b: no scenario is \"b\", or it is named twice"),
            (WHOLE, "9111-3-a is there twice"),
            ("9111-3-b\t3\tOUGHT\tso\tb", "rules.tsv:3: \"OUGHT\" is no level"),
            ("9111-3-b\t4\tMUST\tso\tb", "rules.tsv:3: 9111-3-b is not of section 4"),
            ("9111-3-b\t3\tMUST\tso.\tb", "rules.tsv:3: a requirement has no full stop"),
            ("9111-3-b\t3\tMUST\tso", "rules.tsv:3: 4 cells"),
            ("9111-3-b\t3\tMUST\t\tb", "rules.tsv:3: a cell is empty, or has space around it"),
        ] {
            assert_eq!(complaints(&[WHOLE, line]), [complaint]);
        }
        assert_eq!(complaints(&[&WHOLE.replace(" b", "")]), ["b shows no requirement"]);
    }
}
