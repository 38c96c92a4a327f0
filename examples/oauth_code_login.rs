//! A command line program that logs its user in with a browser: code and PKCE, back to a port of the loopback (RFC 8252 section 7.3).
//!
//! `cargo run --example oauth_code_login` plays the authorization server and the browser; with an issuer and a client id it takes a real one, and prints
//! where to log in.

use std::net::Ipv4Addr;

use bartizan_auth::oauth::{Login, OAuthClient, ServerMetadata, TokenResponse};
use bartizan_auth::{AuthLayer, Origins, Refreshing, Transport};
use bartizan_core::BoxError;
use bartizan_test::server::{Act, Seen, Server};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tower::{ServiceBuilder, ServiceExt};

type Http = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let http: Http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
    let played = authorization_server().await?;
    let mut arguments = std::env::args().skip(1);
    let real = arguments.next().zip(arguments.next());
    let is_played = real.is_none();
    let (issuer, client_id) = real.unwrap_or_else(|| (played.uri(""), "cli".into()));

    let transport = Transport::new(http.clone());
    let server = ServerMetadata::discover(&transport, &issuer).await?;
    let client = OAuthClient::new(transport, server, client_id);

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let redirect_uri = format!("http://{}/callback", listener.local_addr()?);
    let login = client.login(&redirect_uri).scope("openid offline_access").begin()?;
    if is_played {
        println!("a browser goes to the server, which sends it back");
        tokio::spawn(browser(http.clone(), login.url().parse()?));
    } else {
        println!("log in at {}", login.url());
    }
    let token = logged_in(&listener, login).await?;
    println!("logged in: {token:?}");

    let tokens = Refreshing::new(client.refresh());
    tokens.save_token(token.token()).await?;
    let api = ServiceBuilder::new().layer(AuthLayer::new(Origins::new([&issuer])?, tokens)).service(http);
    if is_played {
        let answer = api.oneshot(Request::get(played.uri("/me")).body(Full::default())?).await?;
        println!("/me: {}", answer.status());
    }
    Ok(())
}

/// Answers the browser until the right redirect has come. Others knock too: `/favicon.ico`, or somebody who guesses ports.
async fn logged_in(listener: &TcpListener, mut login: Login) -> Result<TokenResponse, BoxError> {
    let (came, mut coming) = mpsc::channel(8);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let came = came.clone();
                let answer = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                    let came = came.clone();
                    async move {
                        came.send(request.uri().to_string()).await?;
                        Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("You may close this window.")))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(accepted?.0), answer);
                tokio::spawn(connection);
            }
            Some(redirect) = coming.recv() => match login.redirected(&redirect) {
                Ok(code) => return Ok(code.exchange().await?),
                Err(error) if error.is_elses() => println!("  {}: {error}", redirect.split('?').next().unwrap_or_default()),
                Err(error) => return Err(error.into()),
            },
        }
    }
}

/// Follows redirects, and asks for the icon first, as browsers do.
async fn browser(http: Http, mut uri: Uri) -> Result<(), BoxError> {
    loop {
        let answer = http.request(Request::get(uri).body(Full::default())?).await?;
        let Some(location) = answer.headers().get("location") else { return Ok(()) };
        uri = location.to_str()?.parse()?;
        let icon =
            Uri::builder().scheme("http").authority(uri.authority().map_or("", |place| place.as_str()));
        http.request(Request::get(icon.path_and_query("/favicon.ico").build()?).body(Full::default())?)
            .await?;
    }
}

/// One that everybody may log in to.
async fn authorization_server() -> Result<Server, BoxError> {
    let server = Server::h1(|seen: &Seen| {
        let issuer = format!("http://{}", seen.headers["host"].to_str().unwrap_or_default());
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let member = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(given, _)| *given == name).map_or_else(String::new, |(_, value)| value.to_owned())
        };
        match path {
            "/.well-known/oauth-authorization-server" => Act::reply(200).body(format!(
                r#"{{"issuer":"{issuer}","token_endpoint":"{issuer}/token","authorization_endpoint":"{issuer}/authorize",
                    "authorization_response_iss_parameter_supported":true}}"#
            )),
            "/authorize" => {
                let back = member("redirect_uri").replace("%3A", ":").replace("%2F", "/");
                let location = format!("{back}?code=c0de&state={}&iss={issuer}", member("state"));
                Act::reply(302).header("location", &location)
            }
            "/token" => Act::reply(200)
                .body(r#"{"access_token":"t1","token_type":"Bearer","expires_in":600,"refresh_token":"r1"}"#),
            "/me" if seen.headers.get("authorization").is_some_and(|given| given == "Bearer t1") => Act::reply(200),
            _ => Act::reply(401),
        }
    });
    Ok(server.await?)
}
