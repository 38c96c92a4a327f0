//! An operation as it is made up, and its document. What is not used any more is not defined either, so that taking something away leaves it valid.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value};

#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub name: Option<String>,
    pub variables: Vec<Variable>,
    pub selections: Vec<Selection>,
    pub fragments: Vec<Fragment>,
    /// Another operation in the document.
    pub other: bool,
    pub broken: Option<Broken>,
}

#[derive(Clone, Debug)]
pub struct Variable {
    pub ty: &'static str,
    pub default: Option<String>,
    pub value: Option<Value>,
}

#[derive(Clone, Debug)]
pub struct Fragment {
    pub on: &'static str,
    pub selections: Vec<Selection>,
}

#[derive(Clone, Debug)]
pub struct Selection {
    pub what: What,
    /// Directives, and a comment or the like.
    pub behind: String,
    pub inside: Vec<Selection>,
}

#[derive(Clone, Debug)]
pub enum What {
    /// Alias, name and arguments as they are written.
    Field(String),
    /// On a type, or on none.
    Inline(String),
    Spread(usize),
}

#[derive(Clone, Copy, Debug)]
pub enum Broken {
    Unclosed,
    UnknownField,
    WrongArgument,
    Unused,
    Undefined,
    NoValue,
    Cycle,
    TypeOfFragment,
}

impl Broken {
    pub const ALL: [Self; 8] = [
        Self::Unclosed,
        Self::UnknownField,
        Self::WrongArgument,
        Self::Unused,
        Self::Undefined,
        Self::NoValue,
        Self::Cycle,
        Self::TypeOfFragment,
    ];
}

impl Asked {
    pub fn document(&self) -> String {
        let mut body = String::new();
        write(&self.selections, &mut body);
        let mut fragments = String::new();
        let (mut written, mut waiting) = (BTreeSet::new(), spreads(&self.selections));
        while let Some(place) = waiting.pop() {
            if written.insert(place) {
                let fragment = &self.fragments[place];
                let _ = write!(fragments, "\nfragment F{place} on {} {{", fragment.on);
                write(&fragment.selections, &mut fragments);
                fragments.push('}');
                waiting.extend(spreads(&fragment.selections));
            }
        }
        let mut definitions = String::new();
        for (place, variable) in self.variables.iter().enumerate() {
            let name = format!("$v{place}");
            if uses(&body, &name) || uses(&fragments, &name) {
                let _ = write!(definitions, "{name}: {}", variable.ty);
                if let Some(default) = &variable.default {
                    let _ = write!(definitions, " = {default}");
                }
                definitions.push_str(", ");
            }
        }
        let mut tail = String::new();
        match self.broken {
            None => {}
            Some(Broken::Unclosed) => body.push('{'),
            Some(Broken::UnknownField) => body.push_str(" unknown"),
            Some(Broken::WrongArgument) => body.push_str(" wrong: number(n: \"one\")"),
            Some(Broken::Unused) => tail.push_str(" fragment Unused on Query { number }"),
            Some(Broken::Undefined) => body.push_str(" undefined: number(n: $undefined)"),
            Some(Broken::NoValue) => {
                definitions.push_str("$needed: Int!");
                body.push_str(" needed: number(n: $needed)");
            }
            Some(Broken::Cycle) => {
                body.push_str(" ...Cycle");
                tail.push_str(" fragment Cycle on Query { query { ...Cycle } }");
            }
            Some(Broken::TypeOfFragment) => body.push_str(" ... on Node { id }"),
        }
        if self.other {
            // Its variable has a name of its own, since the server validates it with the values of this one.
            tail.push_str(
                " query Other($other: Int) { number(n: $other) ...Others } fragment Others on Query { nothing }",
            );
        }
        let definitions = if definitions.is_empty() { definitions } else { format!("({definitions})") };
        match &self.name {
            Some(name) => format!("query {name}{definitions} {{{body}}}{fragments}{tail}"),
            None if definitions.is_empty() => format!("{{{body}}}{fragments}{tail}"),
            None => format!("query{definitions} {{{body}}}{fragments}{tail}"),
        }
    }

    pub fn values(&self) -> Value {
        let values = self.variables.iter().enumerate();
        let given =
            values.filter_map(|(place, variable)| Some((format!("v{place}"), variable.value.clone()?)));
        Value::Object(given.collect::<Map<_, _>>())
    }
}

fn uses(text: &str, name: &str) -> bool {
    text.match_indices(name)
        .any(|(at, _)| !text[at + name.len()..].starts_with(|next: char| next.is_ascii_digit()))
}

fn spreads(selections: &[Selection]) -> Vec<usize> {
    let mut found = Vec::new();
    for selection in selections {
        if let What::Spread(place) = selection.what {
            found.push(place);
        }
        found.extend(spreads(&selection.inside));
    }
    found
}

fn write(selections: &[Selection], out: &mut String) {
    for Selection { what, behind, inside } in selections {
        let _ = match what {
            What::Field(text) => write!(out, " {text}{behind}"),
            What::Inline(on) => write!(out, " ...{on}{behind}"),
            What::Spread(place) => write!(out, " ...F{place}{behind}"),
        };
        if !inside.is_empty() {
            out.push('{');
            write(inside, out);
            out.push('}');
        }
    }
    out.push(' ');
}
