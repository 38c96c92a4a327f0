//! The shortest batch that still fails.

use crate::asked::{Asked, Selection};

/// Takes away one thing after another as long as it fails.
pub fn shrink(
    mut batch: Vec<Asked>,
    mut wrong: String,
    fault: impl Fn(&[Asked]) -> Option<String>,
) -> (Vec<Asked>, String) {
    loop {
        let Some((smaller, now)) =
            smaller(&batch).into_iter().find_map(|batch| fault(&batch).map(|now| (batch, now)))
        else {
            return (batch, wrong);
        };
        (batch, wrong) = (smaller, now);
    }
}

fn smaller(batch: &[Asked]) -> Vec<Vec<Asked>> {
    let mut found = Vec::new();
    for place in 0..batch.len() {
        let mut fewer = batch.to_vec();
        fewer.remove(place);
        found.push(fewer);
        let mut change = |asked: Asked| {
            let mut changed = batch.to_vec();
            changed[place] = asked;
            found.push(changed);
        };
        let asked = &batch[place];
        if asked.other {
            change(Asked { other: false, ..asked.clone() });
        }
        if asked.broken.is_some() {
            change(Asked { broken: None, ..asked.clone() });
        }
        for selections in less(&asked.selections) {
            change(Asked { selections, ..asked.clone() });
        }
        for fragment in 0..asked.fragments.len() {
            for selections in less(&asked.fragments[fragment].selections) {
                let mut asked = asked.clone();
                asked.fragments[fragment].selections = selections;
                change(asked);
            }
        }
    }
    found
}

/// Without one of them, with what is inside of one in its place, with nothing behind one. One is left at least.
fn less(selections: &[Selection]) -> Vec<Vec<Selection>> {
    let mut found = Vec::new();
    for place in 0..selections.len() {
        let mut with = |selection: Option<Selection>| {
            let mut changed = selections.to_vec();
            match selection {
                Some(selection) => changed[place] = selection,
                None => drop(changed.remove(place)),
            }
            found.push(changed);
        };
        let selection = &selections[place];
        if selections.len() > 1 {
            with(None);
        }
        if !selection.behind.is_empty() {
            with(Some(Selection { behind: String::new(), ..selection.clone() }));
        }
        for inside in less(&selection.inside) {
            with(Some(Selection { inside, ..selection.clone() }));
        }
    }
    found
}
