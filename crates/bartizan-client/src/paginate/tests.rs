use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use proptest::prelude::*;
use serde::Deserialize;
use tower::service_fn;

use super::*;
use crate::Client;

#[derive(Debug, Deserialize, PartialEq)]
struct Page {
    items: Vec<u32>,
    next: Option<String>,
}

type Asked = Arc<Mutex<Vec<(Uri, HeaderMap)>>>;

trait Upstream:
    Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = BoxError, Future: Send> + Clone
{
}

impl<S> Upstream for S where
    S: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = BoxError, Future: Send>
        + Clone
{
}

/// Answers by the target, path and query: a `Link` field and a body; 404 where there is nothing.
fn upstream(pages: &[(&'static str, &'static str, &'static str)]) -> (Client<impl Upstream + use<>>, Asked) {
    let pages: HashMap<_, _> = pages.iter().map(|&(target, link, body)| (target, (link, body))).collect();
    let asked = Asked::default();
    let log = asked.clone();
    let service = service_fn(move |request: Request<Full<Bytes>>| {
        log.lock().unwrap().push((request.uri().clone(), request.headers().clone()));
        let target = request.uri().path_and_query().unwrap().as_str();
        let response = match pages.get(target) {
            Some((link, body)) => Response::builder().header("link", *link).body(Full::from(*body)),
            None => Response::builder().status(404).body(Full::from("no such page")),
        };
        async { Ok::<_, BoxError>(response?) }
    });
    (Client::new(service), asked)
}

fn asked(asked: &Asked) -> Vec<String> {
    asked.lock().unwrap().iter().map(|(uri, _)| uri.to_string()).collect()
}

async fn all<S, N>(mut pages: Pages<S, Vec<u32>, N>) -> (Vec<u32>, Option<Error>)
where
    S: Upstream,
    N: NextPage<Vec<u32>>,
{
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => items.extend(page.into_body().unwrap_or_default()),
            Err(error) => {
                assert!(pages.next().await.is_none(), "after an error comes the end");
                return (items, Some(error));
            }
        }
    }
    (items, None)
}

#[tokio::test]
async fn links_are_followed_to_the_last_page() {
    let (client, log) = upstream(&[
        (
            "/v1/users?size=2",
            r#"<https://api.example.com/v1/users?size=2&page=2>; rel="next", </v1>; rel=up"#,
            "[1,2]",
        ),
        ("/v1/users?size=2&page=2", "<?page=3>; rel=\"prefetch next\"", "[3,4]"),
        ("/v1/users?page=3", "</v1/more/4>; rel=next", ""),
        ("/v1/more/4", "<5>; rel=Next", "[5]"),
        ("/v1/more/5", "<?page=1>; rel=first", "[6]"),
    ]);
    let first = client.get("https://API.example.com:443/v1/users").query(&[("size", 2)]).header("x-a", "b");
    let (items, error) = all(first.pages()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(items, [1, 2, 3, 4, 5, 6]);
    assert_eq!(
        asked(&log)[1..],
        [
            "https://api.example.com/v1/users?size=2&page=2",
            "https://api.example.com/v1/users?page=3",
            "https://api.example.com/v1/more/4",
            "https://api.example.com/v1/more/5"
        ]
    );
    assert!(
        log.lock().unwrap().iter().all(|(_, headers)| headers["x-a"] == "b"),
        "each has the first one's fields"
    );
}

#[tokio::test]
async fn under_a_base_url_references_are_against_what_was_asked_for_in_the_end() {
    let (client, log) = upstream(&[
        ("/v1/users", "</v1/users?page=2>; rel=next", "[1]"),
        ("/v1/users?page=2", "<https://api.example.com/v1/users?page=3>; rel=next", "[2]"),
        ("/v1/users?page=3", "<?page=4>; rel=next", "[3]"),
        ("/v1/users?page=4", "<https://evil.example/v1/users>; rel=next", "[4]"),
    ]);
    let base = crate::BaseUrl::new("https://api.example.com/v1").unwrap();
    let layer = crate::BaseUrlLayer::new(base);
    let client = Client::new(tower_layer::Layer::layer(&layer, client.into_inner()));
    let mut pages = client.get("users").pages::<Vec<u32>>();
    let mut items = Vec::new();
    let error = loop {
        match pages.next().await.expect("the last is an error") {
            Ok(page) => items.extend(page.into_body().unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!(items, [1, 2, 3, 4]);
    assert!(error.to_string().contains("on another origin"), "{error}");
    assert_eq!(asked(&log)[1], "https://api.example.com/v1/users?page=2");
}

#[tokio::test]
async fn cursors_are_set_in_the_query() {
    let (client, log) = upstream(&[
        ("/a?cursor=x&size=2", "", r#"{"items":[1],"next":"c=2&"}"#),
        ("/a?size=2&cursor=c%3D2%26", "", r#"{"items":[2],"next":"end"}"#),
        ("/a?size=2&cursor=end", "", r#"{"items":[3],"next":null}"#),
    ]);
    let mut pages = client.get("/a?cursor=x&size=2").pages_by("cursor", |page: &Page| page.next.clone());
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        items.extend(page.unwrap().some().unwrap().items);
    }
    assert_eq!((items, asked(&log).len()), (vec![1, 2, 3], 3));
}

#[tokio::test]
async fn the_origin_is_never_left_and_the_page_before_is_not_lost() {
    for link in [
        "<https://evil.example/2>; rel=next",
        "<//evil.example/2>; rel=next",
        "<http://api.example.com/2>; rel=next",
        "<https://api.example.com:8443/2>; rel=next",
        "<https://api.example.com@evil.example/2?token=s3cret>; rel=next",
    ] {
        let (client, log) = upstream(&[("/1", link, "[1]")]);
        let (items, error) = all(client.get("https://api.example.com/1").pages()).await;
        let error = error.unwrap().to_string();
        assert_eq!((items, asked(&log).len()), (vec![1], 1), "{link}");
        assert!(error.contains("is on another origin") && !error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_page_that_names_itself_or_nonsense_ends_the_list_with_an_error() {
    for (link, why) in [
        ("<>; rel=next", "is the page itself"),
        ("<#top>; rel=next", "is the page itself"),
        ("</1>; rel=next", "is the page itself"),
        ("<a b>; rel=next", "is no URI reference"),
        ("<https://>; rel=next", "is no URI reference"),
    ] {
        let (client, log) = upstream(&[("/1", link, "[1]")]);
        let (items, error) = all(client.get("https://api.example.com/1").pages()).await;
        assert_eq!((items, asked(&log).len()), (vec![1], 1), "{link}");
        assert!(error.as_ref().unwrap().to_string().contains(why), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_an_error_is_the_last() {
    let (client, _) = upstream(&[("/1", "</2>; rel=next", "[1]")]);
    let (items, error) = all(client.get("https://api.example.com/1").pages()).await;
    assert_eq!((items, error.unwrap().status().unwrap().as_u16()), (vec![1], 404));
    let (_, error) = all(client.get("/1").header("x-a", "\n").pages()).await;
    assert!(error.unwrap().is_request());
}

#[tokio::test]
async fn a_page_that_was_not_waited_for_is_asked_for_again() {
    let log = Arc::new(Mutex::new(0));
    let count = log.clone();
    let service = service_fn(move |_: Request<Full<Bytes>>| {
        let first = std::mem::replace(&mut *count.lock().unwrap(), 1) == 0;
        async move {
            if first {
                std::future::pending::<()>().await;
            }
            Ok::<_, BoxError>(Response::new(Full::from("[7]")))
        }
    });
    let mut pages = Client::new(service).get("/1").pages::<Vec<u32>>();
    {
        let next = std::pin::pin!(pages.next());
        assert!(next.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(pages.next().await.unwrap().unwrap().into_body(), Some(vec![7]));
    assert!(pages.next().await.is_none());
}

#[cfg(feature = "futures-core-03")]
#[tokio::test]
async fn pages_are_a_stream() {
    use futures_core::Stream;

    let service = service_fn(|request: Request<Full<Bytes>>| async move {
        let link = if request.uri().path() == "/1" { "</2>; rel=next" } else { "</3>; rel=prev" };
        let response = Response::builder().header("link", link).body(Full::from("[1]"));
        Ok::<_, BoxError>(response?)
    });
    let mut stream = Client::new(service).get("https://a.example/1").pages::<Vec<u32>>().into_stream();
    let mut items = Vec::new();
    while let Some(page) = std::future::poll_fn(|cx| std::pin::Pin::new(&mut stream).poll_next(cx)).await {
        items.extend(page.unwrap().some().unwrap());
    }
    assert_eq!(items, [1, 1]);
    let end = std::future::poll_fn(|cx| std::pin::Pin::new(&mut stream).poll_next(cx)).await;
    assert!(end.is_none(), "and stays there");
}

#[test]
fn references_are_resolved_as_the_rfc_says() {
    let from: Uri = "http://a/b/c/d;p?q".parse().unwrap();
    // RFC 3986 section 5.4.1, but for dot segments, which stand as they are.
    for (reference, expected) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/./g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        (";x", "http://a/b/c/;x"),
        ("", "http://a/b/c/d;p?q"),
        ("https://b/x?u=c://d", "https://b/x?u=c://d"),
        ("g?u=c://d", "http://a/b/c/g?u=c://d"),
    ] {
        assert_eq!(resolve(&from, reference).unwrap().to_string(), expected, "{reference}");
    }
    let relative: Uri = "/b/c?q".parse().unwrap();
    assert_eq!(resolve(&relative, "d?y").unwrap().to_string(), "/b/d?y");
    assert_eq!(resolve(&relative, "//evil/x"), None);
}

proptest! {
    #[test]
    fn whatever_a_server_says_the_origin_stays(reference in "\\PC{0,30}") {
        let from: Uri = "https://api.example.com/v1/users?page=1".parse().unwrap();
        if let Ok(next) = follow(&from, &Following::Reference(reference)) {
            prop_assert_eq!(Origin::of(&next).unwrap().to_string(), "https://api.example.com");
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_was(cursor in "\\PC{0,20}") {
        let from: Uri = "/users?size=2&cursor=1&cursor=2".parse().unwrap();
        let next = set_parameter(&from, "cursor", &cursor).unwrap();
        let query: Vec<(String, String)> = serde_urlencoded::from_str(next.query().unwrap()).unwrap();
        prop_assert_eq!(query, [("size".to_owned(), "2".to_owned()), ("cursor".to_owned(), cursor)]);
    }
}
