//! A policy for tower's own retry.

use std::future::{Ready, ready};

use tower::retry::Policy;

use super::{Answer, Req};

#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts(usize);

impl Policy<Req, http::Response<http_body_util::Full<bytes::Bytes>>, tower::BoxError> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, _request: &mut Req, answer: &mut Answer) -> Option<Ready<()>> {
        self.0 += 1;
        (answer.is_err() && self.0 < 3).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}
