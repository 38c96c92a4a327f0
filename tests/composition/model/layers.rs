//! The layers that decide something.

use super::{Answer, Authorization, Call, Dropped, End, Model, REFILL};
use crate::origin::READY;
use crate::part::{BACKOFF, FETCH, Kind, RESERVE};

impl Model {
    pub(super) fn cache(&mut self, place: usize, call: Call, until: u64) -> Result<Answer, Dropped> {
        if call.is_post {
            let answer = self.at(place + 1, call, until)?;
            if answer.end == End::Status(200) {
                // It may have changed what is stored, for whomever.
                self.places[place].stored.clear();
            }
            return Ok(answer);
        }
        let key = (call.authorization, call.partition);
        if self.places[place].stored.contains(&key) {
            return Ok(Answer::of(End::Status(200)));
        }
        let mut answer = self.at(place + 1, call, until)?;
        if answer.end == End::Status(200) {
            answer.storing.push((place, key));
        }
        Ok(answer)
    }

    pub(super) fn retry(&mut self, place: usize, call: Call, until: u64) -> Result<Answer, Dropped> {
        let (mut made, mut has_waited, mut has_replayed) = (1, false, false);
        // For an attempt that is not sent yet, and for the one that was sent last.
        let (mut withdrawn, mut under_way) = (false, false);
        let answer = loop {
            let answer = match self.at(place + 1, call, until) {
                Ok(answer) => answer,
                Err(dropped) => break Err(dropped),
            };
            let left = call.deadline.map_or(u64::MAX, |deadline| deadline.saturating_sub(self.now));
            let wait;
            if answer.replay && !has_replayed && left > 0 {
                has_replayed = true;
                wait = 0;
            } else if answer.end == End::Refused {
                withdrawn |= std::mem::take(&mut under_way);
                wait = self.spread(answer.retry_in);
                if has_waited || wait >= left {
                    break Ok(answer.given_up(made > 1));
                }
                has_waited = true;
            } else {
                if !matches!(answer.end, End::Status(429 | 503) | End::Failed) {
                    let is_marked = made > 1;
                    break Ok(Answer { replay: answer.replay && !has_replayed, spent: is_marked, ..answer });
                }
                let is_repeatable = !call.is_post || call.has_key;
                if !is_repeatable || answer.spent || made == 3 {
                    break Ok(answer.given_up(made > 1));
                }
                wait = match answer.end {
                    End::Status(429) => self.spread(answer.retry_in),
                    _ => BACKOFF,
                };
                if wait >= left {
                    break Ok(answer.given_up(made > 1));
                }
                if !withdrawn {
                    if self.spent(&self.places[place]) == u32::from(RESERVE) {
                        break Ok(answer.given_up(true));
                    }
                    let state = &mut self.places[place];
                    state.full_at = state.full_at.max(self.now) + REFILL;
                    withdrawn = true;
                }
                made += 1;
            }
            // Nobody reads them any more.
            for (place, _) in answer.watchers {
                self.vote(place, false);
            }
            if let Err(dropped) = self.wait(wait, until) {
                break Err(dropped);
            }
            if self.now + self.readiness_of(place + 1) > until {
                break Err(Dropped);
            }
            under_way = std::mem::take(&mut withdrawn);
        };
        if withdrawn {
            self.places[place].full_at -= REFILL;
        }
        answer
    }

    pub(super) fn refreshing(&mut self, place: usize, mut call: Call, until: u64) -> Result<Answer, Dropped> {
        if call.is_relative {
            return self.at(place + 1, call, until);
        }
        let now = self.now;
        let state = &mut self.places[place];
        if state.fetching_until.is_some_and(|until| until <= now) {
            (state.fetching_until, state.token) = (None, Some(state.fetched));
        }
        if state.token.is_none() {
            if now < state.failed_until {
                let refused = Answer::of(End::Refused);
                return Ok(Answer { retry_in: state.failed_until - now, ..refused });
            }
            let fetched_at = *state.fetching_until.get_or_insert_with(|| {
                state.fetched += 1;
                now + FETCH
            });
            self.wait(fetched_at - now, until)?;
            let state = &mut self.places[place];
            (state.fetching_until, state.token) = (None, Some(state.fetched));
        }
        let number = self.places[place].token.expect("it was fetched");
        call.authorization = Authorization::Token(place, number);
        let answer = self.at(place + 1, call, until)?;
        let now = self.now;
        let state = &mut self.places[place];
        match answer.end {
            End::Status(401) => {
                state.token = None;
                state.refused_in_row += 1;
                let is_first = state.refused_in_row == 1;
                if !is_first {
                    state.failed_until = now + 1_000;
                }
                Ok(Answer { replay: is_first || answer.replay, ..answer })
            }
            End::Status(_) => {
                state.refused_in_row = 0;
                Ok(answer)
            }
            _ => Ok(answer),
        }
    }

    pub(super) fn rate_limit(&mut self, place: usize, call: Call, until: u64) -> Result<Answer, Dropped> {
        let paused = self.places[place].paused_until.saturating_sub(self.now);
        if paused > 0 {
            self.wait(paused + (100.0 * self.chance) as u64, until)?;
        }
        self.places[place].tokens += 1;
        let begins_at = self.now + self.readiness_of(place + 1);
        let answer = self.at(place + 1, call, until).inspect_err(|_| {
            let was_begun = until >= begins_at;
            self.places[place].tokens -= u32::from(!was_begun);
        })?;
        match answer.end {
            End::Refused => self.places[place].tokens -= 1,
            End::Status(429) => self.places[place].paused_until = self.now + 1_000,
            _ => {}
        }
        Ok(answer)
    }

    /// How long it takes until the service at this place is ready: those that decide or fetch first are ready in any case.
    fn readiness_of(&self, place: usize) -> u64 {
        match self.kinds.get(place) {
            None => READY,
            Some(
                Kind::Interceptor
                | Kind::Cache
                | Kind::Refreshing
                | Kind::ApiKey
                | Kind::Gate
                | Kind::RateLimit
                | Kind::Feedback
                | Kind::Bulkhead
                | Kind::Breaker,
            ) => 0,
            Some(_) => self.readiness_of(place + 1),
        }
    }

    pub(super) fn breaker(&mut self, place: usize, call: Call, until: u64) -> Result<Answer, Dropped> {
        const SLOW: u64 = 5_000;
        let begun = self.now;
        let mut answer = match self.at(place + 1, call, until) {
            Ok(answer) => answer,
            Err(dropped) => {
                if self.now >= begun + SLOW {
                    self.vote(place, true);
                }
                return Err(dropped);
            }
        };
        match answer.end {
            End::Refused => {}
            End::Status(503) | End::Failed => self.vote(place, true),
            _ => answer.watchers.push((place, answer.body)),
        }
        Ok(answer)
    }
}
