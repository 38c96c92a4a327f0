//! The client of one line over TLS, against a server on a loopback port with a certificate of the test's own.

#![allow(missing_docs)]

#[path = "tls/proxy.rs"]
mod proxy;
#[path = "tls/server.rs"]
mod server;

use bartizan::retry::RetryLayer;
use bartizan::{Client, ClientBuilder};
use bartizan_core::BoxError;
use bartizan_test::server::{Act, Server};
use http::Version;
use proxy::ConnectProxy;
use server::{Authority, TlsServer};

const BOTH: [&str; 2] = ["h2", "http/1.1"];

fn seven() -> Act {
    Act::reply(200).body("7")
}

/// A client that trusts `authority`, and tries once.
fn client(base_url: &str, authority: &Authority) -> ClientBuilder {
    Client::builder(base_url).retry(RetryLayer::disabled()).root_certificate_pem(authority.pem())
}

#[tokio::test]
async fn the_version_is_agreed_on() -> Result<(), BoxError> {
    let authority = Authority::new("ours")?;
    let both = TlsServer::start(&authority, &["127.0.0.1"], &BOTH, seven()).await?;
    let old = TlsServer::start(&authority, &["127.0.0.1"], &["http/1.1"], seven()).await?;
    let none = TlsServer::start(&authority, &["127.0.0.1"], &[], seven()).await?;
    for (server, builder, version) in [
        (&both, client(&both.uri("/v1"), &authority), Version::HTTP_2),
        (&both, client(&both.uri("/v1"), &authority).http2_only(), Version::HTTP_2),
        (&both, client(&both.uri("/v1"), &authority).http1_only(), Version::HTTP_11),
        (&old, client(&old.uri("/v1"), &authority), Version::HTTP_11),
        (&none, client(&none.uri("/v1"), &authority), Version::HTTP_11),
    ] {
        let reply = builder.build()?.get("users").fetch_reply::<u32>().await?.into_response();
        assert_eq!((reply.version(), reply.body()), (version, &Some(7)));
        let behind = if version == Version::HTTP_2 { &server.http2 } else { &server.http1 };
        assert_eq!(behind.log().requests().pop().map(|seen| seen.path).as_deref(), Some("/v1/users"));
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_and_nothing_sent() -> Result<(), BoxError> {
    let authority = Authority::new("ours")?;
    let server = TlsServer::start(&authority, &["other.example"], &BOTH, seven()).await?;
    let error = client(&server.uri(""), &authority).build()?.get("a").send().await.expect_err("refused");
    assert!(error.is_connect(), "{error}");
    let message = error.to_string();
    assert!(message.starts_with(&format!("GET {}: ", server.uri("/a"))), "{message}");
    assert!(message.contains("certificate not valid for name \"127.0.0.1\""), "{message}");
    assert!(message.contains("other.example"), "{message}");
    assert!(server.http1.log().requests().is_empty() && server.http2.log().requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_and_nothing_sent() -> Result<(), BoxError> {
    let (authority, other) = (Authority::new("ours")?, Authority::new("other")?);
    let server = TlsServer::start(&authority, &["127.0.0.1"], &BOTH, seven()).await?;
    let error = client(&server.uri(""), &other).build()?.get("a").send().await.expect_err("refused");
    assert!(error.is_connect(), "{error}");
    assert!(error.to_string().contains("invalid peer certificate: UnknownIssuer"), "{error}");
    assert!(server.http1.log().requests().is_empty() && server.http2.log().requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn several_roots_are_all_trusted() -> Result<(), BoxError> {
    let (authority, other, third) =
        (Authority::new("ours")?, Authority::new("other")?, Authority::new("third")?);
    let server = TlsServer::start(&authority, &["127.0.0.1"], &BOTH, seven()).await?;
    for builder in [
        client(&server.uri(""), &other).root_certificate_pem(authority.pem()),
        client(&server.uri(""), &authority).root_certificate_pem(other.pem()),
        client(&server.uri(""), &third).root_certificate_pem(other.pem() + &authority.pem()),
    ] {
        assert_eq!(builder.build()?.get("a").fetch_one::<u32>().await?, 7);
    }
    Ok(())
}

#[tokio::test]
async fn a_tunnel_through_a_proxy_ends_at_the_server() -> Result<(), BoxError> {
    let authority = Authority::new("ours")?;
    let server = TlsServer::start(&authority, &["api.example.com"], &BOTH, seven()).await?;
    let proxy = ConnectProxy::start(server.addr).await?;
    let through = format!("http://{}", proxy.addr);
    let client = client("https://api.example.com/v1", &authority).proxy(&through).build()?;
    let reply = client.get("users").header("authorization", "Bearer s3cret").send().await?;
    assert_eq!(reply.text().await?.into_body(), "7");
    let seen = &server.http2.log().requests()[0];
    assert_eq!(
        (seen.path.as_str(), &seen.headers["authorization"]),
        ("/v1/users", &"Bearer s3cret".parse()?)
    );
    let [head] = &proxy.asked()[..] else { panic!("one tunnel: {:?}", proxy.asked()) };
    assert!(head.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("s3cret"), "{head}");
    Ok(())
}

#[tokio::test]
async fn a_redirect_to_a_plain_url_is_not_followed() -> Result<(), BoxError> {
    let authority = Authority::new("ours")?;
    let plain = Server::h1(seven()).await?;
    let away = Act::reply(307).header("location", &plain.uri("/there"));
    let server = TlsServer::start(&authority, &["127.0.0.1"], &BOTH, away).await?;
    let error = client(&server.uri(""), &authority).build()?.get("a").send().await.expect_err("not 2xx");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(307));
    assert!(plain.log().requests().is_empty());
    Ok(())
}
