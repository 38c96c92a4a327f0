use std::num::NonZeroU32;

use bartizan_core::{CallContext, Replay};
use http::{Extensions, HeaderMap, Method, Request, Uri, Version};

use crate::{RequestHead, Stop};

/// What is kept of a request so that it can be sent again.
pub(crate) struct Kept<B> {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    /// Empty if there was nothing but the call's context in it: cloning extensions allocates.
    extensions: Extensions,
    context: Option<CallContext>,
    /// Never sent itself; copies of it are.
    body: B,
}

impl<B: Replay> Kept<B> {
    /// The request to send first, and what to send later copies from, or why there can be none.
    pub(crate) fn from(request: Request<B>) -> (Request<B>, Result<Self, Stop>) {
        let (head, body) = request.into_parts();
        let Some(copy) = body.replay() else {
            return (Request::from_parts(head, body), Err(Stop::Body));
        };
        let context = CallContext::of(&head.extensions).cloned();
        let nothing_else = head.extensions.len() == usize::from(context.is_some());
        let kept = Self {
            method: head.method.clone(),
            uri: head.uri.clone(),
            version: head.version,
            headers: head.headers.clone(),
            extensions: if nothing_else { Extensions::new() } else { head.extensions.clone() },
            context,
            body,
        };
        (Request::from_parts(head, copy), Ok(kept))
    }

    pub(crate) fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.method,
            uri: &self.uri,
            headers: &self.headers,
            extensions: &self.extensions,
            context: self.context(),
        }
    }

    pub(crate) fn context(&self) -> Option<&CallContext> {
        self.context.as_ref()
    }

    pub(crate) fn can_replay(&self) -> bool {
        self.body.can_replay()
    }

    /// The request for attempt `number`. From here on the copy that was sent before can read no more of a streamed body.
    pub(crate) fn copy(&self, number: NonZeroU32) -> Option<Request<B>> {
        let mut request = Request::new(self.body.replay()?);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.clone();
        *request.extensions_mut() = self.extensions.clone();
        let mut context = self.context.clone();
        // A first attempt that was refused on the way is still the first, which has no number.
        if number > NonZeroU32::MIN {
            context.get_or_insert_default().set_attempt(number);
        }
        if let Some(context) = context {
            request.extensions_mut().insert(context);
        }
        Some(request)
    }
}
