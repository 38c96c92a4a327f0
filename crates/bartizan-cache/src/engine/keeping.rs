//! What is stored of an answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AGE, CONTENT_LENGTH, HeaderValue};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use tokio::time::Instant;

use super::{Asking, Engine, Rules};
use crate::fields::{self, Names, Policy as Said, Vary};
use crate::key::StoredKey;
use crate::reuse::Born;
use crate::status::Forward;
use crate::stored::Stored;
use crate::storing::{Answer, Policy, Storing};
use crate::structured;
use crate::update::remove_unstored;
use crate::{Event, NotStored};

/// So many lines of a head are stored at most, which leaves room in the map for what a hit adds.
pub(super) const FIELDS: usize = 1024;

impl Engine {
    /// What is stored of it once its body is complete.
    pub(crate) fn fill(
        &self,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        now: Instant,
        wall: SystemTime,
    ) -> Result<Stored, NotStored> {
        if asking.why == Forward::Bypass {
            return Err(NotStored::Bypass);
        }
        let part;
        let (status, headers) = if status == StatusCode::PARTIAL_CONTENT {
            part = self.part(asking, headers).ok_or(NotStored::Status)?;
            (part.0, &part.1)
        } else {
            (status, headers)
        };
        let is_understood =
            asking.method == Method::GET || self.rules.ttl.is_none() && asking.is_of_target(headers);
        if !is_understood {
            return Err(NotStored::Method);
        }
        if headers.len() > FIELDS {
            return Err(NotStored::TooManyFields);
        }
        let vary = Vary::read(headers).key(&asking.request).ok_or(NotStored::Vary)?;
        let date = fields::date(headers, wall);
        let said = Said::read(headers, &self.rules.targets, wall);
        let policy = self.policy(asking, status, headers, &said, date, wall)?;
        let born = born(headers, asking, now, wall);
        let generated = date.unwrap_or(wall);
        let mut kept = headers.clone();
        remove_unstored(&mut kept, &self.unstored(&said));
        // It has its place, so that a hit has no need to make one.
        kept.insert(AGE, HeaderValue::from(0));
        let mut stored = Stored {
            status,
            headers: kept,
            body: Bytes::new(),
            trailers: None,
            policy,
            born,
            vary,
            generated,
            groups: self.groups(&asking.key, headers),
            asked: asking.order,
            received: wall,
        };
        if asking.changes.is_some() {
            // Else another one has changed it meanwhile, and nobody knows which came first.
            if !self.kept.is_valid(asking.key.target_digest, &stored) {
                return Err(NotStored::Changed);
            }
            // What it brings is what became of the target, after it makes all else of it invalid.
            stored.asked = self.kept.changes.now();
        }
        Ok(stored)
    }

    /// Puts what is complete into the store.
    pub(crate) fn keep(
        &self,
        key: &StoredKey,
        head: Stored,
        body: Bytes,
        trailers: Option<HeaderMap>,
    ) -> Result<(), NotStored> {
        let (target, bytes) = (key.target(), body.len());
        let claimed = head.headers.get(CONTENT_LENGTH);
        let claimed = claimed.map(|length| length.to_str().ok()?.parse::<usize>().ok());
        let kept = match () {
            () if bytes > self.rules.most => Err(NotStored::TooLong),
            // What is shorter or longer than it says is not the response (RFC 9112 section 8).
            () if claimed.is_some_and(|claimed| claimed != Some(bytes)) => Err(NotStored::Incomplete),
            () if self.put(key, Arc::new(head.complete(body, trailers)), None) => Ok(()),
            () => Err(NotStored::Changed),
        };
        self.event(&match kept {
            Ok(()) => Event::Stored { target, bytes },
            Err(why) => Event::NotStored { target, why },
        });
        kept
    }

    pub(super) fn policy(
        &self,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        said: &Said,
        date: Option<SystemTime>,
        wall: SystemTime,
    ) -> Result<Policy, NotStored> {
        let answer = Answer {
            is_to_post: asking.method == Method::POST,
            is_authenticated: asking.is_authenticated,
            asked: &asking.asked,
            status,
            says: &said.directives,
            expires: &said.expires,
            date,
            last_modified: fields::last_modified(headers, wall),
        };
        if let Some(ttl) = self.rules.ttl {
            let is_somebodys =
                self.rules.is_shared && (said.directives.private.is_some() || answer.is_for_who_asked());
            return match () {
                () if status != StatusCode::OK => Err(NotStored::Status),
                () if said.directives.no_store || asking.asked.no_store => Err(NotStored::NoStore),
                () if is_somebodys => Err(NotStored::Private),
                () => Ok(Policy::by_age(asking.said.ttl.unwrap_or(ttl))),
            };
        }
        let Rules { is_shared, default_ttl, .. } = self.rules;
        answer.policy(&Storing { is_shared, default_ttl, ttl: asking.said.ttl }, wall)
    }

    /// The fields that a qualified `no-cache` lists, and in a shared cache those of `private` (RFC 9111 section 3.1).
    pub(super) fn unstored(&self, said: &Said) -> Vec<HeaderName> {
        let private = said.directives.private.as_ref().filter(|_| self.rules.is_shared);
        let lists = [said.directives.no_cache.as_ref(), private];
        let listed = lists.into_iter().flatten().filter_map(|names| match names {
            Names::Listed(names) => Some(names),
            Names::All => None,
        });
        listed.flatten().cloned().collect()
    }

    pub(super) fn groups(&self, key: &StoredKey, headers: &HeaderMap) -> Box<[u128]> {
        structured::groups(headers).iter().map(|group| self.keys.group(key, group)).collect()
    }
}

pub(super) fn born(headers: &HeaderMap, asking: &Asking, now: Instant, wall: SystemTime) -> Born {
    let age = fields::age(headers).map(|seconds| Duration::from_secs(seconds.into()));
    Born::new(age, fields::date(headers, wall), wall, asking.sent, now)
}
