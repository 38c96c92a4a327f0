//! Redirects to origins that differ by one thing: the scheme, the host or the port.

use bartizan_auth::{ApiKey, AuthLayer, Authorizer, Bearer, Origins};
use bartizan_core::BoxError;
use bartizan_test::server::{Act, Seen, Server};
use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower::ServiceBuilder;
use tower_http::follow_redirect::FollowRedirectLayer;
use tower_http::follow_redirect::policy::{Limited, PolicyExt};

use crate::tls::{Authority, TlsServer};
use crate::{SECRET, follow, has_secret};

type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Speaks both, and trusts `authority`.
fn https(authority: &Authority) -> Result<Https, BoxError> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes())?)?;
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

enum Host {
    Plain(Server),
    Tls(TlsServer),
}

impl Host {
    async fn start(
        authority: &Authority,
        scheme: &str,
        script: impl Fn(&Seen) -> Act + Clone + Send + Sync + 'static,
    ) -> Result<Self, BoxError> {
        if scheme == "http" {
            return Ok(Self::Plain(Server::h1(script).await?));
        }
        let names = ["127.0.0.1", "localhost"];
        Ok(Self::Tls(TlsServer::start(authority, &names, &["http/1.1"], script).await?))
    }

    fn uri(&self, path: &str) -> String {
        match self {
            Self::Plain(server) => server.uri(path),
            Self::Tls(server) => server.uri(path),
        }
    }

    fn requests(&self) -> Vec<Seen> {
        match self {
            Self::Plain(server) => server.log().requests(),
            Self::Tls(server) => [server.http1.log().requests(), server.http2.log().requests()].concat(),
        }
    }
}

/// Twice by a redirect with the status that the path says, the second time to `elsewhere`. Some servers repeat the query in what they redirect to.
fn leads(elsewhere: String) -> impl Fn(&Seen) -> Act + Clone {
    move |seen: &Seen| {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let port = seen.headers["host"].to_str().unwrap_or_default().rsplit(':').next().unwrap_or_default();
        let elsewhere = elsewhere.replace("PORT", port);
        match path.rsplit_once('/') {
            Some((status, "start")) => {
                Act::reply(number(status)).header("location", &format!("{status}/same{query}"))
            }
            Some((status, "same")) => {
                Act::reply(number(status)).header("location", &format!("{elsewhere}{status}/there{query}"))
            }
            _ => Act::reply(200).body("there"),
        }
    }
}

fn number(path: &str) -> u16 {
    path.trim_start_matches('/').parse().unwrap_or(500)
}

async fn redirected<A: Authorizer>(
    client: &Https,
    here: &str,
    status: u16,
    is_outside: bool,
    authorizer: A,
) -> Result<(), BoxError> {
    let auth = AuthLayer::new(Origins::new([here])?, authorizer);
    let start = format!("{here}/{status}/start");
    let answer = if is_outside {
        let policy = auth.redirect_policy().and::<_, Full<Bytes>, Error>(Limited::new(5));
        let stack = ServiceBuilder::new().layer(auth.clone()).layer(FollowRedirectLayer::with_policy(policy));
        follow(stack.service(client.clone()), &start).await?
    } else {
        let follower = FollowRedirectLayer::with_policy(Limited::new(5));
        follow(ServiceBuilder::new().layer(follower).layer(auth).service(client.clone()), &start).await?
    };
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"there"[..]));
    Ok(())
}

/// From one origin of a server to `elsewhere`, which is another server or, as there is none, another origin of that one: by all redirects, with what puts
/// a credential at each place.
async fn nothing_leaks(
    authority: &Authority,
    server: &Host,
    origin: &str,
    elsewhere: Option<&Host>,
) -> Result<(), BoxError> {
    let client = https(authority)?;
    for status in [301, 302, 303, 307, 308] {
        for is_outside in [false, true] {
            let (seen, seen_there) = (server.requests().len(), elsewhere.map_or(0, |it| it.requests().len()));
            redirected(&client, origin, status, is_outside, Bearer::new(SECRET)?).await?;
            redirected(&client, origin, status, is_outside, ApiKey::new(SECRET)?).await?;
            redirected(&client, origin, status, is_outside, ApiKey::query("key", SECRET)?).await?;
            let mut at_home = server.requests().split_off(seen);
            let away = match elsewhere {
                Some(elsewhere) => elsewhere.requests().split_off(seen_there),
                None => at_home.extract_if(.., |seen| seen.path.contains("/there")).collect(),
            };
            assert_eq!((at_home.len(), away.len()), (6, 3), "{status} {is_outside}");
            assert!(at_home.iter().all(has_secret), "{status} {is_outside}: {at_home:?}");
            assert!(!away.iter().any(has_secret), "{status} {is_outside}: {away:?}");
        }
    }
    Ok(())
}

/// Between two origins of one server: the same port of the loopback.
async fn between(from: &str, to: &str) -> Result<(), BoxError> {
    let authority = Authority::new("ours")?;
    let server = Host::start(&authority, "https", leads(format!("{to}:PORT"))).await?;
    let port = server.uri("").trim_end_matches('/').rsplit(':').next().unwrap_or_default().to_owned();
    nothing_leaks(&authority, &server, &format!("{from}:{port}"), None).await
}

#[tokio::test]
async fn no_credential_follows_a_redirect_from_https_to_http() -> Result<(), BoxError> {
    between("https://127.0.0.1", "http://127.0.0.1").await
}

#[tokio::test]
async fn no_credential_follows_a_redirect_from_http_to_https() -> Result<(), BoxError> {
    between("http://127.0.0.1", "https://127.0.0.1").await
}

#[tokio::test]
async fn no_credential_follows_a_redirect_to_another_host() -> Result<(), BoxError> {
    between("https://127.0.0.1", "https://localhost").await?;
    between("http://127.0.0.1", "http://localhost").await
}

#[tokio::test]
async fn no_credential_follows_a_redirect_to_another_port() -> Result<(), BoxError> {
    let authority = Authority::new("ours")?;
    for scheme in ["http", "https"] {
        let other = Host::start(&authority, scheme, |_: &Seen| Act::reply(200).body("there")).await?;
        let here = Host::start(&authority, scheme, leads(other.uri(""))).await?;
        nothing_leaks(&authority, &here, here.uri("").trim_end_matches('/'), Some(&other)).await?;
    }
    Ok(())
}
