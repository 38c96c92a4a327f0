use graphql_client::QueryBody;
use serde::Serialize;

use crate::{InvalidVariables, Operation};

/// What `GraphQLQuery::build_query` of graphql_client returns. Read the answer with [`Reply::into_data`](crate::Reply::into_data) of its `ResponseData`:
///
/// ```
/// use bartizan_graphql::{GraphqlClient, Operation};
/// use graphql_client::GraphQLQuery;
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
///
/// #[derive(GraphQLQuery)]
/// #[graphql(schema_path = "tests/generated/schema.graphql", query_path = "tests/generated/stars.graphql")]
/// struct Stars;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let http = tower::service_fn(async |_: Request<Full<Bytes>>| {
/// #     let answer = Response::builder().header("content-type", "application/json");
/// #     answer.body(Full::<Bytes>::from(r#"{"data":{"repository":{"stars":7}}}"#))
/// # });
/// let github = GraphqlClient::new("https://api.example.com/graphql", http)?;
/// let operation = Operation::try_from(Stars::build_query(stars::Variables { name: "tower".into() }))?;
/// let found: stars::ResponseData = github.send(operation).await?.into_data()?;
/// assert_eq!(found.repository.map(|repository| repository.stars), Some(7));
/// # Ok(()) }
/// ```
impl<V: Serialize> TryFrom<QueryBody<V>> for Operation {
    type Error = InvalidVariables;

    fn try_from(body: QueryBody<V>) -> Result<Self, InvalidVariables> {
        Self::new(body.query).name(body.operation_name).variables(&body.variables)
    }
}
