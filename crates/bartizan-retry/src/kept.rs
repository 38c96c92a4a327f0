use std::num::NonZeroU32;

use bartizan_core::{CallContext, Replay, RequestHead};
use http::{Extensions, HeaderMap, Method, Request, Uri, Version};

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
    /// Keeps what `request` is, and leaves a copy of its body in it; `None` if there can be no copy.
    #[inline]
    pub(crate) fn of(request: &mut Request<B>) -> Option<Self> {
        let copy = request.body().replay()?;
        let body = std::mem::replace(request.body_mut(), copy);
        let context = CallContext::of(request.extensions()).cloned();
        let nothing_else = request.extensions().len() == usize::from(context.is_some());
        Some(Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            headers: request.headers().clone(),
            extensions: if nothing_else { Extensions::new() } else { request.extensions().clone() },
            context,
            body,
        })
    }

    pub(crate) fn head(&self) -> RequestHead<'_> {
        RequestHead::new(&self.method, &self.uri, &self.headers, &self.extensions, self.context())
    }

    pub(crate) fn context(&self) -> Option<&CallContext> {
        self.context.as_ref()
    }

    pub(crate) fn can_replay(&self) -> bool {
        self.body.can_replay()
    }

    /// A body for the next attempt. From here on the copy that was sent before can read no more of a stream.
    pub(crate) fn replay(&self) -> Option<B> {
        self.body.replay()
    }

    /// The request for attempt `number`.
    pub(crate) fn request(&self, body: B, number: NonZeroU32) -> Request<B> {
        let mut request = Request::new(body);
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
        request
    }
}
