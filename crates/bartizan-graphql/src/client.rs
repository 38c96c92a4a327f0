use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{BoxError, Collect, NotCollected, ReadyThenCall};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Request, Response, Uri, response};
use http_body::Body;
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tower_service::Service;

use crate::documents::Documents;
use crate::error::Kind;
use crate::media_type::is_graphql;
use crate::merge::Settings;
use crate::persisted::Persisted;
use crate::request::Written;
use crate::{Answer, Codes, Error, Operation, Reply};

/// A GraphQL server, over any HTTP service: a client of hyper, or a whole stack of layers around one.
///
/// ```
/// use bartizan_graphql::GraphqlClient;
/// use serde::Deserialize;
/// use serde_json::json;
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
///
/// #[derive(Deserialize)]
/// struct Found {
///     repository: Repository,
/// }
///
/// #[derive(Deserialize)]
/// struct Repository {
///     stars: u32,
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let http = tower::service_fn(async |_: Request<Full<Bytes>>| {
/// #     let answer = Response::builder().header("content-type", "application/json");
/// #     answer.body(Full::<Bytes>::from(r#"{"data":{"repository":{"stars":7}}}"#))
/// # });
/// let github = GraphqlClient::new("https://api.example.com/graphql", http)?;
/// let found: Found = github
///     .query("query Stars($name: String!) { repository(name: $name) { stars } }", &json!({ "name": "tower" }))
///     .await?;
/// assert_eq!(found.repository.stars, 7);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct GraphqlClient<S> {
    service: S,
    endpoint: Uri,
    headers: HeaderMap,
    body_limit: usize,
    pub(crate) documents: Arc<Documents>,
    persisted: Option<Persisted>,
    pub(crate) settings: Settings,
    pub(crate) codes: Codes,
}

/// How much is shown of an answer that is no GraphQL.
const EXCERPT: usize = 200;
/// How much of it is read, and how long is waited for it: the status is known by then, its text is a courtesy.
const EXCERPT_READ: usize = 64 * 1024;
const EXCERPT_TIME: Duration = Duration::from_secs(5);

impl<S> GraphqlClient<S> {
    /// At that URL. It may be a path alone, if the service knows the rest.
    ///
    /// # Errors
    /// If it is no URL.
    pub fn new(endpoint: &str, service: S) -> Result<Self, InvalidEndpoint> {
        let endpoint = endpoint.parse().map_err(InvalidEndpoint)?;
        Ok(Self {
            service,
            endpoint,
            headers: HeaderMap::new(),
            body_limit: 16 * 1024 * 1024,
            documents: Arc::default(),
            persisted: None,
            settings: Settings::default(),
            codes: Codes::standard(),
        })
    }

    /// A header field of each request. None beside those that GraphQL needs by default.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// How many bytes an answer may have. 16 MiB by default, as `bartizan_client::Client` has it.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// What may share a request in a [`batch`](Self::batch). [`Settings::default`] by default.
    #[must_use]
    pub fn batching(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// What codes of errors mean, by which a [`batch`](Self::batch) tells what is said to each of it. [`Codes::standard`] by default, as the
    /// [`GraphqlOutcomeLayer`](crate::GraphqlOutcomeLayer) has it.
    #[must_use]
    pub fn codes(mut self, codes: Codes) -> Self {
        self.codes = codes;
        self
    }

    /// Sends the hash of a document in place of the document (automatic persisted queries), and the document only where the server does not know it. Off by
    /// default: the server has to know how. Clones of this client share what they know of the server.
    #[must_use]
    pub fn persisted_queries(mut self) -> Self {
        self.persisted = Some(Persisted::default());
        self
    }

    /// Sends hashed queries as GET, so that caches on the way can keep them; those whose URL would have more than 8,000 bytes as POST. Off by default. It
    /// switches [`persisted_queries`](Self::persisted_queries) on.
    #[must_use]
    pub fn get_for_hashed_queries(mut self) -> Self {
        self.persisted = Some(self.persisted.unwrap_or_default().by_get());
        self
    }
}

impl<S, R> GraphqlClient<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body,
    R::Error: Into<BoxError>,
{
    /// The data of an operation, if the answer has no error.
    ///
    /// # Errors
    /// If the answer has an error, and that with whatever data is beside it; if there is no answer, or none of GraphQL; if the data is something else than
    /// `T`; if the variables are no JSON object.
    pub async fn query<T: DeserializeOwned>(
        &self,
        document: impl Into<Arc<str>>,
        variables: &impl Serialize,
    ) -> Result<T, Error> {
        let operation = Operation::new(document).variables(variables)?;
        self.send(operation).await?.into_data()
    }

    /// The whole answer: data and errors, as they came.
    ///
    /// # Errors
    /// If there is no answer, or none of GraphQL.
    pub async fn send(&self, operation: Operation) -> Result<Reply, Error> {
        let document = self.documents.get(&operation.document);
        let kind = document.operation_type(operation.name.as_deref());
        if let Some(persisted) = &self.persisted {
            return persisted.send(self, &operation, &document, kind).await;
        }
        let written =
            Written { operation: &operation, kind, is_hashed: false, extensions: &operation.extensions };
        self.exchange(self.post(&written)).await
    }

    pub(crate) fn post(&self, written: &Written<'_>) -> Request<Full<Bytes>> {
        written.post(&self.endpoint, &self.headers)
    }

    pub(crate) fn get(&self, written: &Written<'_>) -> Option<Request<Full<Bytes>>> {
        written.get(&self.endpoint, &self.headers)
    }

    pub(crate) async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, Error> {
        let answered = ReadyThenCall::new(self.service.clone(), request).await;
        let (head, body) = answered.map_err(|error| Kind::Transport(error.into()))?.into_parts();
        if !is_graphql(head.status, &head.headers) {
            return Err(not_graphql(&head, body).await);
        }
        let body = Collect::new(body, self.body_limit).await.map_err(|error| match error {
            NotCollected::Broken(error) => Kind::Body(head.status, error.into()),
            _ => Kind::TooLarge(head.status, self.body_limit),
        })?;
        let answer = Answer::read(&body).map_err(|error| Kind::Invalid(head.status, error))?;
        Ok(Reply { answer, status: head.status, headers: head.headers })
    }
}

async fn not_graphql<R: Body>(head: &response::Parts, body: R) -> Error {
    let read = timeout(EXCERPT_TIME, Collect::new(body, EXCERPT_READ)).await;
    let body = read.ok().and_then(Result::ok).unwrap_or_default();
    let untrusted = Answer::read(&body).map(|answer| answer.errors).unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    // One line, of what a stranger has written.
    let mut words = text.split_whitespace().flat_map(|word| [" ", word]).skip(1).flat_map(str::chars);
    let excerpt = words.by_ref().filter(|c| !c.is_control()).take(EXCERPT).collect();
    let media_type = match head.headers.get(CONTENT_TYPE).map(HeaderValue::to_str) {
        Some(Ok(media_type)) => media_type.to_owned(),
        Some(Err(_)) => "a media type that is no text".to_owned(),
        None => "without a media type".to_owned(),
    };
    Kind::NotGraphql { status: head.status, media_type, excerpt, untrusted }.into()
}

impl<S: fmt::Debug> fmt::Debug for GraphqlClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphqlClient")
            .field("endpoint", &bartizan_core::shown_url(&self.endpoint, ".."))
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A text that is no URL.
#[derive(Debug)]
pub struct InvalidEndpoint(http::uri::InvalidUri);

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the endpoint of a GraphQL client is no URL")
    }
}

impl std::error::Error for InvalidEndpoint {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
