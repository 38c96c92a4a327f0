//! Operations by chance.

use serde_json::{Value, json};

use crate::asked::{Asked, Broken, Fragment, Selection, Variable, What};
use crate::chance::Chance;

/// Name, arguments, and the type of what has fields.
type Field = (&'static str, &'static [(&'static str, &'static str)], Option<&'static str>);

const QUERY: &[Field] = &[
    ("__typename", &[], None),
    ("number", &[("n", "Int")], None),
    ("text", &[("of", "String!")], None),
    ("echo", &[("filter", "Filter"), ("colour", "Colour"), ("list", "[Int]")], None),
    ("nothing", &[], None),
    ("maybe", &[("fail", "Boolean")], None),
    ("must", &[("fail", "Boolean")], None),
    ("node", &[("n", "Int")], Some("Node")),
    ("sure", &[("n", "Int")], Some("Node")),
    ("named", &[("n", "Int")], Some("Named")),
    ("any", &[], Some("Any")),
    ("query", &[], Some("Query")),
];

const NODE: &[Field] = &[
    ("__typename", &[], None),
    ("id", &[], None),
    ("name", &[], None),
    ("maybe", &[("fail", "Boolean")], None),
    ("must", &[("fail", "Boolean")], None),
    ("parent", &[], Some("Node")),
    ("children", &[("n", "Int")], Some("Node")),
    ("query", &[], Some("Query")),
];

const LEAF: &[Field] =
    &[("__typename", &[], None), ("id", &[], None), ("name", &[], None), ("colour", &[], None)];
const NAMED: &[Field] = &[("__typename", &[], None), ("id", &[], None), ("name", &[], None)];
const ANY: &[Field] = &[("__typename", &[], None)];

fn fields(on: &str) -> &'static [Field] {
    match on {
        "Query" => QUERY,
        "Node" => NODE,
        "Leaf" => LEAF,
        "Named" => NAMED,
        _ => ANY,
    }
}

/// The types that a fragment inside of this one may be on.
fn within(on: &str) -> &'static [&'static str] {
    match on {
        "Query" => &["Query"],
        "Node" => &["Node", "Named"],
        "Leaf" => &["Leaf", "Named"],
        _ => &["Node", "Leaf", "Named"],
    }
}

pub fn batch(seed: u64) -> Vec<Asked> {
    let mut chance = Chance::of(seed);
    // Most batches fail rarely, and some often.
    let fails = if chance.percent(80) { 15 } else { 60 };
    (0..2 + chance.below(5))
        .map(|_| Maker { asked: Asked::default(), aliases: 0, fails, chance: &mut chance }.make())
        .collect()
}

struct Maker<'a> {
    asked: Asked,
    aliases: usize,
    /// In a hundred.
    fails: usize,
    chance: &'a mut Chance,
}

impl Maker<'_> {
    fn make(mut self) -> Asked {
        for _ in 0..self.chance.below(4) {
            // One is made after those that it may spread.
            let on = self.chance.one(&["Query", "Query", "Node", "Leaf", "Named"]);
            let selections = self.selections(on, 2);
            self.asked.fragments.push(Fragment { on, selections });
        }
        self.asked.selections = self.selections("Query", 3);
        // The server takes directives away before it validates, and then their variables have no use.
        for (place, variable) in self.asked.variables.iter().enumerate() {
            if variable.ty == "Boolean!" {
                let what = What::Field(format!("used{place}: same(as: $v{place})"));
                self.asked.selections.push(Selection { what, behind: String::new(), inside: Vec::new() });
            }
        }
        if self.chance.percent(40) {
            self.asked.name = Some("Name".to_owned());
            self.asked.other = self.chance.percent(20);
        }
        if self.chance.percent(5) {
            self.asked.broken = Some(*self.chance.one(&Broken::ALL));
        }
        self.asked
    }

    fn selections(&mut self, on: &'static str, depth: usize) -> Vec<Selection> {
        let mut selections = Vec::new();
        for _ in 0..1 + self.chance.below(3) {
            let selection = self.selection(on, depth);
            selections.push(selection);
            if self.chance.percent(5) {
                selections.extend(selections.last().cloned());
            }
        }
        selections
    }

    fn selection(&mut self, on: &'static str, depth: usize) -> Selection {
        let behind = self.behind();
        if depth > 0 && self.chance.percent(15) {
            let inner = *self.chance.one(within(on));
            let inside = self.selections(inner, depth - 1);
            let on =
                if self.chance.percent(30) && inner == on { String::new() } else { format!(" on {inner}") };
            return Selection { what: What::Inline(on), behind, inside };
        }
        let fragments = self.asked.fragments.iter().enumerate();
        let fitting: Vec<_> = fragments
            .filter(|(_, fragment)| within(on).contains(&fragment.on))
            .map(|(place, _)| place)
            .collect();
        if !fitting.is_empty() && self.chance.percent(35) {
            return Selection { what: What::Spread(*self.chance.one(&fitting)), behind, inside: Vec::new() };
        }
        let flat: Vec<_> = fields(on).iter().filter(|field| depth > 0 || field.2.is_none()).collect();
        let (name, arguments, of) = **self.chance.one(&flat);
        let text = self.field(name, arguments);
        let inside = of.map(|of| self.selections(of, depth - 1)).unwrap_or_default();
        Selection { what: What::Field(text), behind, inside }
    }

    fn field(&mut self, name: &str, arguments: &[(&str, &'static str)]) -> String {
        let needed = arguments.iter().any(|(_, ty)| ty.ends_with('!'));
        // Without an alias it has no arguments, and so the same meaning wherever it is.
        if !needed && self.chance.percent(40) {
            return name.to_owned();
        }
        self.aliases += 1;
        let alias = match self.chance.below(10) {
            0 => format!("query0_a{}", self.aliases),
            1 => format!("__a{}", self.aliases),
            _ => format!("a{}", self.aliases),
        };
        let mut given = Vec::new();
        for (argument, ty) in arguments {
            if ty.ends_with('!') || self.chance.percent(70) {
                given.push(format!("{argument}: {}", self.value(ty)));
            }
        }
        let given = if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) };
        format!("{alias}: {name}{given}")
    }

    fn behind(&mut self) -> String {
        let mut behind = String::new();
        for directive in ["include", "skip"] {
            if self.chance.percent(8) {
                let condition = self.value("Boolean!");
                behind.push_str(&format!(" @{directive}(if: {condition})"));
            }
        }
        match self.chance.below(20) {
            0 => behind.push_str(" # a comment: { $x ...F0\n"),
            1 => behind.push_str(" \u{feff}\t\n"),
            _ => {}
        }
        behind
    }

    /// A literal, or a variable of that type.
    fn value(&mut self, ty: &'static str) -> String {
        if !self.chance.percent(50) {
            return self.literal(ty);
        }
        let variables = self.asked.variables.iter().enumerate();
        let same: Vec<_> =
            variables.filter(|(_, variable)| variable.ty == ty).map(|(place, _)| place).collect();
        if !same.is_empty() && self.chance.percent(70) {
            return format!("$v{}", self.chance.one(&same));
        }
        let default = self.chance.percent(40).then(|| self.constant(ty));
        let value = if ty.ends_with('!') && default.is_none() || self.chance.percent(60) {
            Some(self.json(ty))
        } else {
            None
        };
        self.asked.variables.push(Variable { ty, default, value });
        format!("$v{}", self.asked.variables.len() - 1)
    }

    fn literal(&mut self, ty: &str) -> String {
        match (ty, self.chance.below(6)) {
            ("Filter", 0) => format!("{{inner: {{inner: {{least: {}}}}}, tags: null}}", self.value("Int")),
            ("[Int]", 0) => format!("[1, {}, null]", self.value("Int")),
            _ => self.constant(ty),
        }
    }

    fn constant(&mut self, ty: &str) -> String {
        match ty {
            "Boolean" => self.chance.percent(self.fails).to_string(),
            "Boolean!" => self.chance.percent(70).to_string(),
            "String!" => (*self.chance.one(&[
                r#""""#,
                r#""$x ...F0 {""#,
                r#"""" a "b" # \""" """"#,
                r#""\u00e9 é 🦀""#,
                r#""warn""#,
            ]))
            .to_owned(),
            "Filter" => (*self.chance.one(&["{}", "{name: \"$x\", tags: [\"F0\", \"}\"]}"])).to_owned(),
            "Colour" => (*self.chance.one(&["RED", "GREEN", "null"])).to_owned(),
            "[Int]" => "[1]".to_owned(),
            _ => (*self.chance.one(&["0", "1", "-3", "null"])).to_owned(),
        }
    }

    fn json(&mut self, ty: &str) -> Value {
        let number = self.chance.below(4);
        match ty {
            "Boolean" => json!(self.chance.percent(self.fails)),
            "Boolean!" => json!(self.chance.percent(70)),
            "String!" => json!(self.chance.one(&["", "$v0", "é \"quoted\" \n"])),
            "Filter" => json!({ "name": "n", "inner": { "least": number } }),
            "Colour" => json!(self.chance.one(&[Some("RED"), None])),
            "[Int]" => json!([number, null]),
            _ => json!(self.chance.one(&[Some(0), Some(1), Some(2), None])),
        }
    }
}
