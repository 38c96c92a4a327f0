//! An error and its sources as one line that may be shown.

use std::error::Error;

use crate::error::chain;
use crate::shown_urls_in;

/// How many of a chain are shown: an error may name itself.
const MAX_DEPTH: usize = 16;

/// How many characters are kept.
const MAX_CHARS: usize = 512;

/// `outer: inner: innermost`, where the sources add something; URLs as [`shown_urls_in`] shows them. At most 512 characters, control
/// characters escaped.
///
/// ```
/// use bartizan_core::error_line;
///
/// let error = std::io::Error::other("no answer from https://me:pw@a.example/?token=s3cret");
/// assert_eq!(error_line(&error), "no answer from https://a.example/?token=..");
/// ```
pub fn error_line(error: &(dyn Error + 'static)) -> String {
    shown_line(&error_chain(error))
}

/// What [`error_line`] shows, not yet cut and escaped, for who has more to take out of it.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut line = String::new();
    for error in chain(error).take(MAX_DEPTH) {
        let text = error.to_string();
        let first = text.trim_start().lines().next().unwrap_or_default().trim_end();
        // Some write their source themselves.
        if first.is_empty() || has_words(&line, first) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(first);
    }
    shown_urls_in(&line)
}

/// Whether `text` has `words`, and not within longer ones.
fn has_words(text: &str, words: &str) -> bool {
    let ends_a_word = |before: &str| !before.ends_with(char::is_alphanumeric);
    let begins_none = |after: &str| !after.starts_with(char::is_alphanumeric);
    text.match_indices(words)
        .any(|(at, _)| ends_a_word(&text[..at]) && begins_none(&text[at + words.len()..]))
}

/// A text of somebody else's as a line that may be shown: control characters escaped, and cut after 512 characters.
pub fn shown_line(line: &str) -> String {
    let mut shown = String::with_capacity(line.len().min(MAX_CHARS));
    for (count, c) in line.chars().enumerate() {
        if count == MAX_CHARS {
            shown.push_str("..");
            break;
        }
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// An error with a source.
    #[derive(Debug)]
    struct Wrapped(&'static str, Option<Box<Wrapped>>);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|error| error as _)
        }
    }

    #[derive(Debug)]
    struct Loop;

    impl fmt::Display for Loop {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("loop")
        }
    }

    impl Error for Loop {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    /// One error, whose sources have the other texts.
    fn chained(texts: &[&'static str]) -> Box<Wrapped> {
        let wrap = |source, text: &&'static str| Some(Box::new(Wrapped(text, source)));
        texts.iter().rev().fold(None, wrap).expect("one text at least")
    }

    fn of(texts: &[&'static str]) -> String {
        error_line(&*chained(texts))
    }

    #[test]
    fn each_source_that_adds_something_is_there_once() {
        for (texts, expected) in [
            (&["a", "b", "c"][..], "a: b: c"),
            (&["a", "", "c"], "a: c"),
            (&["a: b", "b", "c"], "a: b: c"),
            (&["over, so nothing was sent", "nothing was sent"], "over, so nothing was sent"),
            (&["data", "a"], "data: a"),
            (&["ab", "a", "ca"], "ab: a: ca"),
            (&["client error (Connect)", "Connect"], "client error (Connect)"),
        ] {
            assert_eq!(of(texts), expected);
        }
    }

    #[test]
    fn it_is_one_line_without_control_characters() {
        assert_eq!(of(&["a\nmore", "\n b \r\nmore"]), "a: b");
        assert_eq!(of(&["a\u{1b}[31m\u{85}\rb"]), "a\\u{1b}[31m\\u{85}\\rb");
    }

    #[test]
    fn it_ends() {
        assert_eq!(error_line(&Loop), "loop");
        let deep: Vec<&str> = "a b c d e f g h i j k l m n o p q r s t".split(' ').collect();
        assert_eq!(of(&deep), deep[..16].join(": "));
        let long = |length| of(&[Box::leak("é".repeat(length).into_boxed_str())]);
        assert_eq!(long(512), "é".repeat(512));
        assert_eq!(long(513), "é".repeat(512) + "..");
    }

    #[test]
    fn urls_in_it_keep_their_secrets() {
        assert_eq!(
            of(&["error sending request for url (http://me:pw@a.example/x?token=s3cret)", "refused"]),
            "error sending request for url (http://a.example/x?token=..): refused"
        );
    }
}
