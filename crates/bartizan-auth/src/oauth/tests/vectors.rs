//! The examples of the RFCs, beside those that the other tests take.

use crate::{Authorizer, Basic};

use super::*;

fn pairs(form: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    pairs.sort();
    pairs
}

#[tokio::test]
async fn requests_are_those_of_rfc_6749() {
    let vectors = &vectors()["rfc6749"];
    let [url, code, refresh] =
        ["authorize", "token_body_4.1.3", "refresh_body_6"].map(|name| vectors[name].as_str().unwrap());
    let fake = Fake::new(|_, _| tokens("t"));
    let client = fake.client().authenticate(ClientAuth::basic("gX1fBat3bV"));

    let mut login = client.login("https://client.example.com/cb").without_pkce().begin().unwrap();
    let state = login.pending().state.expose().to_owned();
    let (_, ours) = login.url().split_once('?').unwrap();
    let (_, theirs) = url.split_once('?').unwrap();
    assert_eq!(pairs(&ours.replace(&state, "xyz")), pairs(theirs));

    let redirect = format!("https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state={state}");
    login.redirected(&redirect).unwrap().exchange().await.unwrap();
    client.refresh().token(&Secret::from("tGzv3JOkF0XG5Qx2TlKWIA")).await.unwrap();
    let asked = fake.take();
    assert_eq!((pairs(&asked[0].body), asked[1].body.as_str()), (pairs(code), refresh));
}

#[test]
fn basic_is_that_of_rfc_7617() {
    for vector in vectors()["rfc7617"].as_array().unwrap() {
        let [user, password, value] = [0, 1, 2].map(|n| vector[n].as_str().unwrap());
        let mut head = Request::new(()).into_parts().0;
        Basic::new(user, password).unwrap().authorize(&mut head).unwrap();
        assert_eq!(head.headers[AUTHORIZATION], value);
    }
}
