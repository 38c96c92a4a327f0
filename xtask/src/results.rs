//! The record of the last full run: `target/xtask/results.tsv`. Its first line carries the fingerprint of the sources,
//! then one line a test: package, target, test, verdict.

use std::{fs, io, path::Path};

use crate::libtest::Verdict;

/// The target under which doc tests are recorded.
pub(crate) const DOCTESTS: &str = "doc";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Results {
    /// None when the sources could not be listed, or changed while the tests ran.
    pub(crate) sources: Option<String>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) package: String,
    /// The target's main file, relative to its package; or `doc`.
    pub(crate) target: String,
    pub(crate) test: String,
    pub(crate) verdict: Verdict,
}

impl Results {
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, self.to_tsv())
    }

    /// None when there is no record, or none that can be read.
    pub(crate) fn load(path: &Path) -> Option<Self> {
        Self::from_tsv(&fs::read_to_string(path).ok()?)
    }

    fn to_tsv(&self) -> String {
        let mut text = format!("sources\t{}\n", self.sources.as_deref().unwrap_or("unknown"));
        for Row { package, target, test, verdict } in &self.rows {
            text += &format!("{package}\t{target}\t{test}\t{}\n", word(*verdict));
        }
        text
    }

    fn from_tsv(text: &str) -> Option<Self> {
        let (head, rows) = text.split_once('\n')?;
        let sources = Some(head.strip_prefix("sources\t")?.to_owned()).filter(|sources| sources != "unknown");
        let rows = rows.lines().map(Row::from_line).collect::<Option<_>>()?;
        Some(Self { sources, rows })
    }
}

impl Row {
    fn from_line(line: &str) -> Option<Self> {
        let mut cells = line.split('\t').map(str::to_owned);
        let row = Self {
            package: cells.next()?,
            target: cells.next()?,
            test: cells.next()?,
            verdict: verdict(&cells.next()?)?,
        };
        cells.next().is_none().then_some(row)
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Failed => "FAILED",
        Verdict::Ignored => "ignored",
    }
}

fn verdict(word_read: &str) -> Option<Verdict> {
    [Verdict::Ok, Verdict::Failed, Verdict::Ignored].into_iter().find(|verdict| word(*verdict) == word_read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(test: &str, verdict: Verdict) -> Row {
        Row { package: "wall".into(), target: "src/lib.rs".into(), test: test.into(), verdict }
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let rows = vec![row("a", Verdict::Ok), row("b::c", Verdict::Failed), row("d", Verdict::Ignored)];
        for sources in [Some("0123".to_owned()), None] {
            let results = Results { sources, rows: rows.clone() };
            assert_eq!(Results::from_tsv(&results.to_tsv()), Some(results));
        }
    }

    #[test]
    fn a_damaged_record_counts_as_none() {
        for text in [
            "",
            "a\tb\n",
            "sources\t1\na\tb\tc\n",
            "sources\t1\na\tb\tc\tmaybe\n",
            "sources\t1\na\tb\tc\tok\td\n",
        ] {
            assert_eq!(Results::from_tsv(text), None, "{text:?}");
        }
    }
}
