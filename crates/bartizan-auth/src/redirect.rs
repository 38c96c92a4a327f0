use std::fmt;
use std::sync::Arc;

use http::{Extensions, Request};
use tower_http::follow_redirect::RequestUri;
use tower_http::follow_redirect::policy::{Action, Attempt, Policy};

use crate::{Authorizer, Origins};

/// A policy for tower-http's redirect follower: it follows everything, and takes the credential off what goes to other origins. Put it before one that
/// says what is followed, with `and`. See [`AuthLayer::redirect_policy`](crate::AuthLayer::redirect_policy).
pub struct RedirectPolicy<A> {
    pub(crate) origins: Origins,
    pub(crate) authorizer: Arc<A>,
}

impl<A: Authorizer, B, E> Policy<B, E> for RedirectPolicy<A> {
    fn redirect(&mut self, _: &Attempt<'_>) -> Result<Action, E> {
        Ok(Action::Follow)
    }

    fn on_request(&mut self, request: &mut Request<B>) {
        if self.origins.contains(request.uri()) {
            return;
        }
        let mut uri = request.uri().clone();
        self.authorizer.strip(&mut uri, request.headers_mut());
        *request.uri_mut() = uri;
    }
}

impl<A> Clone for RedirectPolicy<A> {
    fn clone(&self) -> Self {
        Self { origins: self.origins.clone(), authorizer: self.authorizer.clone() }
    }
}

impl<A> fmt::Debug for RedirectPolicy<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedirectPolicy").field("origins", &self.origins).finish_non_exhaustive()
    }
}

/// Whether the answer with these extensions was got by a redirect to a server that the credential is not meant for.
pub(crate) fn led_elsewhere(origins: &Origins, extensions: &Extensions) -> bool {
    extensions.get::<RequestUri>().is_some_and(|RequestUri(uri)| !origins.contains(uri))
}
