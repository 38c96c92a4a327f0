//! OAuth: what clients prove themselves with, what logins keep, and what servers give; and who is let through on the server side.

use std::future::ready;

use bartizan::auth::oauth::{ClientAuth, OAuthClient, PendingLogin, ServerMetadata};
use bartizan::auth::server::{
    ApiKeys, BasicUsers, BearerTokens, Principals, SecretDigest, Verifier, VerifyLayer,
};
use bartizan::auth::{JsonRefresh, Secret, SigningKey, TokenSource, Transport};
use http::StatusCode;

use super::*;

/// A server that answers each request with this.
fn transport(status: u16, body: String) -> Transport {
    Transport::new(tower::service_fn(move |_: Request<Full<Bytes>>| {
        let answer = Response::builder().status(status).body(Full::<Bytes>::from(body.clone()));
        ready(answer.map_err(BoxError::from))
    }))
}

/// All that servers give.
fn given() -> Transport {
    let secret = plain("given");
    let body = format!(
        r#"{{"access_token":"{secret}","refresh_token":"{secret}","id_token":"{secret}","session":"{secret}",
            "device_code":"{secret}","user_code":"u","verification_uri":"https://as.example/d","interval":1}}"#
    );
    transport(200, body)
}

fn client(transport: Transport) -> OAuthClient {
    let server = ServerMetadata::new("https://as.example/t")
        .and_then(|server| server.authorization_endpoint("https://as.example/a"))
        .and_then(|server| server.device_authorization_endpoint("https://as.example/d"))
        .and_then(|server| server.revocation_endpoint("https://as.example/r"));
    OAuthClient::new(transport, server.expect("endpoints"), "client")
}

const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIOfxugW6mZ5uRQNtcHyMKeVGznnLBTlq40M04g7HR48w\n\
    -----END PRIVATE KEY-----\n";

#[tokio::test(start_paused = true)]
async fn what_clients_of_oauth_have_and_get_shows_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let key = SigningKey::ed25519(KEY).expect("a key");
    assert!(!format!("{key:?}").contains("4cbp"), "{key:?}");
    leaks.error("SigningKey", &SigningKey::es256(&plain("key")).expect_err("refused"));
    for auth in [
        ClientAuth::basic(plain("secret")),
        ClientAuth::basic_raw(plain("secret")),
        ClientAuth::post(plain("secret")),
        ClientAuth::private_key_jwt(key),
    ] {
        leaks.value("ClientAuth", &auth);
        let client = client(given()).authenticate(auth);
        leaks.value("OAuthClient", &client);
        let grant = client.client_credentials().parameter("password", plain("parameter"));
        leaks.value("ClientCredentials", &grant);
        leaks.value("TokenResponse", &grant.token().await.expect("a token"));
        leaks.value("Token", &grant.fetch(None).await.expect("a token"));
        leaks.value("Refresh", &client.refresh());
        let refreshed = client.refresh().token(&Secret::from(plain("refresh"))).await;
        leaks.value("TokenResponse", &refreshed.expect("a token"));
        let device = client.device().parameter("password", plain("parameter"));
        leaks.value("DeviceBuilder", &device);
        let mut device = device.begin().await.expect("a code");
        leaks.value("DeviceLogin", &device);
        leaks.value("TokenResponse", &device.wait().await.expect("a token"));
        let login = client.login("http://127.0.0.1/").parameter("login_hint", plain("parameter"));
        leaks.value("LoginBuilder", &login);
        leaks.value("Login", &login.begin().expect("a login"));
        let pending = PendingLogin::new(plain("state"), Some(plain("verifier").into()), "http://127.0.0.1/");
        leaks.value("PendingLogin", &pending);
        let mut login = client.resume(pending);
        leaks.value("Login", &login);
        for redirect in [format!("/?code={}", plain("code")), format!("/?state={}", plain("other"))] {
            leaks.error("RedirectError", &login.redirected(&redirect).expect_err("another login's"));
        }
        let redirect = format!("/?code={}&state={}", plain("code"), plain("state"));
        let code = login.redirected(&redirect).expect("its own");
        leaks.value("AuthorizationCode", &code);
        leaks.value("TokenResponse", &code.exchange().await.expect("a token"));
        leaks.error("RedirectError", &login.redirected(&redirect).expect_err("it was used"));
    }
    let refresh = JsonRefresh::new(given(), "https://api.example.com/refresh?key=1").expect("a URL");
    leaks.value("JsonRefresh", &refresh.names("access_token", "refresh", "ttl"));
    leaks.assert_none();
}

#[tokio::test(start_paused = true)]
async fn what_servers_of_oauth_refuse_shows_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let secret = plain("body");
    for (status, body) in [
        (200, secret.clone()),
        (200, format!(r#"{{"token":"{secret}"}}"#)),
        (200, format!(r#"{{"access_token":"{secret} x"}}"#)),
        (200, format!(r#"{{"access_token":"{secret}","token_type":"mac"}}"#)),
        (302, secret.clone()),
        (400, r#"{"error":"invalid_grant"}"#.into()),
        (503, secret.clone()),
    ] {
        let client = client(transport(status, body.clone())).authenticate(ClientAuth::post(plain("secret")));
        let token = Secret::from(plain("refresh"));
        leaks.error("EndpointError", &client.refresh().token(&token).await.expect_err("refused"));
        leaks.error("TokenError", &client.refresh().fetch(Some(token.clone())).await.expect_err("refused"));
        if status != 200 {
            leaks.error("EndpointError", &client.revoke(&token).await.expect_err("refused"));
        }
        let refresh =
            JsonRefresh::new(transport(status, body), "https://api.example.com/refresh").expect("a URL");
        leaks.error("TokenError", &refresh.fetch(Some(token)).await.expect_err("refused"));
    }
    for url in [format!("https://user:{secret}@as.example/"), format!("http://as.example/{secret}?{secret}")]
    {
        leaks.error("ServerMetadata", &ServerMetadata::new(&url).expect_err("refused"));
        leaks.error("JsonRefresh", &JsonRefresh::new(given(), &url).expect_err("refused"));
        leaks.error("EndpointError", &ServerMetadata::discover(&given(), &url).await.expect_err("refused"));
    }
    leaks.assert_none();
}

#[tokio::test]
async fn who_is_let_through_shows_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let digest = SecretDigest::of(plain("key"));
    leaks.value("SecretDigest", &digest);
    leaks.error("SecretDigest", &SecretDigest::from_hex(&plain("digest")).expect_err("refused"));
    let principals = Principals::new([(digest, "billing")]);
    leaks.value("Principals", &principals);
    for (verifier, name, credential) in [
        (Arc::new(ApiKeys::new(principals.clone())) as Arc<dyn Verifier>, "x-api-key", plain("other")),
        (Arc::new(BasicUsers::new(principals.clone())), "authorization", BASIC.to_owned()),
        (
            Arc::new(BearerTokens::new(principals.clone())),
            "authorization",
            format!("Bearer {}", plain("other")),
        ),
        (
            Arc::new(BearerTokens::new(principals)),
            "authorization",
            format!("Bearer {}\u{e9}", plain("other")),
        ),
    ] {
        let layer = VerifyLayer::new(verifier);
        leaks.value("VerifyLayer", &layer);
        let app = || {
            tower::service_fn(|_: Request<()>| {
                ready(Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())))
            })
        };
        let request = || Request::get("/").header(name, credential.as_str()).body(()).expect("a request");
        leaks.error("Denied", &*layer.layer(app()).oneshot(request()).await.expect_err("refused"));
        let answer = layer.respond().layer(app()).oneshot(request()).await.expect("an answer");
        assert!(answer.status() == StatusCode::UNAUTHORIZED || answer.status() == StatusCode::BAD_REQUEST);
        leaks.value("its fields", answer.headers());
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        leaks.look_at("its body", &String::from_utf8_lossy(&body));
    }
    leaks.assert_none();
}
