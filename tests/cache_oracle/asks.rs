//! What the directives of a request ask for (RFC 9111 section 5.2.1). What is malformed asks for the most.

use crate::dates;
use crate::fields::{Directive, Seconds, directives, has, lines, seconds, single};
use crate::message::Request;
use crate::stored::{SECOND, Stored};

pub struct Asks {
    pub no_cache: bool,
    pub no_store: bool,
    pub only_if_cached: bool,
    pub max_age: Option<i64>,
    min_fresh: Option<i64>,
    /// By how much it may be stale.
    pub max_stale: Option<i64>,
    pub stale_if_error: Option<i64>,
    /// Whether it has conditions that only the origin can hold against what it has.
    pub is_conditional: bool,
}

impl Asks {
    pub fn of(request: &Request) -> Self {
        let directives = directives(&request.fields, "cache-control");
        let says = |name: &str| directives.iter().any(|directive| directive.name == name);
        let is_pragma = !has(&request.fields, "cache-control")
            && lines(&request.fields, "pragma").any(|line| line.to_ascii_lowercase().contains("no-cache"));
        let unmodified =
            single(&request.fields, "if-unmodified-since").and_then(|text| dates::parse(text, 0));
        Self {
            no_cache: says("no-cache") || is_pragma,
            no_store: says("no-store"),
            only_if_cached: says("only-if-cached"),
            max_age: seconds(&directives, "max-age").map(|given| or(given, 0)),
            min_fresh: directives.iter().filter(|directive| directive.name == "min-fresh").map(most).max(),
            max_stale: max_stale(&directives),
            stale_if_error: permitted(&directives, "stale-if-error"),
            is_conditional: has(&request.fields, "if-match") || unmodified.is_some(),
        }
    }

    /// Where there is no success conditions mean nothing (RFC 9110 section 13.2.1).
    pub fn is_for_the_origin(&self, stored: &Stored) -> bool {
        self.is_conditional && (200..300).contains(&stored.response.status)
    }

    /// RFC 5861 section 3: whether it may be given while the origin is asked.
    pub fn are_met_meanwhile(&self, stored: &Stored, is_shared: bool, now: i64) -> bool {
        let by = stored.staleness(is_shared, now);
        let within = permitted(&stored.directives, "stale-while-revalidate");
        !self.no_cache
            && !self.is_for_the_origin(stored)
            && self.max_age.is_none()
            && self.min_fresh.is_none()
            && stored.may_be_stale(is_shared)
            && within.is_some_and(|within| by < within)
    }

    /// Whether they have it answered from memory, without a question to the origin.
    pub fn are_met_by(&self, stored: &Stored, is_shared: bool, now: i64) -> bool {
        let (age, lifetime) = (stored.age(now), stored.lifetime(is_shared));
        let is_fresh = stored.is_fresh(is_shared, now);
        let by = if stored.is_known_stale { (age - lifetime).max(0) } else { age - lifetime };
        let is_stale_enough = stored.may_be_stale(is_shared) && self.max_stale.is_some_and(|most| by <= most);
        // RFC 8246: a reload asks for nothing new.
        let is_immutable =
            is_fresh && !is_shared && stored.directives.iter().any(|directive| directive.name == "immutable");
        !self.no_cache
            && !self.is_for_the_origin(stored)
            && (is_immutable || self.max_age.is_none_or(|most| age <= most))
            && self.min_fresh.is_none_or(|least| lifetime - age >= least)
            && (is_fresh || is_stale_enough)
    }
}

fn or(given: Seconds, otherwise: i64) -> i64 {
    match given {
        Seconds::Invalid => otherwise,
        Seconds::Are(seconds) => seconds * SECOND,
    }
}

fn most(directive: &Directive) -> i64 {
    seconds(std::slice::from_ref(directive), &directive.name).map_or(0, |given| or(given, i64::MAX))
}

fn max_stale(directives: &[Directive]) -> Option<i64> {
    let found = directives.iter().filter(|directive| directive.name == "max-stale");
    found
        .map(|directive| match &directive.argument {
            None if directive.is_well_formed => i64::MAX,
            _ => seconds(std::slice::from_ref(directive), "max-stale").map_or(-1, |given| or(given, -1)),
        })
        .min()
        .filter(|most| *most >= 0)
}

/// What permits does only as it is defined.
pub fn permitted(directives: &[Directive], name: &str) -> Option<i64> {
    seconds(directives, name).map(|given| or(given, 0))
}
