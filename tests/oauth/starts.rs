//! The servers are what the other tests take them for.

use std::ffi::{OsStr, OsString};

use http::Request;
use http_body_util::Full;
use tokio::net::TcpStream;

use crate::http::{get, post, send};
use crate::servers::{authlib, authlib_command, oidc_provider, oidc_provider_command};
use crate::upstream::{Upstream, folder};

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn oidc_provider_tells_its_endpoints_in_both_documents() {
    let server = oidc_provider().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let told = get(&server.uri(path)).await.json();
        assert_eq!(told["issuer"], server.issuer(), "{path}");
        assert_eq!(told["token_endpoint"], server.uri("/token"), "{path}");
        assert_eq!(told["authorization_response_iss_parameter_supported"], true, "{path}");
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn oidc_provider_gives_tokens_that_its_resource_takes_and_keeps_a_log() {
    let server = oidc_provider().await;
    // "basic:basic+secret"
    let client = Some("Basic YmFzaWM6YmFzaWMrc2VjcmV0");
    let token = post(&server.uri("/token"), client, "grant_type=client_credentials").await.json();
    let token = token["access_token"].as_str().expect("it is text");
    for (token, status, challenge) in
        [(token, 200, ""), ("another", 401, "Bearer error=\"invalid_token\""), ("", 401, "Bearer")]
    {
        let request =
            Request::get(server.uri("/resource")).header("authorization", format!("Bearer {token}"));
        let answer = send(request.body(Full::default()).expect("a valid request")).await;
        assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (status, challenge));
    }
    let log = server.log().await;
    assert_eq!((log.len(), &log[0]["path"]), (4, &"/token".into()));
    assert_eq!(
        (&log[0]["client_auth"], &log[0]["grant_type"]),
        (&"basic".into(), &"client_credentials".into())
    );
}

#[tokio::test]
#[ignore = "needs authlib: cargo xtask test"]
async fn authlib_slows_the_first_poll_down_and_each_that_is_too_early() {
    let server = authlib().await;
    let device = post(&server.uri("/device_authorization"), None, "client_id=device").await.json();
    let code = device["device_code"].as_str().expect("it is text");
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let poll = format!("client_id=device&grant_type={grant}&device_code={code}");
    let user_code = format!("user_code={}", device["user_code"].as_str().expect("it is text"));
    post(&server.uri("/approve"), None, &user_code).await;
    for _ in 0..2 {
        assert_eq!(post(&server.uri("/token"), None, &poll).await.json()["error"], "slow_down");
    }
    assert_eq!(server.log().await, ["slow_down", "slow_down"]);
}

#[tokio::test]
#[ignore = "needs oidc-provider and authlib: cargo xtask test"]
async fn a_server_and_its_folder_go_with_the_test() {
    for server in [oidc_provider().await, authlib().await] {
        let (address, folder) = (server.issuer().replace("http://", ""), server.folder().to_owned());
        assert!(TcpStream::connect(&address).await.is_ok() && folder.exists());
        drop(server);
        assert!(TcpStream::connect(&address).await.is_err() && !folder.exists());
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider and authlib: cargo xtask test"]
async fn a_server_ends_with_its_stdin_by_itself() {
    let without_stdin = "\"$@\" </dev/null; echo ended $?; exec sleep 60";
    let shell = ["sh", "-c", without_stdin, "sh"].map(OsStr::new);
    for command in [oidc_provider_command(), authlib_command()] {
        let command: Vec<_> = shell.into_iter().chain(command.iter().map(OsString::as_os_str)).collect();
        Upstream::start(folder(), &command, async |upstream| upstream.log().ends_with("\nended 0\n")).await;
    }
}
