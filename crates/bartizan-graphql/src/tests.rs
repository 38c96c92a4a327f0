mod answers;
mod batch;
mod persisted;
mod wire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bartizan_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::util::BoxCloneSyncService;

use super::*;

type Http = BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;

/// A server that does as it is told, and remembers what it was asked.
#[derive(Clone, Default)]
struct Server {
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Server {
    fn client(
        &self,
        answer: impl Fn(&Request<Bytes>) -> Result<Response<Full<Bytes>>, BoxError>
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> GraphqlClient<Http> {
        let asked = self.asked.clone();
        let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
            let (asked, answer) = (asked.clone(), answer.clone());
            async move {
                let (head, body) = request.into_parts();
                let request = Request::from_parts(head, body.collect().await?.to_bytes());
                // As over a wire: somebody else may be served meanwhile.
                tokio::task::yield_now().await;
                let answer = answer(&request);
                asked.lock().unwrap().push(request);
                tokio::task::yield_now().await;
                answer
            }
        });
        GraphqlClient::new("https://api.example.com/graphql?v=1", BoxCloneSyncService::new(service)).unwrap()
    }

    /// These answers, one after the other.
    fn answering(&self, answers: impl IntoIterator<Item = Response<Full<Bytes>>>) -> GraphqlClient<Http> {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        self.client(move |_| Ok(answers.lock().unwrap().pop_front().expect("an answer is left")))
    }

    fn asked(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

const ITS_OWN: &str = "application/graphql-response+json; charset=utf-8";

fn answer(status: u16, media_type: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("content-type", media_type)
        .body(Full::new(body.into()))
        .unwrap()
}

fn json_answer(value: &Value) -> Response<Full<Bytes>> {
    answer(200, "application/json", value.to_string())
}

fn body(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}
