use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::{BoxError, Outcome, Rejection, find_source};

/// The reason of a layer's own failure, and how it looks as an answer.
pub trait Refusal: Error + Send + Sync + Sized + 'static {
    /// The status of the answer: 429, 503, 504 or 401.
    fn status(&self) -> StatusCode;

    /// How long the other side should wait. By default what the [`Rejection`] among the sources says.
    fn retry_in(&self) -> Option<Duration> {
        find_source::<Rejection>(self).and_then(Rejection::retry_in)
    }
}

/// Whether a layer's refusal is an error ([`Refuse`], the client side) or an answer ([`Respond`], the server side).
///
/// One `Service` impl serves both: it is generic over a `Face<S::Error>`.
pub trait Face<E> {
    /// The error of the service.
    type Error;
    /// The body of the service's responses, over an inner body `B`.
    type Body<B>;

    /// The refusal, as an error or as an answer.
    ///
    /// # Errors
    /// The refusal itself, on the client side.
    fn refuse<B, R: Refusal>(refusal: R) -> Result<Response<Self::Body<B>>, Self::Error>;

    /// An inner response, passed through.
    fn pass<B>(response: Response<B>) -> Response<Self::Body<B>>;

    /// An inner error, passed through.
    fn error(error: E) -> Self::Error;

    /// The error as something that can be looked into.
    fn view(error: &Self::Error) -> Option<&(dyn Error + 'static)>;
}

/// Client side: a refusal is an error, and inner errors are boxed. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refuse;

impl<E: Into<BoxError>> Face<E> for Refuse {
    type Error = BoxError;
    type Body<B> = B;

    fn refuse<B, R: Refusal>(refusal: R) -> Result<Response<B>, BoxError> {
        Err(refusal.into())
    }

    fn pass<B>(response: Response<B>) -> Response<B> {
        response
    }

    fn error(error: E) -> BoxError {
        error.into()
    }

    fn view(error: &BoxError) -> Option<&(dyn Error + 'static)> {
        Some(&**error)
    }
}

/// Server side: a refusal is an answer with problem details (RFC 9457), and the inner error type stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Respond;

impl<E: ErrorRef> Face<E> for Respond {
    type Error = E;
    type Body<B> = RespondBody<B>;

    fn refuse<B, R: Refusal>(refusal: R) -> Result<Response<RespondBody<B>>, E> {
        Ok(answer(&refusal))
    }

    fn pass<B>(response: Response<B>) -> Response<RespondBody<B>> {
        response.map(RespondBody::inner)
    }

    fn error(error: E) -> E {
        error
    }

    fn view(error: &E) -> Option<&(dyn Error + 'static)> {
        error.error_ref()
    }
}

/// An error type that can be looked into. Services under [`Respond`] have one: `Infallible` in axum, or [`BoxError`]; put
/// `map_err(BoxError::from)` between for others.
#[diagnostic::on_unimplemented(
    message = "`.respond()` does not fit an inner service with the error `{Self}`",
    label = "neither `Infallible` nor `BoxError`",
    note = "leave `.respond()` out on the client side; around another error put \
            `ServiceBuilder::map_err(BoxError::from)` inside this layer"
)]
pub trait ErrorRef {
    /// The error itself; `None` where it hides.
    fn error_ref(&self) -> Option<&(dyn Error + 'static)>;
}

impl ErrorRef for Infallible {
    fn error_ref(&self) -> Option<&(dyn Error + 'static)> {
        match *self {}
    }
}

impl ErrorRef for BoxError {
    fn error_ref(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self)
    }
}

fn answer<B, R: Refusal>(refusal: &R) -> Response<RespondBody<B>> {
    let problem = problem_json(refusal.status(), refusal);
    let mut response = Response::new(RespondBody::own(problem));
    *response.status_mut() = refusal.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(wait) = refusal.retry_in() {
        // Rounded up: who comes back on the second must not come too early.
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    match find_source::<Rejection>(refusal) {
        Some(rejection) => response.extensions_mut().insert(*rejection).is_some(),
        // Something was sent and came to nothing: that is no neutral fact.
        None => response.extensions_mut().insert(Outcome::Failure).is_some(),
    };
    response
}

/// RFC 9457 problem details of the type `about:blank`.
fn problem_json(status: StatusCode, detail: &impl fmt::Display) -> String {
    let title = status.canonical_reason().unwrap_or("Error");
    let mut json = format!(r#"{{"title":"{title}","status":{},"detail":""#, status.as_u16());
    for c in detail.to_string().chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => write!(json, "\\u{:04x}", u32::from(c)).expect("a String takes all"),
            c => json.push(c),
        }
    }
    json.push_str("\"}");
    json
}

pin_project! {
    /// The body of a service that answers by itself where it refuses: an inner body, or its own.
    #[derive(Debug)]
    pub struct RespondBody<B> {
        #[pin]
        content: Content<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = ContentProjection]
    enum Content<B> {
        Inner { #[pin] body: B },
        Own { rest: Option<Bytes> },
    }
}

impl<B> RespondBody<B> {
    /// The body of an inner answer.
    pub fn inner(body: B) -> Self {
        Self { content: Content::Inner { body } }
    }

    /// The body of an answer that a layer gives by itself and that is no problem details.
    pub fn own(content: impl Into<Bytes>) -> Self {
        Self { content: Content::Own { rest: Some(content.into()) } }
    }
}

impl<B: Body<Data = Bytes>> Body for RespondBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().content.project() {
            ContentProjection::Inner { body } => body.poll_frame(cx),
            ContentProjection::Own { rest } => Poll::Ready(rest.take().map(|all| Ok(Frame::data(all)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Inner { body } => body.is_end_stream(),
            Content::Own { rest } => rest.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Inner { body } => body.size_hint(),
            Content::Own { rest } => {
                SizeHint::with_exact(rest.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}

impl<B: Default> Default for RespondBody<B> {
    fn default() -> Self {
        Self::inner(B::default())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[derive(Debug)]
    struct Closed(Option<Rejection>);

    impl fmt::Display for Closed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("closed \"for\" a\tC:\\while")
        }
    }

    impl Error for Closed {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.0.as_ref().map(|r| r as _)
        }
    }

    impl Refusal for Closed {
        fn status(&self) -> StatusCode {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }

    fn respond(refusal: Closed) -> Response<RespondBody<Full<Bytes>>> {
        <Respond as Face<Infallible>>::refuse(refusal).unwrap()
    }

    #[tokio::test]
    async fn an_answer_says_all_that_the_error_says() {
        let response = respond(Closed(Some(Rejection::new(Some(Duration::from_millis(1001))))));
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], "2", "rounded up");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert!(response.extensions().get::<Rejection>().is_some());
        assert!(response.extensions().get::<Outcome>().is_none());
        let body = response.into_body();
        assert!(!body.is_end_stream());
        let declared = body.size_hint().exact().unwrap();
        let text = body.collect().await.unwrap().to_bytes();
        assert_eq!(text.len() as u64, declared);
        assert_eq!(
            text,
            r#"{"title":"Service Unavailable","status":503,"detail":"closed \"for\" a\u0009C:\\while"}"#
        );
    }

    #[test]
    fn a_whole_second_is_not_rounded() {
        let response = respond(Closed(Some(Rejection::new(Some(Duration::from_secs(1))))));
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }

    #[test]
    fn the_longest_wait_can_be_said() {
        let response = respond(Closed(Some(Rejection::new(Some(Duration::MAX)))));
        assert_eq!(response.headers()[RETRY_AFTER], u64::MAX.to_string());
    }

    #[test]
    fn what_was_sent_is_marked_as_a_failure() {
        let response = respond(Closed(None));
        assert!(response.headers().get(RETRY_AFTER).is_none());
        assert_eq!(response.extensions().get::<Outcome>(), Some(&Outcome::Failure));
        assert!(response.extensions().get::<Rejection>().is_none());
    }

    #[tokio::test]
    async fn inner_answers_pass_untouched() {
        let inner = Response::new(Full::new(Bytes::from_static(b"hello")));
        let response = <Respond as Face<Infallible>>::pass(inner);
        assert_eq!(response.body().size_hint().exact(), Some(5));
        assert!(!response.body().is_end_stream());
        assert!(RespondBody::<Full<Bytes>>::default().is_end_stream());
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    }

    #[test]
    fn on_the_client_side_the_refusal_is_the_error() {
        let error = <Refuse as Face<BoxError>>::refuse::<Full<Bytes>, _>(Closed(None)).unwrap_err();
        assert!(error.downcast_ref::<Closed>().is_some());
        assert!(<Refuse as Face<BoxError>>::view(&error).is_some_and(|error| error.is::<Closed>()));
        assert!(<Respond as Face<BoxError>>::view(&error).is_some_and(|error| error.is::<Closed>()));
    }
}
