use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{BoxError, Chance};
use bartizan_retry::{Backoff, Budget, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use http::{Request, Response};
use tokio::time::sleep;
use tower::retry::Policy;
use tower::retry::budget::{Budget as _, TpsBudget};
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt};

use crate::load::{Body, Client, Server};

/// What one attempt may take: ten times the mean, so that hardly any is given up while the server is well.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(1);
/// What a call may take with all its attempts.
pub(crate) const CALL: Duration = Duration::from_secs(5);

/// How a client retries. All make three attempts at most, with the same waits and time-outs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strategy {
    /// Not at all.
    None,
    /// Whenever an attempt has failed.
    Naive,
    /// `tower`'s retry with its `TpsBudget`: 20 % of requests, and 10 a second beside them.
    Tower,
    /// `RetryLayer` with this budget.
    Bartizan(Budget),
}

impl Strategy {
    /// What the report compares: the peers, ours, and other reserves.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Naive,
        Self::Tower,
        Self::Bartizan(Budget::new()),
        Self::Bartizan(Budget::fleet()),
        Self::Bartizan(Budget::new().reserve(2)),
        Self::Bartizan(Budget::new().reserve(3)),
    ];

    pub(crate) fn client(self, server: Server, chance: &Chance) -> Client {
        let attempt = AttemptTimeoutLayer::new(ATTEMPT);
        let call = DeadlineLayer::new(CALL);
        let ours = |budget: Budget| RetryLayer::new().budget(budget).chance(chance.clone());
        let status = |response: Response<_>| response.status();
        match self {
            Self::None => {
                let stack = ServiceBuilder::new().layer(call).layer(attempt).service(server);
                BoxCloneService::new(stack.map_response(|response| response.status()))
            }
            Self::Naive => {
                let stack = ServiceBuilder::new().layer(call).layer(ours(Budget::none()));
                BoxCloneService::new(stack.layer(attempt).service(server).map_response(|r| r.status()))
            }
            Self::Bartizan(budget) => {
                let stack = ServiceBuilder::new().layer(call).layer(ours(budget));
                BoxCloneService::new(stack.layer(attempt).service(server).map_response(|r| r.status()))
            }
            Self::Tower => {
                let budget = Arc::new(TpsBudget::new(Duration::from_secs(10), 10, 0.2));
                let retry = tower::retry::RetryLayer::new(Tower { budget, made: 0, chance: chance.clone() });
                let stack = ServiceBuilder::new().layer(call).layer(retry).layer(attempt).service(server);
                BoxCloneService::new(stack.map_response(status))
            }
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no retry"),
            Self::Naive => f.write_str("naive"),
            Self::Tower => f.write_str("tower"),
            Self::Bartizan(budget) if *budget == Budget::new() => f.write_str("`Budget::new()`"),
            Self::Bartizan(budget) if *budget == Budget::fleet() => f.write_str("`Budget::fleet()`"),
            Self::Bartizan(budget) => {
                let reserve = (2..9).find(|reserve| *budget == Budget::new().reserve(*reserve));
                write!(f, "reserve of {}", reserve.unwrap_or_default())
            }
        }
    }
}

/// As `tower`'s docs teach it, with our waits.
#[derive(Clone)]
struct Tower {
    budget: Arc<TpsBudget>,
    made: u32,
    chance: Chance,
}

impl<R> Policy<Request<Body>, Response<R>, BoxError> for Tower {
    type Future = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<Response<R>, BoxError>,
    ) -> Option<Self::Future> {
        if self.made == 0 {
            self.budget.deposit();
        }
        if result.as_ref().is_ok_and(|response| response.status().is_success()) {
            return None;
        }
        if self.made == 2 || !self.budget.withdraw() {
            return None;
        }
        let wait = Backoff::TRANSIENT.delay(self.made, None, self.chance.unit());
        self.made += 1;
        Some(Box::pin(sleep(wait)))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}
