//! Logins with a browser.

use super::*;

const CALLBACK: &str = "http://127.0.0.1:7000/cb";

/// A member of a URL's query.
fn query(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?').unwrap();
    let mut named = form_urlencoded::parse(query.as_bytes()).filter(|(given, _)| given == name);
    let found = named.next().map(|(_, value)| value.into_owned());
    assert!(named.next().is_none(), "{name} is there twice: {url}");
    found
}

fn back(login: &Login, rest: &str) -> String {
    format!("{CALLBACK}?state={}&{rest}", query(login.url(), "state").unwrap())
}

#[test]
fn a_verifier_has_the_challenge_of_rfc_7636() {
    let vector = &vectors()["rfc7636"];
    let verifier = Secret::from(vector["verifier"].as_str().unwrap());
    assert_eq!(super::super::login::challenge(&verifier), vector["challenge"].as_str().unwrap());
}

#[tokio::test]
async fn the_url_has_all_that_the_server_has_to_know_and_what_it_had_before() {
    let server = ServerMetadata::new(TOKEN).unwrap();
    for (endpoint, begins) in [
        ("https://as.example/authorize", "https://as.example/authorize?response_type=code&"),
        ("https://as.example/authorize?", "https://as.example/authorize?response_type=code&"),
        (
            "https://as.example/authorize?tenant=1",
            "https://as.example/authorize?tenant=1&response_type=code&",
        ),
        ("https://as.example", "https://as.example/?response_type=code&"),
    ] {
        let server = server.clone().authorization_endpoint(endpoint).unwrap();
        let client = OAuthClient::new(Fake::new(|_, _| tokens("t")).transport(), server, "c d");
        let login = client
            .login(CALLBACK)
            .scope("x")
            .scope("openid a")
            .parameter("prompt", "consent")
            .parameter("state", "mine")
            .begin()
            .unwrap();
        let url = login.url();
        assert!(url.starts_with(begins), "{url}");
        for (name, value) in [
            ("client_id", "c d"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid a"),
            ("prompt", "consent"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(query(url, name).as_deref(), Some(value));
        }
        assert_ne!(query(url, "state").unwrap(), "mine");
        assert_eq!(query(url, "code_challenge").unwrap().len(), 43);
    }
}

#[tokio::test]
async fn a_code_is_exchanged_with_the_verifier_of_its_challenge() {
    let fake = Fake::new(|_, _| tokens("t"));
    let mut login = fake.client().login(CALLBACK).begin().unwrap();
    let (url, redirect) = (login.url().to_owned(), back(&login, "code=SplxlOBeZQQYbYS6WxSbIA"));
    let token = login.redirected(&redirect).unwrap().exchange().await.unwrap();
    assert_eq!(token.access_token().expose(), "t");
    let asked = fake.take().remove(0);
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "SplxlOBeZQQYbYS6WxSbIA"),
        ("redirect_uri", CALLBACK),
        ("client_id", "s6BhdRkqt3"),
    ] {
        assert_eq!(asked.form(name).as_deref(), Some(value));
    }
    let verifier = Secret::from(asked.form("code_verifier").unwrap());
    assert_eq!(super::super::login::challenge(&verifier), query(&url, "code_challenge").unwrap());
}

#[tokio::test]
async fn without_pkce_there_is_neither_challenge_nor_verifier() {
    let fake = Fake::new(|_, _| tokens("t"));
    let mut login = fake.client().login(CALLBACK).without_pkce().begin().unwrap();
    assert_eq!(
        (query(login.url(), "code_challenge"), query(login.url(), "code_challenge_method")),
        (None, None)
    );
    let redirect = back(&login, "code=c");
    login.redirected(&redirect).unwrap().exchange().await.unwrap();
    assert_eq!(fake.take().remove(0).form("code_verifier"), None);
}

#[test]
fn no_two_logins_have_the_same_secrets() {
    let client = Fake::new(|_, _| tokens("t")).client();
    let [one, two] = [(); 2].map(|()| client.login(CALLBACK).begin().unwrap().pending().clone());
    assert_ne!(one.state, two.state);
    assert_ne!(one.verifier, two.verifier);
    assert_ne!(Some(one.state), one.verifier);
}

#[test]
fn a_login_comes_back_once_and_others_do_not_end_it() {
    let client = Fake::new(|_, _| tokens("t")).client();
    let mut login = client.login(CALLBACK).begin().unwrap();
    let redirect = back(&login, "code=c");
    for others in ["/favicon.ico", "/cb?code=c&state=other", &format!("{redirect}&code=d")] {
        assert!(login.redirected(others).unwrap_err().is_elses(), "{others}");
    }
    assert!(login.redirected(&redirect).is_ok());
    let again = login.redirected(&redirect).unwrap_err();
    assert_eq!((again.to_string(), again.is_elses()), ("the login has come back already".to_owned(), false));
}

#[test]
fn a_no_ends_it_too() {
    let client = Fake::new(|_, _| tokens("t")).client();
    let mut login = client.login(CALLBACK).begin().unwrap();
    let redirect = back(&login, "error=access_denied");
    assert_eq!(login.redirected(&redirect).unwrap_err().code(), Some(&ErrorCode::AccessDenied));
    let late = back(&login, "code=c");
    assert_eq!(login.redirected(&late).unwrap_err(), RedirectError::used());
}

#[test]
fn a_server_that_names_itself_has_to() {
    let server = ServerMetadata::new(TOKEN).unwrap().authorization_endpoint("https://as.example/a").unwrap();
    let server = server.issuer("https://as.example").require_issuer_on_redirects();
    let client = OAuthClient::new(Fake::new(|_, _| tokens("t")).transport(), server, "c");
    for (rest, is_good) in [
        ("code=c", false),
        ("code=c&iss=https://evil.example", false),
        ("code=c&iss=https://as.example", true),
    ] {
        let mut login = client.login(CALLBACK).begin().unwrap();
        let redirect = back(&login, rest);
        assert_eq!(login.redirected(&redirect).is_ok(), is_good, "{rest}");
    }
}

#[tokio::test]
async fn a_login_goes_on_in_another_process() {
    let fake = Fake::new(|_, _| tokens("t"));
    let login = fake.client().login(CALLBACK).begin().unwrap();
    let redirect = back(&login, "code=c");
    let PendingLogin { state, verifier, redirect_uri } = login.pending().clone();
    let kept = PendingLogin::new(state, verifier.clone(), &redirect_uri);
    let mut resumed = fake.client().resume(kept);
    resumed.redirected(&redirect).unwrap().exchange().await.unwrap();
    let asked = fake.take().remove(0);
    assert_eq!(asked.form("code_verifier").unwrap(), verifier.unwrap().expose());
    assert_eq!(asked.form("redirect_uri").as_deref(), Some(CALLBACK));
}

#[test]
fn a_server_without_logins_is_named() {
    let client =
        OAuthClient::new(Fake::new(|_, _| tokens("t")).transport(), ServerMetadata::new(TOKEN).unwrap(), "c");
    let error = client.login(CALLBACK).begin().unwrap_err();
    assert_eq!(error.to_string(), "`https://as.example` has no authorization_endpoint, as far as is known");
}

#[test]
fn nothing_prints_a_secret() {
    let client = Fake::new(|_, _| tokens("t")).client();
    let builder = client.login(CALLBACK);
    let mut shown = printed(&builder);
    let mut login = builder.begin().unwrap();
    let redirect = back(&login, "code=c0de");
    let secrets = [
        login.pending().state.expose().to_owned(),
        login.pending().verifier.clone().unwrap().expose().to_owned(),
        "c0de".into(),
    ];
    shown += &printed(&login);
    shown += &printed(login.pending());
    shown += &printed(&login.redirected(&redirect).unwrap());
    assert!(secrets.iter().all(|secret| !shown.contains(&**secret)), "{shown}");
}
