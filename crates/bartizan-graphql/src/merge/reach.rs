use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use apollo_parser::cst::{
    CstNode, Directive, FragmentDefinition, Name, OperationDefinition, Selection, SelectionSet, Variable,
};
use apollo_parser::{SyntaxNode, SyntaxToken};

use super::part::{Insertion, Part};

/// A fragment as it is spread: at the root, or below.
type Spread = (String, bool);

/// What an operation needs: itself, and the fragments that it spreads, those that they spread, and so on.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) selections: Part,
    /// Each once for the root and once for below, as far as it is spread there.
    pub(super) fragments: Vec<Part>,
    pub(super) variables: HashSet<String>,
}

impl Reach {
    /// `None` if a fragment is missing or spreads itself, or something stands there that cannot share a request.
    pub(super) fn of(
        operation: &OperationDefinition,
        definitions: &HashMap<String, FragmentDefinition>,
    ) -> Option<Self> {
        let set = operation.selection_set()?;
        let mut scan = Scan::of(set.syntax(), &set, true)?;
        let inner = end(&set.l_curly_token()?)..start(&set.r_curly_token()?);
        let selections = Part::new(inner, scan.insertions);
        let (mut variables, mut found) = (scan.variables, BTreeMap::<Spread, Vec<Spread>>::new());
        let mut fragments = Vec::new();
        let mut waiting = scan.spreads;
        while let Some(spread) = waiting.pop() {
            if found.contains_key(&spread) {
                continue;
            }
            let (name, at_root) = &spread;
            let definition = definitions.get(name)?;
            let set = definition.selection_set()?;
            scan = Scan::of(definition.syntax(), &set, *at_root)?;
            let insertion = if *at_root { Insertion::AtRoot } else { Insertion::Own };
            scan.insertions.push((start_of(&definition.fragment_name()?.name()?)?, insertion));
            let whole = start(&definition.fragment_token()?)..end(&set.r_curly_token()?);
            fragments.push(Part::new(whole, scan.insertions));
            variables.extend(scan.variables);
            waiting.extend(scan.spreads.iter().cloned());
            found.insert(spread, scan.spreads);
        }
        ends(found).then_some(Self { selections, fragments, variables })
    }
}

/// Whether no fragment spreads itself: one that spreads none, or only such as are taken away, is taken away until none is left.
fn ends(mut spreads: BTreeMap<Spread, Vec<Spread>>) -> bool {
    let mut users: BTreeMap<Spread, usize> = BTreeMap::new();
    for spread in spreads.values().flatten() {
        *users.entry(spread.clone()).or_default() += 1;
    }
    let mut unused: Vec<_> = spreads.keys().filter(|spread| !users.contains_key(*spread)).cloned().collect();
    while let Some(spread) = unused.pop() {
        for used in spreads.remove(&spread).unwrap_or_default() {
            let count = users.get_mut(&used).expect("it was counted");
            *count -= 1;
            if *count == 0 {
                unused.push(used);
            }
        }
    }
    spreads.is_empty()
}

/// What stands in one definition.
struct Scan {
    insertions: Vec<(usize, Insertion)>,
    spreads: Vec<Spread>,
    variables: HashSet<String>,
}

impl Scan {
    fn of(definition: &SyntaxNode, set: &SelectionSet, at_root: bool) -> Option<Self> {
        let mut scan = Self { insertions: Vec::new(), spreads: Vec::new(), variables: HashSet::new() };
        for node in definition.descendants() {
            if let Some(variable) = Variable::cast(node.clone()) {
                let name = variable.name()?;
                scan.insertions.push((start_of(&name)?, Insertion::Own));
                scan.variables.insert(name.text().to_string());
            } else if let Some(directive) = Directive::cast(node) {
                // The answer would come in pieces.
                if matches!(directive.name()?.text().as_str(), "defer" | "stream") {
                    return None;
                }
            }
        }
        scan.selections(set, at_root)?;
        Some(scan)
    }

    fn selections(&mut self, set: &SelectionSet, at_root: bool) -> Option<()> {
        for selection in set.selections() {
            match selection {
                Selection::Field(field) => {
                    if at_root {
                        self.insertions.push(match field.alias() {
                            Some(alias) => (start_of(&alias.name()?)?, Insertion::Own),
                            None => {
                                let name = span(&field.name()?)?;
                                (name.start, Insertion::Alias(name))
                            }
                        });
                    }
                    if let Some(set) = field.selection_set() {
                        self.selections(&set, false)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name()?.name()?;
                    let insertion = if at_root { Insertion::AtRoot } else { Insertion::Own };
                    self.insertions.push((start_of(&name)?, insertion));
                    self.spreads.push((name.text().to_string(), at_root));
                }
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.selection_set()?, at_root)?;
                }
            }
        }
        Some(())
    }
}

/// Where a name stands, without what is skipped around it.
pub(super) fn span(name: &Name) -> Option<Range<usize>> {
    let token = name.ident_token()?;
    Some(start(&token)..end(&token))
}

pub(super) fn start_of(name: &Name) -> Option<usize> {
    Some(span(name)?.start)
}

pub(super) fn start(token: &SyntaxToken) -> usize {
    token.text_range().start().into()
}

pub(super) fn end(token: &SyntaxToken) -> usize {
    token.text_range().end().into()
}
