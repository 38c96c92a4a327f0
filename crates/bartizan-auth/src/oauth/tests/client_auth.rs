//! How clients prove themselves.

use bartizan_core::WallClock;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::*;

/// What came in of a client that proves itself so.
async fn asked(client_id: &str, auth: ClientAuth, server: ServerMetadata) -> Asked {
    let fake = Fake::new(|_, _| tokens("t"));
    let date = std::time::SystemTime::UNIX_EPOCH + 1_700_000_000 * SECOND;
    let transport = fake.transport().wall_clock(WallClock::fixed(date));
    let client = OAuthClient::new(transport, server, client_id).authenticate(auth);
    client
        .client_credentials()
        .scope("a")
        .scope("b c")
        .parameter("resource", "x")
        .parameter("resource", "y")
        .parameter("grant_type", "other")
        .token()
        .await
        .unwrap();
    fake.take().remove(0)
}

fn server() -> ServerMetadata {
    ServerMetadata::new(TOKEN).unwrap()
}

fn pair(asked: &Asked) -> String {
    let encoded = asked.authorization().unwrap().strip_prefix("Basic ").unwrap();
    String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap()
}

#[tokio::test]
async fn a_form_has_each_of_ours_once_and_what_is_added_after_it() {
    let asked = asked("c", ClientAuth::none(), server()).await;
    assert_eq!(asked.body, "grant_type=client_credentials&scope=b+c&resource=x&resource=y&client_id=c");
    let headers = &asked.head.headers;
    assert_eq!(
        (headers["content-type"].as_bytes(), headers["accept"].as_bytes()),
        (&b"application/x-www-form-urlencoded"[..], &b"application/json"[..])
    );
    assert_eq!((asked.head.method.as_str(), asked.head.uri.to_string()), ("POST", TOKEN.to_owned()));
}

#[tokio::test]
async fn basic_is_that_of_rfc_6749() {
    let vectors = vectors();
    let [id, secret, value] = [0, 1, 2].map(|n| vectors["rfc6749"]["basic"][n].as_str().unwrap());
    let asked = asked(id, ClientAuth::basic(secret), server()).await;
    assert_eq!(asked.authorization(), Some(value));
    assert!(asked.head.headers[AUTHORIZATION].is_sensitive());
    assert_eq!((asked.form("client_id"), asked.form("client_secret")), (None, None));
}

#[tokio::test]
async fn basic_encodes_both_parts_as_a_form_does_and_raw_does_not() {
    let vectors = vectors();
    let [plain, encoded] = [0, 1].map(|n| vectors["rfc6749"]["form_appendix_B"][n].as_str().unwrap());
    let id = format!("{plain}:");
    assert_eq!(
        pair(&asked(&id, ClientAuth::basic(plain), server()).await),
        format!("{encoded}%3A:{encoded}")
    );
    assert_eq!(pair(&asked("c", ClientAuth::basic_raw(plain), server()).await), format!("c:{plain}"));
}

#[tokio::test]
async fn post_has_both_in_the_body() {
    let asked = asked("c&", ClientAuth::post("p =w"), server()).await;
    assert!(asked.body.ends_with("&client_id=c%26&client_secret=p+%3Dw"), "{}", asked.body);
    assert_eq!(asked.authorization(), None);
}

#[derive(Clone)]
struct Signer(bool);

impl AssertionSigner for Signer {
    fn algorithm(&self) -> &str {
        "X1"
    }

    fn key_id(&self) -> Option<&str> {
        self.0.then_some("k1")
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
        if message.len() > 100_000 { Err("too much".into()) } else { Ok(b"signed".to_vec()) }
    }
}

fn parts(assertion: &str) -> (Value, Value, Vec<u8>) {
    let parts: Vec<_> =
        assertion.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let read = |part: &[u8]| serde_json::from_slice(part).unwrap();
    (read(&parts[0]), read(&parts[1]), parts[2].clone())
}

#[tokio::test]
async fn a_signed_proof_says_who_asks_whom_and_until_when() {
    let asked_once = asked("c", ClientAuth::private_key_jwt(Signer(true)), server()).await;
    assert_eq!(
        asked_once.form("client_assertion_type").as_deref(),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    let (header, mut claims, signature) = parts(&asked_once.form("client_assertion").unwrap());
    assert_eq!(header, json!({ "alg": "X1", "typ": "JWT", "kid": "k1" }));
    let id = claims["jti"].take();
    assert_eq!(
        claims,
        json!({ "iss": "c", "sub": "c", "aud": TOKEN, "iat": 1_700_000_000, "exp": 1_700_000_060, "jti": null })
    );
    assert_eq!(signature, b"signed");
    // Nobody may use it again, and it is made out to the issuer where that is known.
    let again =
        asked("c", ClientAuth::private_key_jwt(Signer(false)), server().issuer("https://as.example")).await;
    let (header, claims, _) = parts(&again.form("client_assertion").unwrap());
    assert_eq!(header, json!({ "alg": "X1", "typ": "JWT" }));
    assert_eq!(claims["aud"], "https://as.example");
    assert_ne!(claims["jti"], id);
}

#[tokio::test]
async fn what_cannot_sign_sends_nothing() {
    let fake = Fake::new(|_, _| tokens("t"));
    let client = OAuthClient::new(fake.transport(), server(), "c".repeat(100_000))
        .authenticate(ClientAuth::private_key_jwt(Signer(true)));
    let error = client.client_credentials().token().await.unwrap_err();
    assert_eq!(error.to_string(), "`https://as.example` was not asked: too much");
    assert!(error.is_permanent() && !error.is_uncertain());
    assert_eq!(fake.count(), 0);
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    let fake = Fake::new(|_, _| tokens("t"));
    for auth in [ClientAuth::basic("s3cr3t"), ClientAuth::basic_raw("s3cr3t"), ClientAuth::post("s3cr3t")] {
        let client = fake.client().authenticate(auth.clone());
        let shown = [
            printed(&auth),
            printed(&client),
            printed(&client.client_credentials()),
            printed(&client.refresh()),
        ]
        .concat();
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}
