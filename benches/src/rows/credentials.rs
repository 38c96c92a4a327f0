//! A credential that is at hand.

use std::future::ready;
use std::time::Duration;

use bartizan_auth::{ApiKey, AuthLayer, Bearer, Origins, Refreshing, Secret, Token, TokenError};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use tower_http::auth::AddAuthorizationLayer;
use tower_layer::Layer;

use crate::drive::{calls, get};
use crate::upstream::ReadyAtOnce;
use crate::{Group, Row};

/// See the titles.
pub const GROUPS: &[Group] = &[Group {
    title: "Auth, a credential that is at hand",
    note: "Ours looks first whether the request goes to one of its origins, and its token may be replaced meanwhile; tower-http's puts it on \
           every request. The request has two fields and room for one more.",
    paused: false,
    at_most: None,
    rows: &[
        Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &asks(), n)),
        Row::new("`AuthLayer`, `Bearer`", |n| {
            let layer = AuthLayer::new(origins(), Bearer::new("mF_9.B5f-4.1JqM").expect("a token"));
            calls(layer.layer(ReadyAtOnce::default()), &asks(), n);
        }),
        Row::new("`AuthLayer`, `Refreshing`", |n| {
            let tokens =
                Refreshing::new(|_: Option<Secret>| ready(Err(TokenError::permanent("none is asked for"))));
            let token = Token::new("mF_9.B5f-4.1JqM").expect("a token").lifetime(Duration::from_secs(3600));
            tokens.set_token(token);
            calls(AuthLayer::new(origins(), tokens).layer(ReadyAtOnce::default()), &asks(), n);
        }),
        Row::new("`AuthLayer`, `ApiKey`", |n| {
            let layer = AuthLayer::new(origins(), ApiKey::new("mF_9.B5f-4.1JqM").expect("a key"));
            calls(layer.layer(ReadyAtOnce::default()), &asks(), n);
        }),
        Row::new("tower-http `AddAuthorizationLayer`", |n| {
            let layer = AddAuthorizationLayer::bearer("mF_9.B5f-4.1JqM");
            calls(layer.layer(ReadyAtOnce::default()), &asks(), n);
        }),
    ],
}];

fn origins() -> Origins {
    Origins::new(["https://api.example.com"]).expect("an origin")
}

/// No credential goes over http.
fn asks() -> Request<Full<Bytes>> {
    let mut request = get();
    *request.uri_mut() = Uri::from_static("https://api.example.com/v1/items?page=1");
    request
}
