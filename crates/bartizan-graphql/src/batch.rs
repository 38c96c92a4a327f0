use std::fmt;
use std::marker::PhantomData;

use bartizan_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use serde::de::DeserializeOwned;
use tower_service::Service;

use crate::error::Kind;
use crate::join::join_all;
use crate::merge::{self, Sending, Verdict};
use crate::outcome::Kind as Meaning;
use crate::{Codes, Error, GraphqlClient, GraphqlError, Operation, OperationType, Reply};

/// An operation whose data is to be a `T`, see [`Operation::typed`].
pub struct Typed<T> {
    operation: Operation,
    data: PhantomData<fn() -> T>,
}

impl Operation {
    /// The same, whose data is to be a `T`: for [`GraphqlClient::batch`].
    pub fn typed<T: DeserializeOwned>(self) -> Typed<T> {
        Typed { operation: self, data: PhantomData }
    }
}

/// What may be in a batch: an [`Operation`], answered by a [`Reply`], and one with a type, answered by that.
pub trait Asked {
    /// What it is answered by.
    type Answer;

    /// What is asked.
    fn operation(&self) -> &Operation;

    /// What has come of it.
    fn read(self, result: Result<Reply, Error>) -> Self::Answer;
}

impl Asked for Operation {
    type Answer = Result<Reply, Error>;

    fn operation(&self) -> &Operation {
        self
    }

    fn read(self, result: Result<Reply, Error>) -> Self::Answer {
        result
    }
}

impl<T: DeserializeOwned> Asked for Typed<T> {
    type Answer = Result<T, Error>;

    fn operation(&self) -> &Operation {
        &self.operation
    }

    fn read(self, result: Result<Reply, Error>) -> Self::Answer {
        result?.into_data()
    }
}

/// Several that are asked at once: an array, a `Vec`, or a tuple of up to eight, each of a type of its own.
pub trait Batch {
    /// What each came to, in their order.
    type Answers;

    /// What is asked.
    fn operations(&self) -> Vec<Operation>;

    /// What has come of each.
    fn read(self, results: Vec<Result<Reply, Error>>) -> Self::Answers;
}

impl<A: Asked> Batch for Vec<A> {
    type Answers = Vec<A::Answer>;

    fn operations(&self) -> Vec<Operation> {
        self.iter().map(|asked| asked.operation().clone()).collect()
    }

    fn read(self, results: Vec<Result<Reply, Error>>) -> Self::Answers {
        self.into_iter().zip(results).map(|(asked, result)| asked.read(result)).collect()
    }
}

impl<A: Asked, const N: usize> Batch for [A; N] {
    type Answers = [A::Answer; N];

    fn operations(&self) -> Vec<Operation> {
        self.iter().map(|asked| asked.operation().clone()).collect()
    }

    fn read(self, results: Vec<Result<Reply, Error>>) -> Self::Answers {
        let mut results = results.into_iter();
        self.map(|asked| asked.read(results.next().expect("each has a result")))
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => {
        $(
            impl<$($name: Asked),+> Batch for ($($name,)+) {
                type Answers = ($($name::Answer,)+);

                fn operations(&self) -> Vec<Operation> {
                    #[allow(non_snake_case, reason = "each has the name of its type")]
                    let ($($name,)+) = self;
                    vec![$($name.operation().clone()),+]
                }

                fn read(self, results: Vec<Result<Reply, Error>>) -> Self::Answers {
                    let mut results = results.into_iter();
                    #[allow(non_snake_case, reason = "each has the name of its type")]
                    let ($($name,)+) = self;
                    ($($name.read(results.next().expect("each has a result")),)+)
                }
            }
        )+
    };
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}

impl<S, R> GraphqlClient<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body,
    R::Error: Into<BoxError>,
{
    /// Asks several at once, in as few requests as can be, and gives each what it would have got alone.
    ///
    /// Queries are merged into one operation, in which those of the first have the alias `query0_..`, and so on; what cannot be merged for sure goes alone, beside
    /// it. Where an error of one has taken the data of all, those that are innocent of it are sent again, alone; where the server takes nothing of this caller (`THROTTLED`,
    /// `UNAUTHENTICATED`), each is told so, and none is sent again. Mutations go alone, one after the other, unless
    /// [`Settings::with_mutations`](crate::Settings::with_mutations) says else.
    ///
    /// ```
    /// use bartizan_graphql::{GraphqlClient, Operation};
    /// use serde_json::json;
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # use http_body_util::Full;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Viewer {
    ///     login: String,
    /// }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Limit {
    ///     left: u32,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let http = tower::service_fn(async |_: Request<Full<Bytes>>| {
    /// #     let answer = Response::builder().header("content-type", "application/json");
    /// #     answer.body(Full::<Bytes>::from(r#"{"data":{"query0_login":"me","query1_left":7}}"#))
    /// # });
    /// let client = GraphqlClient::new("https://api.example.com/graphql", http)?;
    /// let (viewer, limit) = client
    ///     .batch((Operation::new("{ login }").typed::<Viewer>(), Operation::new("{ left }").typed::<Limit>()))
    ///     .await;
    /// assert_eq!((viewer?.login, limit?.left), ("me".to_owned(), 7));
    /// # Ok(()) }
    /// ```
    pub async fn batch<B: Batch>(&self, batch: B) -> B::Answers {
        let operations = batch.operations();
        let (mutations, queries) = merge::plan(&operations, self.settings)
            .into_iter()
            .partition::<Vec<Sending>, _>(|sending| !self.is_query(sending, &operations));
        let in_order = async {
            let mut results = Vec::new();
            for sending in &mutations {
                results.extend(self.share(sending, &operations).await);
            }
            results
        };
        let all_at_once = join_all(queries.iter().map(|sending| self.share(sending, &operations)));
        let (at_once, in_order) = join(all_at_once, in_order).await;
        let mut results: Vec<_> = at_once.into_iter().flatten().chain(in_order).collect();
        results.sort_unstable_by_key(|(index, _)| *index);
        batch.read(results.into_iter().map(|(_, result)| result).collect())
    }

    fn is_query(&self, sending: &Sending, operations: &[Operation]) -> bool {
        sending.members().iter().all(|index| {
            let Operation { document, name, .. } = &operations[*index];
            self.documents.get(document).operation_type(name.as_deref()) == Some(OperationType::Query)
        })
    }

    /// What has come of each operation of a request.
    async fn share(&self, sending: &Sending, operations: &[Operation]) -> Vec<(usize, Result<Reply, Error>)> {
        let members = sending.members();
        let reply = match self.send(sending.operation().clone()).await {
            Ok(reply) => reply,
            Err(error) => return members.iter().map(|index| (*index, Err(error.clone()))).collect(),
        };
        if members.len() > 1 && is_about_the_caller(&reply, &self.codes) {
            return members.iter().map(|index| (*index, Ok(reply.clone()))).collect();
        }
        let Reply { answer, status, headers } = reply;
        let own = sending.split(answer).into_iter().map(|(index, verdict)| {
            let headers = headers.clone();
            async move {
                let result = match verdict {
                    Verdict::Own(answer) => Ok(Reply { answer, status, headers }),
                    Verdict::Again => self.send(operations[index].clone()).await,
                    Verdict::Lost(errors) => Err(Kind::Lost(errors).into()),
                };
                (index, result)
            }
        });
        join_all(own).await
    }
}

/// The server takes nothing of this caller, now or at all: it would say so to each, and to ask it again for each would make it worse.
fn is_about_the_caller(reply: &Reply, codes: &Codes) -> bool {
    let kind = |error: &GraphqlError| error.code().and_then(|code| codes.kind(code));
    let is_about_all = |error: &GraphqlError| {
        error.path().is_empty()
            && matches!(kind(error), Some(Meaning::Throttled | Meaning::Overloaded | Meaning::Auth))
    };
    reply.data().is_none() && reply.errors().iter().all(is_about_all)
}

async fn join<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (None, None);
    // One type for both.
    let first = async { a = Some(first.await) };
    let second = async { b = Some(second.await) };
    let parts: [std::pin::Pin<Box<dyn Future<Output = ()> + '_>>; 2] = [Box::pin(first), Box::pin(second)];
    join_all(parts).await;
    (a.expect("it is done"), b.expect("it is done"))
}

impl<T> Clone for Typed<T> {
    fn clone(&self) -> Self {
        Self { operation: self.operation.clone(), data: PhantomData }
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.operation).finish()
    }
}
