//! Which redirects are followed, and what goes along.

use bartizan_core::{Origin, Replay};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_TYPE, RANGE, USER_AGENT,
};
use http::{Extensions, HeaderMap, HeaderName, Request};
use tower_http::follow_redirect::policy::{Action, Attempt, Policy};

/// Follows at most so many redirects.
///
/// On another origin than the first request's only the fields of [`HARMLESS`] go along, and no extension but the call's own: which
/// names carry credentials nobody can list. Once dropped they stay dropped. A redirect from `https` to `http` is not
/// followed, and one that keeps the method is followed only if the body can be sent again.
#[derive(Clone, Debug)]
pub(super) struct Redirects {
    left: u32,
    first: Option<Origin>,
}

/// Says what is wanted or what is sent, and nothing about who asks.
const HARMLESS: [HeaderName; 9] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    RANGE,
    USER_AGENT,
];

impl Redirects {
    pub(super) fn at_most(limit: u32) -> Self {
        Self { left: limit, first: None }
    }
}

impl<B: Replay, E> Policy<B, E> for Redirects {
    fn redirect(&mut self, attempt: &Attempt<'_>) -> Result<Action, E> {
        let is_downgrade = attempt.previous().scheme_str() == Some("https")
            && attempt.location().scheme_str() != Some("https");
        if self.left == 0 || is_downgrade {
            return Ok(Action::Stop);
        }
        self.left -= 1;
        Ok(Action::Follow)
    }

    fn on_request(&mut self, request: &mut Request<B>) {
        let origin = Origin::of(request.uri()).ok();
        let Some(first) = &self.first else {
            self.first = origin;
            return;
        };
        if origin.as_ref() != Some(first) {
            keep_harmless(request.headers_mut());
            let call = request.extensions_mut().remove::<bartizan_core::CallContext>();
            *request.extensions_mut() = Extensions::new();
            if let Some(call) = call {
                request.extensions_mut().insert(call);
            }
        }
    }

    fn clone_body(&self, body: &B) -> Option<B> {
        body.replay()
    }
}

fn keep_harmless(headers: &mut HeaderMap) {
    let mut kept = HeaderMap::new();
    for name in &HARMLESS {
        for value in headers.get_all(name).iter().filter(|value| !value.is_sensitive()) {
            kept.append(name, value.clone());
        }
    }
    *headers = kept;
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, Response};
    use http_body_util::Full;
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};
    use tower::{Layer, ServiceExt, service_fn};
    use tower_http::follow_redirect::FollowRedirectLayer;

    use super::*;

    /// Follows from `start` through the locations, in order, and tells what was asked for.
    async fn follow(status: u16, start: &str, locations: &[&'static str], limit: u32) -> Vec<String> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let locations = Arc::new(Mutex::new(locations.to_vec()));
        let log = seen.clone();
        let service = service_fn(move |request: Request<Full<Bytes>>| {
            let mut fields: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
            fields.sort_unstable();
            let mine = if request.extensions().get::<&str>().is_some() { " +extension" } else { "" };
            log.lock().unwrap().push(format!(
                "{} {} {}{mine}",
                request.method(),
                request.uri(),
                fields.join(",")
            ));
            let mut locations = locations.lock().unwrap();
            let mut response = Response::builder();
            if !locations.is_empty() {
                response = response.status(status).header("location", locations.remove(0));
            }
            std::future::ready(Ok::<_, Infallible>(response.body(()).unwrap()))
        });
        let mut secret = HeaderValue::from_static("text/s3cret");
        secret.set_sensitive(true);
        let request = Request::post(start)
            .header("authorization", "Bearer s3cret")
            .header("x-api-key", "s3cret")
            .header("cookie", "a=s3cret")
            .header("accept", "text/html")
            .header("accept", secret)
            .header("content-type", "text/plain")
            .extension("mine")
            .body(Full::from("body"))
            .unwrap();
        let layer = FollowRedirectLayer::with_policy(Redirects::at_most(limit));
        let Ok(_) = layer.layer(service).oneshot(request).await;
        seen.lock().unwrap().clone()
    }

    const ALL: &str = "accept,authorization,content-type,cookie,x-api-key +extension";

    #[tokio::test]
    async fn on_one_origin_all_goes_along() {
        let seen = follow(307, "https://a.example/1", &["/2", "https://A.example:443/3"], 10).await;
        assert_eq!(
            seen,
            [
                format!("POST https://a.example/1 {ALL}"),
                format!("POST https://a.example/2 {ALL}"),
                format!("POST https://a.example/3 {ALL}")
            ]
        );
    }

    #[tokio::test]
    async fn on_another_origin_no_credential_goes_along_and_none_comes_back() {
        for other in ["https://b.example/2", "https://a.example:8443/2", "https://sub.a.example/2"] {
            let seen = follow(308, "https://a.example/1", &[other, "https://a.example/3"], 10).await;
            assert_eq!(
                seen[1..],
                [
                    format!("POST {other} accept,content-type"),
                    "POST https://a.example/3 accept,content-type".into()
                ]
            );
        }
    }

    #[tokio::test]
    async fn a_downgrade_is_not_followed_and_an_upgrade_is() {
        assert_eq!(follow(302, "https://a.example/1", &["http://a.example/2"], 10).await.len(), 1);
        assert_eq!(follow(302, "http://a.example/1", &["https://a.example/2"], 10).await.len(), 2);
    }

    #[tokio::test]
    async fn exactly_the_limit_is_followed() {
        assert_eq!(follow(302, "http://a.example/1", &["/2", "/3", "/4"], 2).await.len(), 3);
        assert_eq!(follow(302, "http://a.example/1", &["/2"], 0).await.len(), 1);
    }
}
