//! Holds what the cache did against what it may do, and what it says that it does.

use crate::answer::compare_fields;
use crate::asks::Asks;
use crate::fields::{self, Fields, has, lines, single, tags};
use crate::message::{Exchange, Response, Turn};
use crate::oracle::{FromMemory, Oracle, is_retrieval, key};
use crate::stored::{Stored, hop_by_hop, may_be_stored, vary};
use crate::verdict::{Fault, Way};

/// What a cache may put in the place of the client's own.
const CONDITIONS: [&str; 6] =
    ["if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"];

#[derive(Clone, Copy, PartialEq, Eq)]
struct Whose {
    is_clients: bool,
    is_caches: bool,
}

impl Oracle {
    pub fn judge(&mut self, turn: &Turn) -> Result<Way, Fault> {
        let way = self.judge_answer(turn)?;
        match (way, &turn.meanwhile[..]) {
            (Way::StaleFromMemory, []) => self.is_to_be_fetched(turn)?,
            (_, []) => {}
            (Way::StaleFromMemory, meanwhile) if turn.request.method == "GET" => {
                self.judge_meanwhile(turn, meanwhile)?;
                return Ok(Way::StaleMeanwhile);
            }
            (_, meanwhile) => {
                return Err(Fault::Unsafe(format!("asked behind the client's back: {meanwhile:?}")));
            }
        }
        Ok(way)
    }

    /// What is given stale is fetched, unless it just was in vain.
    fn is_to_be_fetched(&self, turn: &Turn) -> Result<(), Fault> {
        let asks = Asks::of(&turn.request);
        let own = key(&turn.request.target);
        let was_fetched = self.fetched.iter().any(|(target, at)| *target == own && turn.asked - at <= 11_000);
        let is_plain = turn.request.method == "GET"
            && asks.max_stale.is_none()
            && !asks.only_if_cached
            && !asks.no_store;
        match is_plain && !was_fetched {
            true => Err(Fault::Useless("gave what is stale and did not fetch it".into())),
            false => Ok(()),
        }
    }

    fn judge_meanwhile(&mut self, turn: &Turn, meanwhile: &[Exchange]) -> Result<(), Fault> {
        let mut alone = turn.clone();
        alone.request.fields.retain(|line| !CONDITIONS.contains(&line.0.as_str()));
        for (at, exchange) in meanwhile.iter().enumerate() {
            let whose = self.whose_conditions(&alone, exchange, at == 0)?;
            self.fetched.push((key(&turn.request.target), exchange.received));
            let Some(response) = &exchange.response else { continue };
            if response.status != 304 {
                if at + 1 < meanwhile.len() {
                    return Err(Fault::Unsafe("fetched again although it had an answer".into()));
                }
                // Where a stale one may stand for a failure, it does.
                let is_failure = matches!(response.status, 500 | 502 | 503 | 504);
                let stale = self.for_a_failure(&alone.request, exchange.received, Some(response.status));
                let stands = stale.allowed.iter().any(|&at| self.stored[at].is_certain);
                if !is_failure || stale.allowed.is_empty() {
                    self.learn(&alone, exchange, response, true);
                } else if !stands {
                    self.perhaps_learn(&alone, exchange, response);
                }
                continue;
            }
            let is_last = at + 1 == meanwhile.len();
            let (selected, is_known) = self.selected(&alone, exchange, response);
            // Nobody knows what becomes of one that nobody asked for.
            let is_known = is_known && whose.is_caches;
            for &at in selected.iter().filter(|_| is_last) {
                match is_known {
                    true => self.freshen(at, &alone, exchange, selected.len() == 1),
                    false => self.perhaps_freshen(at, &alone, exchange),
                }
            }
        }
        Ok(())
    }

    fn judge_answer(&mut self, turn: &Turn) -> Result<Way, Fault> {
        let asks = Asks::of(&turn.request);
        let from_memory = self.in_memory(&turn.request, turn.asked);
        if turn.exchanges.is_empty() {
            return self.judge_memory(turn, &asks, &from_memory);
        }
        if asks.only_if_cached && is_retrieval(&turn.request) {
            return Err(Fault::Unsafe("only-if-cached was sent on".into()));
        }
        if from_memory.is_promised {
            let stored = &self.stored[self.newest(&from_memory.allowed).expect("one is promised")];
            return Err(Fault::Useless(format!("asked the origin, with in memory: {:?}", stored.response)));
        }
        self.judge_forwarded(turn)
    }

    fn judge_memory(&self, turn: &Turn, asks: &Asks, from_memory: &FromMemory) -> Result<Way, Fault> {
        let answer = turn.answer.as_ref().ok_or(Fault::Unsafe("failed without a question".into()))?;
        if asks.only_if_cached && answer.status == 504 && answer.fields.is_empty() {
            return match from_memory.is_promised {
                true => Err(Fault::Useless("504, with an answer in memory".into())),
                false => Ok(Way::NothingCached),
            };
        }
        let found = self.one_of(&from_memory.allowed, turn, turn.asked, false).map_err(Fault::Unsafe)?;
        Ok(match answer.status {
            _ if !self.stored[found].is_fresh(self.is_shared, turn.asked) => Way::StaleFromMemory,
            206 | 416 => Way::PartFromMemory,
            304 => Way::NotModifiedFromMemory,
            _ => Way::Memory,
        })
    }

    /// Which of these was given.
    fn one_of(&self, among: &[usize], turn: &Turn, now: i64, is_validated: bool) -> Result<usize, String> {
        let Some(answer) = &turn.answer else { return Err("it failed".into()) };
        let mut differences = Vec::new();
        for &at in among {
            let expected = self.stored[at].answer(self.is_shared, &turn.request, now, is_validated);
            match expected.compare(answer) {
                Ok(()) => return Ok(at),
                Err(difference) => differences.push(difference),
            }
        }
        Err(format!("answered what it may not, {} might be: {}", among.len(), differences.join("; ")))
    }

    fn judge_forwarded(&mut self, turn: &Turn) -> Result<Way, Fault> {
        self.fetched.push((key(&turn.request.target), turn.answered));
        for (at, exchange) in turn.exchanges.iter().enumerate() {
            let (is_first, is_last) = (at == 0, at + 1 == turn.exchanges.len());
            let whose = self.whose_conditions(turn, exchange, is_first)?;
            if let (true, Some(response)) = (whose.is_caches, &exchange.response)
                && response.status == 304
                && let Some(way) = self.judge_304(turn, exchange, response, whose, is_last)?
            {
                return Ok(way);
            } else if is_last {
                return self.judge_last(turn, exchange, is_first);
            } else if exchange.response.as_ref().is_none_or(|response| response.status != 304) {
                return Err(Fault::Unsafe("asked again although it had an answer".into()));
            }
        }
        unreachable!("there is a last one")
    }

    /// A 304 to a question that may be the cache's own. `None` if it goes on.
    fn judge_304(
        &mut self,
        turn: &Turn,
        exchange: &Exchange,
        response: &Response,
        whose: Whose,
        is_last: bool,
    ) -> Result<Option<Way>, Fault> {
        let (selected, is_known) = self.selected(turn, exchange, response);
        if !is_last {
            // What the 304 says now may forbid to keep it, or to use it for this request.
            let stays = |at: usize| {
                let mut renewed = self.stored[at].clone();
                renewed.freshen(self.is_shared, &response.fields, exchange.sent, exchange.received);
                may_be_stored(self.is_shared, &turn.request, &renewed.response)
                    && vary(&renewed.response.fields).is_some()
            };
            if is_known && selected.iter().any(|&at| self.stored[at].is_certain && stays(at)) {
                return Err(Fault::Useless(format!(
                    "asked again after a 304 that means {:?}",
                    self.stored[selected[0]].response
                )));
            }
            return Ok(None);
        }
        let before: Vec<_> = selected.iter().map(|&at| self.stored[at].clone()).collect();
        // It is freshened, whatever may be stored of it.
        for &at in &selected {
            self.stored[at].freshen(self.is_shared, &response.fields, exchange.sent, exchange.received);
        }
        let answered = self.one_of(&selected, turn, turn.answered, true);
        for (&at, before) in selected.iter().zip(before) {
            self.stored[at] = before;
        }
        match answered {
            Ok(answered) => {
                let is_passed = whose.is_clients && is_passed_on(turn, exchange).is_ok();
                for at in selected {
                    match is_known && !is_passed {
                        true => self.freshen(at, turn, exchange, at == answered),
                        false => self.perhaps_freshen(at, turn, exchange),
                    }
                }
                Ok(Some(Way::Validated))
            }
            Err(_) if whose.is_clients && is_passed_on(turn, exchange).is_ok() => {
                for at in selected {
                    self.perhaps_freshen(at, turn, exchange);
                }
                Ok(Some(Way::Forwarded))
            }
            Err(difference) => Err(Fault::Unsafe(format!("after a 304: {difference}"))),
        }
    }

    fn judge_last(&mut self, turn: &Turn, exchange: &Exchange, is_first: bool) -> Result<Way, Fault> {
        let status = exchange.response.as_ref().map(|response| response.status);
        let is_failure = matches!(status, None | Some(500 | 502 | 503 | 504));
        let mut reason = String::new();
        if is_failure {
            let stale = self.for_a_failure(&turn.request, exchange.received, status);
            match self.one_of(&stale.allowed, turn, exchange.received, false) {
                Ok(_) if status.is_none() => return Ok(Way::StaleForNoAnswer),
                Ok(_) => return Ok(Way::StaleForAnError),
                Err(_) if stale.is_promised && is_first && is_passed_on(turn, exchange).is_ok() => {
                    let stored = &self.stored[stale.allowed[0]];
                    return Err(Fault::Useless(format!(
                        "gave on a failure, with in memory: {:?}",
                        stored.response
                    )));
                }
                Err(difference) => reason = difference,
            }
        }
        let Some(response) = &exchange.response else {
            return match turn.answer {
                None => Ok(Way::Failed),
                Some(_) => Err(Fault::Unsafe(reason)),
            };
        };
        let passed = is_passed_on(turn, exchange);
        if passed.is_err() && self.is_held_against(turn, exchange, response) {
            self.learn(turn, exchange, response, false);
            return Ok(Way::Forwarded);
        }
        passed
            .map_err(|difference| Fault::Unsafe(format!("not as the origin said: {difference}; {reason}")))?;
        if response.status == 304 && is_retrieval(&turn.request) {
            for at in self.selected(turn, exchange, response).0 {
                self.perhaps_freshen(at, turn, exchange);
            }
        } else {
            self.learn(turn, exchange, response, turn.is_read);
        }
        Ok(if is_first { Way::Forwarded } else { Way::AskedAgain })
    }

    /// A full answer, held against the conditions that the client has set and the cache has taken out.
    fn is_held_against(&mut self, turn: &Turn, exchange: &Exchange, response: &Response) -> bool {
        let mut alone = Oracle::new(self.is_shared);
        let mut plain = turn.clone();
        plain.request.fields.clear();
        alone.learn(&plain, exchange, response, true);
        alone.one_of(&[0][..alone.stored.len()], turn, turn.answered, true).is_ok()
    }

    /// The request goes on as it is, but for conditions that are made of what is stored.
    fn whose_conditions(&self, turn: &Turn, exchange: &Exchange, is_first: bool) -> Result<Whose, Fault> {
        // The order of fields of different names means nothing.
        let part = |fields: &Fields, of_conditions: bool| -> Fields {
            let mut part: Fields = fields
                .iter()
                .filter(|line| CONDITIONS.contains(&line.0.as_str()) == of_conditions)
                .cloned()
                .collect();
            part.sort_by(|one, other| one.0.cmp(&other.0));
            part
        };
        let (given, sent) = (&turn.request, &exchange.request);
        let is_same = given.method == sent.method && given.target == sent.target;
        if !is_same || part(&given.fields, false) != part(&sent.fields, false) {
            return Err(Fault::Unsafe(format!("asked another thing: {sent:?}")));
        }
        let is_clients = part(&given.fields, true) == part(&sent.fields, true);
        let is_caches = self.is_a_validation(turn, &part(&sent.fields, true));
        let is_without = !is_first && part(&sent.fields, true).is_empty();
        if !is_clients && !is_caches && !is_without {
            return Err(Fault::Unsafe(format!("conditions of nobody: {:?}", sent.fields)));
        }
        if is_first
            && !is_caches
            && let Some(why) = self.is_to_be_validated(turn)
        {
            return Err(Fault::Useless(why));
        }
        Ok(Whose { is_clients, is_caches })
    }

    /// RFC 9111 section 4.3.1.
    fn is_a_validation(&self, turn: &Turn, conditions: &Fields) -> bool {
        // Also of what was invalidated: that is one way to have it validated.
        let known: Vec<&Stored> = self.of_whom(&turn.request).map(|at| &self.stored[at]).collect();
        let only_validators = conditions.iter().all(|line| CONDITIONS[..2].contains(&line.0.as_str()));
        let asked = tags(conditions, "if-none-match");
        let are_known = asked.iter().all(|tag| known.iter().any(|stored| stored.tag() == Some(*tag)));
        let since = single(conditions, "if-modified-since");
        let is_known = since.is_none_or(|since| {
            let mut same =
                known.iter().filter(|stored| lines(&stored.response.fields, "last-modified").eq([since]));
            same.any(|stored| stored.tag().is_none_or(|tag| asked.contains(&tag)))
        });
        is_retrieval(&turn.request)
            && only_validators
            && !conditions.is_empty()
            && is_known
            && are_known
            && lines(conditions, "if-none-match").flat_map(fields::members).count() == asked.len()
    }

    /// Why the cache has to ask about what it has.
    fn is_to_be_validated(&self, turn: &Turn) -> Option<String> {
        let asks = Asks::of(&turn.request);
        let is_precondition =
            ["if-match", "if-unmodified-since"].iter().any(|name| has(&turn.request.fields, name));
        let newest = &self.stored[self.newest(&self.matching(&turn.request))?];
        let is_one = newest.is_certain && newest.response.status == 200 && newest.tag().is_some();
        (turn.request.method == "GET" && is_one && !asks.no_store && !is_precondition)
            .then(|| format!("did not ask about {:?}", newest.response))
    }
}

/// Whether the client got what the origin said.
fn is_passed_on(turn: &Turn, exchange: &Exchange) -> Result<(), String> {
    let (answer, response) = match (&turn.answer, &exchange.response) {
        (None, None) => return Ok(()),
        (Some(answer), Some(response)) => (answer, response),
        _ => return Err("there is an answer to nothing, or none".into()),
    };
    if answer.status != response.status {
        return Err(format!("status {} instead of {}", answer.status, response.status));
    }
    let is_body = answer.body == response.body && (answer.is_whole || !response.is_whole);
    if !is_body && turn.request.method != "HEAD" {
        return Err(format!("body {:?} instead of {:?}", answer.body, response.body));
    }
    let mut free = hop_by_hop(&response.fields);
    // Not of the cache: the body's own length, which clients may write.
    free.push("content-length".into());
    if has(&response.fields, "age") != has(&answer.fields, "age") {
        return Err("an age was added or taken".into());
    }
    compare_fields(&response.fields, answer, exchange.received, &free)
}
