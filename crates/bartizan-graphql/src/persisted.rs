//! Automatic persisted queries: the hash of a document goes in the place of the document.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bartizan_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::timeout;
use tower_service::Service;

use crate::documents::{Document, OperationType};
use crate::request::Written;
use crate::{Error, GraphqlClient, GraphqlError, Operation, Reply};

/// What a client knows of the documents that its server has.
#[derive(Clone, Default)]
pub(crate) struct Persisted {
    shared: Arc<Shared>,
    by_get: bool,
}

#[derive(Default)]
struct Shared {
    known: Mutex<HashMap<String, Arc<Registration>>>,
    /// The server has said that it does not know how.
    is_unsupported: AtomicBool,
    /// It has shown that it does.
    is_supported: AtomicBool,
}

/// One document. Whoever holds the lock finds out whether the server has it; all others wait for that, and none of them is needed for it.
#[derive(Default)]
struct Registration(tokio::sync::Mutex<State>);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct State {
    is_there: bool,
    /// How often it was registered: who was told that it is not there knows by that whether somebody has mended it meanwhile.
    times: u64,
}

/// So many are remembered. A server forgets too.
const MOST: usize = 10_000;
/// So long another one is waited for who finds out whether the server has the document.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a server says to a hash.
enum Said {
    Answer(Result<Reply, Error>),
    NotFound,
    Unsupported,
}

impl Persisted {
    pub(crate) fn by_get(self) -> Self {
        Self { by_get: true, ..self }
    }

    pub(crate) async fn send<S, R>(
        &self,
        client: &GraphqlClient<S>,
        operation: &Operation,
        document: &Document,
        kind: Option<OperationType>,
    ) -> Result<Reply, Error>
    where
        S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
        S::Error: Into<BoxError>,
        R: Body,
        R::Error: Into<BoxError>,
    {
        let plain = Written { operation, kind, is_hashed: false, extensions: &operation.extensions };
        if self.shared.is_unsupported.load(Ordering::Relaxed) {
            return client.exchange(client.post(&plain)).await;
        }
        let hash = document.hash(&operation.document);
        let mut extensions = operation.extensions.clone();
        extensions.insert("persistedQuery".to_owned(), persisted_query(hash));
        let whole = Written { extensions: &extensions, ..plain };
        let hashed = Written { is_hashed: true, ..whole };
        let registration = self.shared.registration(hash);
        // Twice at most: the server may forget it in between.
        for _ in 0..2 {
            // Who waits for too long says it himself: once more does no harm.
            let Ok(mut state) = timeout(PATIENCE, registration.0.lock()).await else { break };
            // Whoever was waited for may have found out.
            if self.shared.is_unsupported.load(Ordering::Relaxed) {
                drop(state);
                return client.exchange(client.post(&plain)).await;
            }
            let seen = *state;
            if seen.is_there {
                drop(state);
                match self.ask(client, &hashed).await {
                    Said::Answer(answer) => return answer,
                    Said::Unsupported => return self.unsupported(client, &plain).await,
                    // Unless somebody has said it again meanwhile.
                    Said::NotFound => {
                        let Ok(mut state) = timeout(PATIENCE, registration.0.lock()).await else { break };
                        state.is_there &= *state != seen;
                    }
                }
                continue;
            }
            if seen.times == 0 {
                // Perhaps another client has said it.
                match self.ask(client, &hashed).await {
                    // A server that does not look at extensions says that there is no document, in words of its own. Nothing was executed, so the document can
                    // be said; if that helps, it was meant.
                    Said::Answer(answer) if is_refused(&answer) && !self.shared.is_supported() => {
                        let answer = client.exchange(client.post(&plain)).await;
                        if has_data(&answer) {
                            self.shared.is_unsupported.store(true, Ordering::Relaxed);
                        }
                        return answer;
                    }
                    Said::Answer(answer) => {
                        state.note(&answer);
                        return answer;
                    }
                    Said::Unsupported => {
                        // Those who wait have nothing to wait for any more.
                        self.shared.is_unsupported.store(true, Ordering::Relaxed);
                        drop(state);
                        return client.exchange(client.post(&plain)).await;
                    }
                    Said::NotFound => {}
                }
            }
            let answer = client.exchange(client.post(&whole)).await;
            state.note(&answer);
            return answer;
        }
        client.exchange(client.post(&whole)).await
    }

    /// Whether the server knows the hash.
    async fn ask<S, R>(&self, client: &GraphqlClient<S>, hashed: &Written<'_>) -> Said
    where
        S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
        S::Error: Into<BoxError>,
        R: Body,
        R::Error: Into<BoxError>,
    {
        let by_get = if self.by_get { client.get(hashed) } else { None };
        let answer = client.exchange(by_get.unwrap_or_else(|| client.post(hashed))).await;
        let errors = match &answer {
            Ok(reply) => reply.errors(),
            Err(error) => error.untrusted_errors(),
        };
        let said = errors.iter().find_map(refusal);
        if matches!(said, Some(Said::NotFound)) || (said.is_none() && has_data(&answer)) {
            self.shared.is_supported.store(true, Ordering::Relaxed);
        }
        said.unwrap_or(Said::Answer(answer))
    }

    async fn unsupported<S, R>(&self, client: &GraphqlClient<S>, plain: &Written<'_>) -> Result<Reply, Error>
    where
        S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
        S::Error: Into<BoxError>,
        R: Body,
        R::Error: Into<BoxError>,
    {
        self.shared.is_unsupported.store(true, Ordering::Relaxed);
        client.exchange(client.post(plain)).await
    }
}

impl Shared {
    fn is_supported(&self) -> bool {
        self.is_supported.load(Ordering::Relaxed)
    }

    fn registration(&self, hash: &str) -> Arc<Registration> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registration) = known.get(hash) {
            return registration.clone();
        }
        let registration = Arc::<Registration>::default();
        if known.len() < MOST {
            known.insert(hash.to_owned(), registration.clone());
        }
        registration
    }
}

impl State {
    /// The server has read the document, or known it, if it has answered at all.
    fn note(&mut self, answer: &Result<Reply, Error>) {
        if answer.is_ok() {
            *self = Self { is_there: true, times: self.times + 1 };
        }
    }
}

/// The code, or the message where a server has no codes: by whatever status they come.
fn refusal(error: &GraphqlError) -> Option<Said> {
    match (error.code(), error.message()) {
        (Some("PERSISTED_QUERY_NOT_FOUND"), _) | (_, "PersistedQueryNotFound") => Some(Said::NotFound),
        (Some("PERSISTED_QUERY_NOT_SUPPORTED"), _) | (_, "PersistedQueryNotSupported") => {
            Some(Said::Unsupported)
        }
        // What a server says that does not look at extensions.
        (_, message) if message.starts_with("Must provide query") => Some(Said::Unsupported),
        _ => None,
    }
}

fn has_data(answer: &Result<Reply, Error>) -> bool {
    answer.as_ref().is_ok_and(|reply| reply.data().is_some())
}

/// Whether the server could not make sense of the request, as far as can be said. Errors with a path are of an execution, and whoever is throttled or not
/// let in is told by a code.
fn is_refused(answer: &Result<Reply, Error>) -> bool {
    let is_of_the_request = |error: &GraphqlError| {
        error.path().is_empty() && matches!(error.code(), None | Some("BAD_REQUEST" | "GRAPHQL_PARSE_FAILED"))
    };
    match answer {
        Ok(reply) => reply.data().is_none() && reply.errors().iter().all(is_of_the_request),
        Err(error) => {
            error.is_not_graphql()
                && error.status().is_some_and(|status| matches!(status.as_u16(), 400 | 422))
        }
    }
}

fn persisted_query(hash: &str) -> Box<RawValue> {
    to_raw_value(&json!({ "sha256Hash": hash, "version": 1 })).expect("a text and a number are JSON")
}
