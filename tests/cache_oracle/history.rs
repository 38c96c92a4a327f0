//! Random histories, each of which its seed alone decides.

use std::fmt;

use bartizan_core::Chance;

use crate::fields::Fields;
use crate::words;

/// What is asked in turn, and what the origin would say.
#[derive(Clone)]
pub struct History {
    pub is_shared: bool,
    pub steps: Vec<Step>,
}

#[derive(Clone)]
pub struct Step {
    /// How long nothing happens before, in milliseconds.
    pub wait: u64,
    pub method: &'static str,
    pub target: &'static str,
    pub fields: Fields,
    /// Whether the client reads the body to its end.
    pub is_read: bool,
    /// What the origin says to the first question, and to all that follow it.
    pub answers: [Answer; 2],
}

#[derive(Clone)]
pub struct Answer {
    /// How long it takes, in milliseconds.
    pub delay: u64,
    /// It is not reached without it.
    pub said: Option<Said>,
}

#[derive(Clone)]
pub struct Said {
    pub status: u16,
    pub fields: Fields,
    /// Whether it answers a condition that holds with a 304.
    pub heeds_conditions: bool,
    /// Whether the body breaks off.
    pub breaks_off: bool,
}

const STEPS: usize = 30;

impl History {
    pub fn of(seed: u64) -> Self {
        let dice = Dice(Chance::from_seed(seed));
        let is_shared = dice.one_in(3);
        // With few kinds of answers in one history the same ones meet more often.
        let kinds = 3 + dice.below(10);
        Self { is_shared, steps: (0..STEPS).map(|_| Step::of(&dice, kinds)).collect() }
    }
}

impl Step {
    fn of(dice: &Dice, kinds: usize) -> Self {
        let method = if dice.one_in(4) { dice.of(words::METHODS) } else { "GET" };
        Self {
            wait: dice.of(words::WAITS),
            method,
            target: dice.of(words::TARGETS),
            fields: dice.fields(words::REQUEST, if dice.one_in(3) { 0 } else { 3 }),
            is_read: !dice.one_in(20),
            answers: [Answer::of(dice, kinds), Answer::of(dice, kinds)],
        }
    }
}

impl Answer {
    fn of(dice: &Dice, kinds: usize) -> Self {
        let said = Said {
            status: dice.of(words::STATUSES),
            fields: dice.answered(kinds),
            heeds_conditions: !dice.one_in(4),
            breaks_off: dice.one_in(40),
        };
        Self { delay: dice.of(words::DELAYS), said: Some(said).filter(|_| !dice.one_in(12)) }
    }
}

struct Dice(Chance);

impl Dice {
    fn below(&self, end: usize) -> usize {
        (self.0.next_u64() % end as u64) as usize
    }

    fn one_in(&self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    fn of<T: Copy>(&self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    /// Up to `most` lines.
    fn fields(&self, among: &[(&str, &[&str])], most: usize) -> Fields {
        (0..self.below(most + 1))
            .map(|_| {
                let (name, values) = self.of(among);
                (name.to_string(), self.of(values).to_string())
            })
            .collect()
    }

    fn answered(&self, kinds: usize) -> Fields {
        let mut fields = Fields::new();
        if !self.one_in(6) {
            fields.push(("date".into(), self.of(words::DATES).into()));
        }
        match self.below(6) {
            0 => {}
            1 | 2 => fields.push(("cache-control".into(), self.of(words::FRESH).into())),
            _ => fields.push(("cache-control".into(), self.of(words::CACHE_CONTROL).into())),
        }
        if self.one_in(2) {
            fields.push(("etag".into(), self.of(words::TAGS).into()));
        }
        fields.extend(self.fields(&words::RESPONSE[..kinds.min(words::RESPONSE.len())], 4));
        fields
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "a {} cache", if self.is_shared { "shared" } else { "private" })?;
        for step in &self.steps {
            let read = if step.is_read { "" } else { ", unread" };
            writeln!(f, "+{} ms: {} {} {:?}{read}", step.wait, step.method, step.target, step.fields)?;
            for answer in &step.answers {
                writeln!(f, "    {answer}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} ms: ", self.delay)?;
        match &self.said {
            None => f.write_str("not reached"),
            Some(said) => {
                let heeds = if said.heeds_conditions { ", or 304" } else { "" };
                let breaks = if said.breaks_off { ", breaks off" } else { "" };
                write!(f, "{}{heeds} {:?}{breaks}", said.status, said.fields)
            }
        }
    }
}
