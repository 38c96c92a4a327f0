use std::fmt;
use std::time::Duration;

use bartizan_core::{Attempts, BoxError, Collect, NotCollected, has_media_type, shown_url};
use bartizan_timeout::within;
use bytes::{Bytes, BytesMut};
use http::{Extensions, HeaderMap, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::asked::Asked;
use crate::error::{Kind, StatusError};
use crate::{Error, Problem};

/// A 2xx answer: status, header fields, and a body, streamed or read.
pub struct Reply<T> {
    response: Response<T>,
    call: Asked,
}

impl<T> Reply<T> {
    /// The status: 200 to 299.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The extensions, where layers leave facts.
    pub fn extensions(&self) -> &Extensions {
        self.response.extensions()
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.call
    }

    /// How many attempts were made for it.
    pub fn attempts(&self) -> u32 {
        attempts(self.extensions())
    }

    /// The body.
    pub fn body(&self) -> &T {
        self.response.body()
    }

    /// The body alone.
    pub fn into_body(self) -> T {
        self.response.into_body()
    }

    /// All of it, as `http` has it.
    pub fn into_response(self) -> Response<T> {
        self.response
    }
}

impl<R> Reply<R>
where
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    /// An answer that is 2xx, or the error that it is.
    pub(crate) async fn of(response: Response<R>, call: Asked) -> Result<Self, Error> {
        if response.status().is_success() {
            return Ok(Self { response, call });
        }
        let (head, body) = response.into_parts();
        let body = error_text(call.in_time(body)).await;
        let is_problem = has_media_type(&head.headers, "application/problem+json");
        let problem = if is_problem { Problem::parse(&body) } else { None };
        let attempts = attempts(&head.extensions);
        let answer = StatusError { status: head.status, headers: head.headers, body, problem, attempts };
        Err(call.error(Kind::Status(answer)))
    }

    /// Reads the whole body. What is left of the call's time bounds this too: that of its [`timeout`] and that of the
    /// stack's deadline. A body that you stream yourself has no such bound.
    ///
    /// [`timeout`]: crate::RequestBuilder::timeout
    ///
    /// # Errors
    /// When the body breaks off, when time runs out, or when it has more bytes than the client's limit.
    pub async fn bytes(self) -> Result<Reply<Bytes>, Error> {
        let (head, body) = self.response.into_parts();
        let body = read(self.call.in_time(body), self.call.limits.body).await;
        let body = body.map_err(|kind| self.call.error(kind))?;
        Ok(Reply { response: Response::from_parts(head, body), call: self.call })
    }

    /// Reads the whole body as text.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and when it is not UTF-8.
    pub async fn text(self) -> Result<Reply<String>, Error> {
        let reply = self.bytes().await?;
        reply.try_map(|bytes| String::from_utf8(bytes.into()).map_err(Into::into))
    }

    /// Reads the whole body as JSON; an empty one is `None`, as with 204.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and when it is not the JSON of a `T`: the message names the place.
    pub async fn json<T: DeserializeOwned>(self) -> Result<Reply<Option<T>>, Error> {
        let reply = self.bytes().await?;
        reply.try_map(|bytes| {
            if bytes.is_empty() {
                return Ok(None);
            }
            let json = &mut serde_json::Deserializer::from_slice(&bytes);
            let value = serde_path_to_error::deserialize(&mut *json)?;
            json.end()?;
            Ok(Some(value))
        })
    }
}

impl<T> Reply<Option<T>> {
    /// The value, where there must be one.
    ///
    /// # Errors
    /// When the answer had no body.
    pub fn some(self) -> Result<T, Error> {
        let (status, call) = (self.status(), self.call);
        self.response.into_body().ok_or_else(|| call.error(Kind::Empty(status)))
    }
}

impl<T> Reply<T> {
    fn try_map<U>(self, convert: impl FnOnce(T) -> Result<U, BoxError>) -> Result<Reply<U>, Error> {
        let (head, body) = self.response.into_parts();
        let body = convert(body).map_err(|error| self.call.error(Kind::Decode(error)))?;
        Ok(Reply { response: Response::from_parts(head, body), call: self.call })
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} {}: {})", self.call.method, shown_url(self.call.uri(), ".."), self.status())
    }
}

fn attempts(extensions: &Extensions) -> u32 {
    extensions.get::<Attempts>().map_or(1, |attempts| attempts.0.get())
}

async fn read<R>(body: R, limit: usize) -> Result<Bytes, Kind>
where
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    Collect::new(body, limit).await.map_err(|error| match error {
        NotCollected::Broken(error) => Kind::Body(error.into()),
        _ => Kind::TooLarge(limit),
    })
}

/// How much of an error's text is kept.
const ERROR_TEXT: usize = 64 * 1024;
/// How long is waited for it, if the call has so much left: the error is known by then, its text is a courtesy.
const ERROR_TEXT_TIME: Duration = Duration::from_secs(5);

/// What can be had of the text, and no error: that it is missing must not hide the status.
async fn error_text<R: Body<Data = Bytes>>(body: R) -> String {
    let mut body = std::pin::pin!(body);
    let mut text = BytesMut::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(data) = frame.into_data() else { continue };
            text.extend_from_slice(&data[..data.len().min(ERROR_TEXT - text.len())]);
            if text.len() == ERROR_TEXT {
                break;
            }
        }
    };
    let _ = within(ERROR_TEXT_TIME, reading).await;
    String::from_utf8_lossy(&text).into_owned()
}
