//! What a cache that has seen all this may have stored, and may answer from it: RFC 9111 sections 3 and 4.

use crate::asks::{Asks, permitted};
use crate::fields::{self, Fields, directives, has, lines, single};
use crate::message::{Exchange, Request, Response, Turn};
use crate::stored::{SECOND, Stored, date, date_of, is_explicit, may_be_stored, stored_fields, vary};

const DAY: i64 = 24 * 3600 * SECOND;

pub struct Oracle {
    pub is_shared: bool,
    pub stored: Vec<Stored>,
    stored_so_far: usize,
    /// When what was last asked behind a client's back.
    pub fetched: Vec<(String, i64)>,
}

/// What may be answered from memory.
pub struct FromMemory {
    pub allowed: Vec<usize>,
    /// Whether the cache says that it does.
    pub is_promised: bool,
}

impl Oracle {
    pub fn new(is_shared: bool) -> Self {
        Self { is_shared, stored: Vec::new(), stored_so_far: 0, fetched: Vec::new() }
    }

    pub fn in_memory(&self, request: &Request, now: i64) -> FromMemory {
        let asks = Asks::of(request);
        let matching = if is_retrieval(request) { self.matching(request) } else { Vec::new() };
        let those = |is_met: &dyn Fn(&Stored) -> bool| -> Vec<usize> {
            let may_be = |stored: &Stored| !stored.must_always_be_validated() && is_met(stored);
            matching.iter().copied().filter(|&at| may_be(&self.stored[at])).collect()
        };
        let is_meanwhile = |stored: &Stored| {
            !stored.is_fresh(self.is_shared, now) && asks.are_met_meanwhile(stored, self.is_shared, now)
        };
        let meanwhile = those(&is_meanwhile);
        let as_they_are =
            those(&|stored| asks.are_met_by(stored, self.is_shared, now) && !is_meanwhile(stored));
        let mut chosen = self.chosen(&matching, &as_they_are, &[&as_they_are[..], &meanwhile].concat());
        chosen.is_promised &= !asks.is_conditional;
        chosen
    }

    /// What may answer for an origin that failed: with `status`, or without one if it was not reached.
    pub fn for_a_failure(&self, request: &Request, now: i64, status: Option<u16>) -> FromMemory {
        let asks = Asks::of(request);
        let matching = if is_retrieval(request) { self.matching(request) } else { Vec::new() };
        let reach = |stored: &Stored| {
            let own = permitted(&stored.directives, "stale-if-error");
            match status {
                None => own.or(asks.stale_if_error).unwrap_or(DAY).max(asks.stale_if_error.unwrap_or(0)),
                Some(_) => own.unwrap_or(-1).max(asks.stale_if_error.unwrap_or(-1)),
            }
        };
        let answering: Vec<usize> = matching
            .iter()
            .copied()
            .filter(|&at| {
                let stored = &self.stored[at];
                let by = stored.staleness(self.is_shared, now).max(0);
                !asks.is_for_the_origin(stored)
                    && (stored.may_be_stale(self.is_shared) || stored.is_fresh(self.is_shared, now))
                    && !stored.must_always_be_validated()
                    && by <= reach(stored)
            })
            .collect();
        let may_forbid = ["cache-control", "pragma", "if-match", "if-unmodified-since"];
        let is_plain = !may_forbid.iter().any(|name| has(&request.fields, name));
        // What is fresh and must not be stale may stand for a failure, and need not.
        let may_be_stale = |at: &usize| self.stored[*at].may_be_stale(self.is_shared);
        let preferred: Vec<usize> = answering.iter().copied().filter(may_be_stale).collect();
        let mut chosen = self.chosen(&matching, &preferred, &answering);
        chosen.is_promised &= is_plain;
        chosen
    }

    /// Of those that match, and of them that may answer without being asked for meanwhile, or at all: RFC 9111 sections 4 and 4.1, the end of each.
    fn chosen(&self, matching: &[usize], as_they_are: &[usize], answering: &[usize]) -> FromMemory {
        let varies = |at: usize| vary(&self.stored[at].response.fields).is_none_or(|names| !names.is_empty());
        let varying: Vec<usize> = matching.iter().copied().filter(|&at| varies(at)).collect();
        let is_newest = |at: usize, among: &[usize]| {
            let newest = &self.stored[at];
            self.newest(among) == Some(at)
                && among.iter().all(|&other| self.stored[other].date <= newest.date)
        };
        // A more recent one answers in its place, unless that one says nothing of what it varies by.
        let is_outdone = |at: usize| {
            let stored = &self.stored[at];
            matching.iter().any(|&by| {
                let other = &self.stored[by];
                let is_newer = other.number > stored.number && other.date >= stored.date;
                let is_preferred = !varies(at)
                    && as_they_are.contains(&by)
                    && is_newest(by, &varying)
                    && !other.is_known_stale;
                other.is_certain && (is_newer && (varies(by) || !varies(at)) || is_preferred)
            })
        };
        let allowed = answering.iter().copied().filter(|&at| !is_outdone(at)).collect();
        let is_promised = answering.iter().any(|&at| {
            let stored = &self.stored[at];
            stored.is_certain
                && !stored.is_known_stale
                && (is_newest(at, matching) || as_they_are.contains(&at) && is_newest(at, &varying))
        });
        FromMemory { allowed, is_promised }
    }

    pub fn newest(&self, among: &[usize]) -> Option<usize> {
        among.iter().copied().max_by_key(|&at| self.stored[at].number)
    }

    /// The most recent one, in all shapes that it may have, and whether it is known to be that one.
    fn newest_of(&self, among: Vec<usize>) -> (Vec<usize>, bool) {
        let newest = among.iter().max_by_key(|&&at| (self.stored[at].date, self.stored[at].number));
        let is_it = |at: usize| newest.is_some_and(|&newest| self.stored[newest].id == self.stored[at].id);
        let in_its_shapes: Vec<usize> = among.iter().copied().filter(|&at| is_it(at)).collect();
        let is_certain = among.iter().all(|&at| self.stored[at].is_certain);
        if is_certain || in_its_shapes.len() == among.len() { (in_its_shapes, true) } else { (among, false) }
    }

    /// Everything of the target and the principal that nothing has invalidated.
    pub fn of_the_target(&self, request: &Request) -> Vec<usize> {
        self.of_whom(request).filter(|&at| !self.stored[at].is_gone).collect()
    }

    /// So too, with those that something has invalidated.
    pub fn of_whom(&self, request: &Request) -> impl Iterator<Item = usize> {
        let (target, principal) = (key(&request.target), self.principal(request));
        let is_of = move |stored: &Stored| stored.target == target && stored.principal == principal;
        (0..self.stored.len()).filter(move |&at| is_of(&self.stored[at]))
    }

    pub fn matching(&self, request: &Request) -> Vec<usize> {
        self.of_the_target(request).into_iter().filter(|&at| self.stored[at].varies_to(request)).collect()
    }

    /// A private cache is one for each.
    fn principal(&self, request: &Request) -> Option<String> {
        if self.is_shared { None } else { crate::stored::normal(&request.fields, "authorization") }
    }

    /// Which of the stored responses a 304 is about (RFC 9111 section 4.3.4), and whether it is known that it is all of them.
    pub fn selected(&self, turn: &Turn, exchange: &Exchange, response: &Response) -> (Vec<usize>, bool) {
        let mut initial = self.matching(&turn.request);
        initial.sort_by_key(|&at| (self.stored[at].date, self.stored[at].number));
        let such = |is_meant: &dyn Fn(&Stored) -> bool| -> Vec<usize> {
            initial.iter().copied().filter(|&at| is_meant(&self.stored[at])).collect()
        };
        if let Some(tag) = single(&response.fields, "etag").and_then(fields::tag) {
            if !tag.0 {
                return (such(&|stored| stored.tag() == Some(tag)), true);
            }
            return self.newest_of(such(&|stored| stored.tag().is_some_and(|own| own.1 == tag.1)));
        }
        let date = date_of(&response.fields, "last-modified", exchange.received);
        if let Some(date) = date.filter(|_| single(&response.fields, "last-modified").is_some()) {
            return self.newest_of(such(&|stored| stored.single_last_modified() == Some(date)));
        }
        // The only one is meant, and nobody knows which one that is if one of them may not be there.
        let is_one = initial.windows(2).all(|two| self.stored[two[0]].id == self.stored[two[1]].id);
        let is_certain = initial.iter().all(|&at| self.stored[at].is_certain);
        match (is_one, is_certain) {
            (true, _) => (initial, true),
            (false, true) => (Vec::new(), true),
            (false, false) => (initial, false),
        }
    }

    /// A 304 confirmed one, for this request.
    pub fn freshen(&mut self, at: usize, turn: &Turn, exchange: &Exchange, is_the_answer: bool) {
        let response = exchange.response.as_ref().expect("a 304 or a 200 to HEAD");
        let mut renewed = self.stored[at].clone();
        renewed.freshen(self.is_shared, &response.fields, exchange.sent, exchange.received);
        let varies_anew = vary(&renewed.response.fields) != vary(&self.stored[at].response.fields);
        let is_head = turn.request.method == "HEAD";
        if is_the_answer && varies_anew {
            renewed.asked.clear();
        }
        if is_the_answer || is_head {
            renewed.asked.push(turn.request.fields.clone());
        }
        renewed.is_certain &= is_the_answer || !varies_anew;
        renewed.number = self.next_number();
        let as_get = Request { method: "GET".into(), ..turn.request.clone() };
        if !may_be_stored(self.is_shared, &as_get, &renewed.response)
            || vary(&renewed.response.fields).is_none()
        {
            // Nothing of this response may be stored; what was stored before stays as it was, or stale if a HEAD says so.
            self.stored[at].is_certain = false;
            self.stored[at].is_known_stale |= is_head && !Asks::of(&turn.request).no_store;
        } else {
            // Another one that varies alike may have to make room.
            let varies_alike = |other: &Stored| {
                other.id != renewed.id && vary(&other.response.fields) == vary(&renewed.response.fields)
            };
            for other in self.stored.iter_mut().filter(|other| varies_anew && varies_alike(other)) {
                other.is_certain = false;
            }
            self.stored[at] = renewed;
        }
    }

    /// It may be freshened, or not.
    pub fn perhaps_freshen(&mut self, at: usize, turn: &Turn, exchange: &Exchange) {
        self.stored[at].is_certain = false;
        let unchanged = self.stored[at].clone();
        self.freshen(at, turn, exchange, true);
        self.stored[at].is_certain = false;
        self.stored.push(unchanged);
    }

    /// A response that is none of those that are stored.
    pub fn learn(&mut self, turn: &Turn, exchange: &Exchange, response: &Response, is_read: bool) {
        match turn.request.method.as_str() {
            "GET" => self.learn_get(turn, exchange, response, is_read),
            "HEAD" => self.learn_head(turn, exchange, response),
            "OPTIONS" => {}
            _ => {
                self.invalidate(&turn.request, response);
                if turn.request.method == "POST" && is_read && self.is_stored_of_a_post(turn, response) {
                    self.store(turn, exchange, response);
                }
            }
        }
    }

    /// Nobody knows whether it was learnt.
    pub fn perhaps_learn(&mut self, turn: &Turn, exchange: &Exchange, response: &Response) {
        let (matching, before) = (self.matching(&turn.request), self.stored.clone());
        self.learn(turn, exchange, response, true);
        for at in matching {
            self.stored[at] = Stored { is_certain: false, ..before[at].clone() };
        }
        for learnt in &mut self.stored[before.len()..] {
            learnt.is_certain = false;
        }
    }

    /// RFC 9110 section 9.3.3.
    fn is_stored_of_a_post(&self, turn: &Turn, response: &Response) -> bool {
        let own = key(&turn.request.target);
        let location = single(&response.fields, "content-location");
        let as_get = Request { method: "GET".into(), ..turn.request.clone() };
        response.status == 200
            && location.is_some_and(|location| resolve(&own, location) == own)
            && is_explicit(self.is_shared, &response.fields)
            && may_be_stored(self.is_shared, &as_get, response)
    }

    fn learn_get(&mut self, turn: &Turn, exchange: &Exchange, response: &Response, is_read: bool) {
        let is_stored = is_read && may_be_stored(self.is_shared, &turn.request, response);
        // What never matches is of no use.
        let is_stored = is_stored && vary(&response.fields).is_some();
        for at in self.matching(&turn.request) {
            let old = &mut self.stored[at];
            if is_stored && vary(&old.response.fields) == vary(&response.fields) {
                // For other requests it stays what it was.
                old.forget(&turn.request);
            } else {
                old.is_certain = false;
            }
        }
        if is_stored {
            self.store(turn, exchange, response);
        }
    }

    fn store(&mut self, turn: &Turn, exchange: &Exchange, response: &Response) {
        let number = self.next_number();
        self.stored.push(Stored {
            target: key(&turn.request.target),
            principal: self.principal(&turn.request),
            asked: vec![turn.request.fields.clone()],
            directives: directives(&response.fields, "cache-control"),
            response: Response {
                fields: stored_fields(self.is_shared, &response.fields),
                ..response.clone()
            },
            sent: exchange.sent,
            received: exchange.received,
            came: exchange.received,
            date: date(&response.fields, exchange.received),
            number,
            id: number,
            is_certain: true,
            is_known_stale: false,
            is_gone: false,
        });
    }

    /// RFC 9111 section 4.3.5.
    fn learn_head(&mut self, turn: &Turn, exchange: &Exchange, response: &Response) {
        let mut matching = self.matching(&turn.request);
        matching.sort_by_key(|&at| (self.stored[at].date, self.stored[at].number));
        for at in matching {
            let old = &self.stored[at].response;
            let is_same = response.status == 200
                && ["etag", "last-modified"].iter().all(|name| {
                    !has(&response.fields, name) || lines(&response.fields, name).eq(lines(&old.fields, name))
                })
                && (!has(&response.fields, "content-length")
                    || single(&response.fields, "content-length") == Some(&old.body.len().to_string()));
            if old.status != 200 && response.status == 200 {
                // It is another answer.
                self.stored[at].is_known_stale = true;
                self.stored[at].is_certain = false;
            } else if is_same {
                self.freshen(at, turn, exchange, false);
            } else if response.status == 200 {
                self.stored[at].is_known_stale = true;
            } else {
                self.stored[at].is_certain = false;
            }
        }
    }

    /// RFC 9111 section 4.4, with the other targets that the crate says it invalidates.
    fn invalidate(&mut self, request: &Request, response: &Response) {
        let is_error = !(200..400).contains(&response.status);
        let own = key(&request.target);
        let mut targets = vec![own.clone()];
        for name in ["location", "content-location"] {
            targets.extend(lines(&response.fields, name).take(1).map(|reference| resolve(&own, reference)));
        }
        targets.retain(|target| origin(target) == origin(&own));
        let groups = |fields: &Fields, name: &str| -> Vec<String> {
            lines(fields, name).flat_map(fields::members).map(String::from).collect()
        };
        let named = groups(&response.fields, "cache-group-invalidation");
        for stored in &mut self.stored {
            let in_a_group = origin(&stored.target) == origin(&own)
                && groups(&stored.response.fields, "cache-groups").iter().any(|group| named.contains(group));
            if !is_error && (targets.contains(&stored.target) || in_a_group) {
                stored.is_gone = true;
            } else if in_a_group {
                stored.is_certain = false;
            }
        }
    }

    fn next_number(&mut self) -> usize {
        self.stored_so_far += 1;
        self.stored_so_far
    }
}

pub fn is_retrieval(request: &Request) -> bool {
    matches!(request.method.as_str(), "GET" | "HEAD")
}

/// RFC 9110 section 4.2.3: scheme and host are compared without case, and the port that is meant is no other one.
pub fn key(target: &str) -> String {
    let (scheme, rest) = target.split_once("://").expect("targets are absolute");
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let authority = authority.to_ascii_lowercase();
    format!(
        "{}://{}/{path}",
        scheme.to_ascii_lowercase(),
        authority.strip_suffix(":80").unwrap_or(&authority)
    )
}

fn origin(target: &str) -> &str {
    target.split('/').nth(2).expect("targets are absolute")
}

/// The few kinds of references that are in use here.
fn resolve(base: &str, reference: &str) -> String {
    let reference = reference.split('#').next().unwrap_or("");
    if reference.contains("://") {
        key(reference)
    } else if let Some(elsewhere) = reference.strip_prefix("//") {
        key(&format!("http://{elsewhere}"))
    } else if reference.starts_with('/') {
        format!("http://{}{reference}", origin(base))
    } else if reference.is_empty() {
        base.to_string()
    } else {
        let folder = base.rfind('/').expect("targets are absolute");
        format!("{}/{reference}", &base[..folder])
    }
}
