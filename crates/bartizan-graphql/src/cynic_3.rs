use serde::Serialize;

use crate::{InvalidVariables, Operation};

/// What `QueryBuilder::build` and `MutationBuilder::build` of cynic return. Read the answer with [`Reply::into_data`](crate::Reply::into_data) of the
/// fragment:
///
/// ```
/// use bartizan_graphql::{GraphqlClient, Operation};
/// use cynic::QueryBuilder;
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
///
/// mod schema {
///     cynic::use_schema!("tests/generated/schema.graphql");
/// }
///
/// #[derive(cynic::QueryVariables)]
/// struct Named {
///     name: String,
/// }
///
/// #[derive(cynic::QueryFragment)]
/// #[cynic(schema_path = "tests/generated/schema.graphql", graphql_type = "Query", variables = "Named")]
/// struct Stars {
///     #[arguments(name: $name)]
///     repository: Option<Repository>,
/// }
///
/// #[derive(cynic::QueryFragment)]
/// #[cynic(schema_path = "tests/generated/schema.graphql")]
/// struct Repository {
///     stars: i32,
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let http = tower::service_fn(async |_: Request<Full<Bytes>>| {
/// #     let answer = Response::builder().header("content-type", "application/json");
/// #     answer.body(Full::<Bytes>::from(r#"{"data":{"repository":{"stars":7}}}"#))
/// # });
/// let github = GraphqlClient::new("https://api.example.com/graphql", http)?;
/// let operation = Operation::try_from(Stars::build(Named { name: "tower".into() }))?;
/// let found: Stars = github.send(operation).await?.into_data()?;
/// assert_eq!(found.repository.map(|repository| repository.stars), Some(7));
/// # Ok(()) }
/// ```
impl<T, V: Serialize> TryFrom<cynic::Operation<T, V>> for Operation {
    type Error = InvalidVariables;

    fn try_from(operation: cynic::Operation<T, V>) -> Result<Self, InvalidVariables> {
        let ours = Self::new(operation.query).variables(&operation.variables)?;
        Ok(match operation.operation_name {
            Some(name) => ours.name(name.as_ref()),
            None => ours,
        })
    }
}
