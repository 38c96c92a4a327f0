use proptest::prelude::*;

use super::*;
use crate::merge::prefix::Prefix;

/// Pieces that documents are made of, in any order.
fn document() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "...",
        "$v",
        "on Q",
        "a",
        "b",
        "query",
        "mutation",
        "fragment F",
        "fragment G",
        "F",
        "G",
        "@include(if: $v)",
        "@d",
        "\"\"",
        "\"\"\" { \"\"\"",
        "# x\n",
        ",",
        "\u{feff}",
        "1",
        "$v: Int",
        "=",
        "!",
        "é",
        "\r",
    ]);
    let any = prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.join(" "));
    // Most of what is put together so does not parse, so there are some that do.
    let some = prop::sample::select(vec![
        "{ ...F a { ...F } } fragment F on Q { b ...G } fragment G on Q { a }",
        "query($v: Int) { a(b: $v) ... on Q { c: d } }",
        "mutation { a(b: [{c: \"$v\"}]) }",
    ]);
    prop_oneof![any, some.prop_map(str::to_owned)]
}

proptest! {
    #[test]
    fn a_key_behind_a_prefix_is_split_again(member in 0..usize::MAX, key in "[_A-Za-z][_0-9A-Za-z]{0,20}") {
        let whole = format!("{}{key}", Prefix(member));
        prop_assert_eq!(Prefix::split(&whole), Some((member, key.as_str())));
    }

    #[test]
    fn no_prefix_begins_with_another(one in 0..2000_usize, other in 0..2000_usize) {
        let prefixes = [one, other].map(|n| [Prefix(n).to_string(), Prefix(n).at_root()]);
        for (ours, theirs) in [(&prefixes[0][0], &prefixes[0][1]), (&prefixes[0][1], &prefixes[0][0])] {
            prop_assert!(!ours.starts_with(theirs.as_str()));
        }
        if one != other {
            for (ours, theirs) in prefixes[0].iter().flat_map(|ours| prefixes[1].iter().map(move |theirs| (ours, theirs))) {
                prop_assert!(!ours.starts_with(theirs.as_str()) && !theirs.starts_with(ours.as_str()));
            }
        }
    }

    #[test]
    fn whatever_they_are_each_operation_is_sent_once(documents in prop::collection::vec(document(), 1..5)) {
        let operations: Vec<_> = documents.iter().map(|document| Operation::new(document.as_str())).collect();
        let sendings = plan(&operations, Settings::default().with_mutations());
        let mut members: Vec<_> = sendings.iter().flat_map(Sending::members).copied().collect();
        members.sort_unstable();
        prop_assert!(members.into_iter().eq(0..documents.len()));
    }

    #[test]
    fn what_is_sent_for_several_is_understood_itself(documents in prop::collection::vec(document(), 2..5)) {
        let operations: Vec<_> = documents.iter().map(|document| Operation::new(document.as_str())).collect();
        for sending in plan(&operations, Settings::default()).iter().filter(|sending| sending.members().len() > 1) {
            let both = [Operation::new("{ a }"), Operation::new(sending.document())];
            prop_assert_eq!(plan(&both, Settings::default()).len(), 1, "{}", sending.document());
        }
    }
}
