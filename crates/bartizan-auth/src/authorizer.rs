use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use bartizan_core::{Head, RequestHead};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Uri};

use crate::{NotPrepared, Stamp};

/// What proves who asks. Asked once for each attempt.
///
/// [`ApiKey`](crate::ApiKey), [`Basic`](crate::Basic) and [`Bearer`](crate::Bearer) are some; a signer of requests would be another. The layer
/// asks it only for origins that the credential is meant for.
pub trait Authorizer: Send + Sync + 'static {
    /// Puts the credential on the request. `None`, and the request as it was, if there is none yet: then [`prepare`](Self::prepare) is waited
    /// for. Called before each attempt: it must not wait.
    fn authorize(&self, request: &mut Parts) -> Option<Stamp>;

    /// Gets what [`authorize`](Self::authorize) lacks. By default there is nothing to be got.
    fn prepare(&self, request: &Parts) -> Preparing {
        let _ = request;
        Box::pin(ready(Err(NotPrepared::unset())))
    }

    /// Looks at the answer to a request that carried what `stamp` tells of. By default nothing follows.
    fn react(&self, stamp: Stamp, response: &Head<'_>) -> Reaction {
        let _ = (stamp, response);
        Reaction::Done
    }

    /// Takes this very credential out of the target of a request elsewhere: a server that it was meant for may have repeated it in a redirect. By
    /// default it stands in no target.
    fn take_out(&self, request: &mut Parts) {
        let _ = request;
    }

    /// Takes the credential off a request that is redirected to another origin. By default `Authorization`.
    fn strip(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        let _ = uri;
        headers.remove(AUTHORIZATION);
    }

    /// Whom it stands for, as an opaque text that says nothing of the credential: what is kept for one is never shown to another. It may not
    /// wait, and fetches nothing.
    fn identity(&self, request: &RequestHead<'_>) -> Arc<str>;

    /// Whether nothing is lost if it is forgotten now and made anew once it is needed: [`Tenants`](crate::Tenants) asks when they are too many. By
    /// default it is so.
    fn is_idle(&self) -> bool {
        true
    }
}

/// Gets a credential ready.
pub type Preparing = Pin<Box<dyn Future<Output = Result<(), NotPrepared>> + Send>>;

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reaction {
    /// It is passed on.
    Done,
    /// The credential was refused, and there is a newer one: the request may be sent again at once.
    Replay,
}

impl<A: Authorizer + ?Sized> Authorizer for Arc<A> {
    fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
        (**self).authorize(request)
    }

    fn prepare(&self, request: &Parts) -> Preparing {
        (**self).prepare(request)
    }

    fn react(&self, stamp: Stamp, response: &Head<'_>) -> Reaction {
        (**self).react(stamp, response)
    }

    fn take_out(&self, request: &mut Parts) {
        (**self).take_out(request);
    }

    fn strip(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        (**self).strip(uri, headers);
    }

    fn identity(&self, request: &RequestHead<'_>) -> Arc<str> {
        (**self).identity(request)
    }

    fn is_idle(&self) -> bool {
        (**self).is_idle()
    }
}
