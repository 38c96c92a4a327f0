//! What servers say of themselves.

use super::*;

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": "https://as.example/t",
        "authorization_endpoint": "https://login.example/a",
        "revocation_endpoint": "https://as.example/r",
        "device_authorization_endpoint": "https://as.example/d",
        "authorization_response_iss_parameter_supported": true,
    })
}

async fn of(issuer: &str, document: Value) -> Result<ServerMetadata, EndpointError> {
    ServerMetadata::discover(&Fake::new(move |_, _| object(200, &document)).transport(), issuer).await
}

#[tokio::test]
async fn all_endpoints_are_found_where_rfc_8414_has_them() {
    for (issuer, place) in [
        ("https://as.example", "https://as.example/.well-known/oauth-authorization-server"),
        ("https://as.example/", "https://as.example/.well-known/oauth-authorization-server"),
        ("https://as.example/one/", "https://as.example/.well-known/oauth-authorization-server/one"),
    ] {
        let fake = Fake::new(move |_, _| object(200, &document(issuer)));
        let server = ServerMetadata::discover(&fake.transport(), issuer).await.unwrap();
        let asked = fake.take().remove(0);
        assert_eq!((asked.head.method.as_str(), asked.head.uri.to_string()), ("GET", place.to_owned()));
        let shown = printed(&server);
        for endpoint in [
            "https://as.example/t",
            "https://login.example/a",
            "https://as.example/r",
            "https://as.example/d",
        ] {
            assert!(shown.contains(endpoint), "{shown}");
        }
        assert!(server.names_itself && server.issuer.as_deref() == Some(issuer));
    }
}

#[tokio::test]
async fn where_that_is_not_there_openid_connects_is_asked_for() {
    let issuer = "https://as.example/one";
    let fake =
        Fake::new(move |nth, _| if nth == 0 { raw(404, "no") } else { object(200, &document(issuer)) });
    ServerMetadata::discover(&fake.transport(), issuer).await.unwrap();
    assert_eq!(fake.take()[1].head.uri, "https://as.example/one/.well-known/openid-configuration");
    let dead = Fake::new(|_, _| Reply::Error(io::Error::from(io::ErrorKind::ConnectionRefused).into()));
    let error = ServerMetadata::discover(&dead.transport(), issuer).await.unwrap_err();
    assert_eq!((dead.count(), error.is_permanent()), (1, false));
}

#[tokio::test]
async fn who_says_that_it_is_another_one_is_not_believed() {
    for issuer in ["https://as.example/", "https://AS.example", "https://evil.example", ""] {
        let error = of("https://as.example", document(issuer)).await.unwrap_err();
        assert!(error.to_string().contains("another issuer"), "{issuer}: {error}");
    }
}

#[tokio::test]
async fn an_endpoint_that_may_be_asked_by_nobody_is_refused() {
    for (name, endpoint) in [
        ("token_endpoint", json!("http://as.example/t")),
        ("token_endpoint", json!("http://127.0.0.1/t")),
        ("token_endpoint", json!("/t")),
        ("token_endpoint", json!(null)),
        ("authorization_endpoint", json!("http://localhost/a")),
        ("device_authorization_endpoint", json!("ftp://as.example/")),
        ("revocation_endpoint", json!("https://me:pw@as.example/")),
    ] {
        let mut document = document("https://as.example");
        document[name] = endpoint.clone();
        let error = of("https://as.example", document).await.unwrap_err();
        assert!(error.is_permanent(), "{name} {endpoint}: {error}");
    }
    let error =
        ServerMetadata::discover(&Fake::new(|_, _| tokens("t")).transport(), "http://as.example").await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "`discovery` was not asked: `http://as.example` may get no credential: over http anybody on the way can read it; \
         use https"
    );
}

#[tokio::test]
async fn on_the_loopback_a_server_needs_no_tls() {
    let issuer = "http://127.0.0.1:7000";
    let document = json!({ "issuer": issuer, "token_endpoint": "http://127.0.0.1:7000/t" });
    let server = of(issuer, document).await.unwrap();
    assert!(!server.names_itself && server.authorization.is_none());
}
