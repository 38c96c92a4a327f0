//! The client of bartizan-auth, for the servers of these tests.

use std::error::Error;

use bartizan_auth::oauth::{ClientAuth, ErrorCode, OAuthClient, ServerMetadata, TokenResponse};
use bartizan_auth::{
    AuthLayer, EndpointError, NoCredential, Origins, Refreshing, Secret, TokenError, Transport,
};
use bartizan_core::BoxError;
use bartizan_retry::RetryLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::browser::{User, visit};
use crate::http::{Answer, http, send};
use crate::servers::Server;

pub(crate) fn transport() -> Transport {
    Transport::new(http())
}

/// One that the server knows by that name.
pub(crate) async fn client(server: &Server, id: &str, auth: ClientAuth) -> OAuthClient {
    let found = ServerMetadata::discover(&transport(), server.issuer()).await.expect("the server says where");
    OAuthClient::new(transport(), found, id).authenticate(auth)
}

/// One that logs users in, and has a secret.
pub(crate) async fn web(server: &Server) -> OAuthClient {
    client(server, "web", ClientAuth::basic("web secret")).await
}

/// Where `web` and `app` take users back to.
pub(crate) const CALLBACK: &str = "http://127.0.0.1/callback";

/// The tokens of a user who has agreed.
pub(crate) async fn logged_in(client: &OAuthClient) -> TokenResponse {
    let mut login = client.login(CALLBACK).scope("openid read").begin().expect("a login");
    let redirect = visit(login.url(), User::Agrees).await;
    login.redirected(&redirect).expect("a code").exchange().await.expect("a token")
}

/// What the API says to a token, which nobody renews.
pub(crate) async fn asked_with(server: &Server, token: &Secret) -> Answer {
    let request = Request::get(server.uri("/resource"));
    let request = request.header("authorization", format!("Bearer {}", token.expose()));
    send(request.body(Full::default()).expect("a valid request")).await
}

/// The API takes none of the access tokens that users have any more, though their sessions go on.
pub(crate) async fn forget_tokens(server: &Server) {
    let request = Request::delete(server.uri("/tokens")).body(Full::default());
    assert_eq!(send(request.expect("a valid request")).await.status, 204);
}

pub(crate) trait Api:
    Service<Request<Full<Bytes>>, Response = Response<Incoming>, Error = BoxError, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> Api for S where
    S: Service<Request<Full<Bytes>>, Response = Response<Incoming>, Error = BoxError, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// The API of the server, through retry and auth.
pub(crate) fn api(server: &Server, tokens: Refreshing) -> impl Api + use<> {
    let origins = Origins::new([server.issuer()]).expect("the loopback");
    ServiceBuilder::new().layer(RetryLayer::new()).layer(AuthLayer::new(origins, tokens)).service(http())
}

/// Status, and whose token it was.
pub(crate) async fn whoami(server: &Server, api: impl Api) -> Result<(u16, String), BoxError> {
    let request = Request::get(server.uri("/resource")).body(Full::default())?;
    let (head, body) = api.oneshot(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok((head.status.as_u16(), String::from_utf8(body.to_vec())?))
}

/// What a call for which there was no token has to say.
pub(crate) fn why_no_token(error: &BoxError) -> (&TokenError, &EndpointError) {
    let refused = error.downcast_ref::<NoCredential>().expect("it was not sent");
    let failed =
        refused.cause().and_then(|cause| cause.downcast_ref::<TokenError>()).expect("it was fetched");
    (failed, failed.source().and_then(|cause| cause.downcast_ref()).expect("the endpoint said no"))
}

/// A permanent error in the words of RFC 6749.
#[track_caller]
pub(crate) fn assert_refused<T>(outcome: Result<T, EndpointError>, code: &ErrorCode) {
    let error = outcome.err().expect("it is refused");
    assert!(error.code() == Some(code) && error.is_permanent(), "{error}");
}

impl Server {
    /// How the requests to the token endpoint were answered.
    pub(crate) async fn token_requests(&self) -> Vec<u64> {
        let log = self.log().await;
        let asked = log.iter().filter(|entry| entry["path"] == "/token");
        asked.map(|entry| entry["status"].as_u64().expect("a status")).collect()
    }
}
