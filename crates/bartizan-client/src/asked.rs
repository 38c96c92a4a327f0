//! What a call asked for: for its errors, and for the pages that follow it.

use std::sync::{Arc, OnceLock};

use bartizan_core::{CallContext, ThroughBody};
use bartizan_timeout::{BodyDeadline, DeadlineBody};
use http::{Extensions, Method, Request, Uri};

use crate::Error;
use crate::client::Limits;
use crate::error::Kind;

/// The request of a call, as much of it as is told afterwards.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) limits: Limits,
    uri: Uri,
    /// What became of a target that is no absolute URL.
    joined: Option<Joined>,
    /// Turns the stack's deadline on for the body.
    through_body: ThroughBody,
    /// The call's own time.
    pub(crate) deadline: BodyDeadline,
}

impl Asked {
    pub(crate) fn new<B>(request: &Request<B>, limits: Limits) -> Self {
        let through_body = CallContext::of(request.extensions()).and_then(CallContext::through_body);
        Self {
            method: request.method().clone(),
            limits,
            uri: request.uri().clone(),
            joined: None,
            through_body: through_body.cloned().unwrap_or_default(),
            deadline: BodyDeadline::default(),
        }
    }

    /// A body that is read here, within the call's time.
    pub(crate) fn in_time<R>(&self, body: R) -> DeadlineBody<R> {
        self.through_body.turn_on();
        self.deadline.clone().around(body)
    }

    /// Has a base URL layer tell where it puts the target. One that is an absolute URL stays where it is.
    pub(crate) fn follow(&mut self, extensions: &mut Extensions) {
        if self.uri.scheme().is_none() {
            let joined = Joined::default();
            extensions.insert(joined.clone());
            self.joined = Some(joined);
        }
    }

    /// The target, under the base URL if there is one.
    pub(crate) fn uri(&self) -> &Uri {
        self.joined.as_ref().and_then(|joined| joined.0.get()).unwrap_or(&self.uri)
    }

    pub(crate) fn error(&self, kind: Kind) -> Error {
        Error::new(self.method.clone(), self.uri(), kind)
    }
}

/// In a request's extensions, up to the base URL layer: where it writes the URL that it made of the target.
#[derive(Clone, Default)]
pub(crate) struct Joined(Arc<OnceLock<Uri>>);

impl Joined {
    /// Taken out, so that a retry further in has nothing to copy.
    pub(crate) fn tell(extensions: &mut Extensions, uri: &Uri) {
        if let Some(joined) = extensions.remove::<Self>() {
            // A layer further out may send twice: the target is the same.
            let _ = joined.0.set(uri.clone());
        }
    }
}
