//! When two values of `Accept` and its like ask for the same (RFC 9110 sections 12.4.2 and 12.5).

use crate::fields::{is_token, members};

const NAMES: [&str; 4] = ["accept", "accept-charset", "accept-encoding", "accept-language"];

/// What is asked for, with its weight in thousandths, in an order of its own. None if it is malformed or means two things.
pub fn meaning(name: &str, value: &str) -> Option<Vec<(String, u32)>> {
    let mut asked = Vec::new();
    for member in members(value).into_iter().filter(|member| !member.is_empty()) {
        let mut parts = member.split(';').map(|part| part.trim_matches([' ', '\t']));
        let thing = parts.next()?.to_ascii_lowercase();
        let is_thing = match name {
            "accept" => thing.split_once('/').is_some_and(|(kind, of)| is_token(kind) && is_token(of)),
            _ => NAMES.contains(&name) && is_token(&thing),
        };
        let weight = match (parts.next(), parts.next()) {
            (None, _) => 1000,
            (Some(weight), None) => thousandths(weight.strip_prefix(['q', 'Q'])?.strip_prefix('=')?)?,
            _ => return None,
        };
        if !is_thing {
            return None;
        }
        asked.push((thing, weight));
    }
    asked.sort();
    asked.dedup();
    asked.windows(2).all(|two| two[0].0 != two[1].0).then_some(asked)
}

fn thousandths(weight: &str) -> Option<u32> {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    let is_weight =
        matches!(whole, "0" | "1") && rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = whole.parse::<u32>().ok()? * 1000 + format!("{rest:0<3}").parse::<u32>().ok()?;
    (is_weight && thousandths <= 1000).then_some(thousandths)
}

#[test]
fn what_asks_for_the_same_means_the_same() {
    let same = |one: &str, other: &str| {
        let one = meaning("accept-language", one);
        one.is_some() && one == meaning("accept-language", other)
    };
    assert!(same("en, de", "DE;q=1.000 ,, en"));
    assert!(!same("en, de", "de"));
    assert!(!same("en, de;q=0.5", "en, de"));
    assert!(!same("en;q=2", "en;q=2"));
    assert!(!same("en;q=0.5, en", "en;q=0.5, en"));
}
