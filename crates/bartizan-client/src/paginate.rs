use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;

use bartizan_core::{BoxError, Origin, host_and_port};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body::Body;
use http_body_util::Full;
use serde::de::DeserializeOwned;
use tower_service::Service;

use crate::error::Kind;
use crate::link::links;
use crate::{Error, Reply, RequestBuilder};

/// The pages of a list, one call each, made as they are asked for. From [`RequestBuilder::pages`] and
/// [`RequestBuilder::pages_by`].
///
/// Every page goes through the same service with the same header fields and overrides as the first. A page is given before
/// its successor is looked at, so nothing is lost when that cannot be followed: then the next call of
/// [`next`](Self::next) says why, and the one after that is the end.
///
/// The successor stays on the origin of the page that names it, and is another target than it.
pub struct Pages<S, T, N = ByLink> {
    next: Next<S>,
    rule: N,
    item: PhantomData<fn() -> T>,
}

enum Next<S> {
    Page(Box<RequestBuilder<S>>),
    Fault(Error),
    Nothing,
}

/// How the successor of a page is found. Implemented by [`ByLink`] and [`ByCursor`].
pub trait NextPage<T> {
    /// What follows the page with these header fields; `None` after the last.
    fn next(&mut self, headers: &HeaderMap, page: Option<&T>) -> Option<Following>;
}

/// Where the next page is. `Debug` shows no value of a query.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Following {
    /// A URI reference, against the page's own URI.
    Reference(String),
    /// The page's own URI with this parameter of its query set.
    Query {
        /// Its name.
        name: String,
        /// Its value, not encoded.
        value: String,
    },
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Following({})", shown(self))
    }
}

/// By `Link` with the relation type `next` (RFC 8288).
#[derive(Clone, Copy, Debug, Default)]
pub struct ByLink;

impl<T> NextPage<T> for ByLink {
    fn next(&mut self, headers: &HeaderMap, _: Option<&T>) -> Option<Following> {
        let link = links(headers).find(|link| link.has_rel("next"))?;
        Some(Following::Reference(link.target().to_owned()))
    }
}

/// By a closure that reads a cursor out of the page.
#[derive(Clone, Debug)]
pub struct ByCursor<F> {
    parameter: String,
    cursor: F,
}

impl<T, F: FnMut(&T) -> Option<String>> NextPage<T> for ByCursor<F> {
    fn next(&mut self, _: &HeaderMap, page: Option<&T>) -> Option<Following> {
        let value = (self.cursor)(page?)?;
        Some(Following::Query { name: self.parameter.clone(), value })
    }
}

impl<S> RequestBuilder<S> {
    /// The pages of a list whose answers name the next one in a `Link` field.
    ///
    /// ```no_run
    /// # async fn f<S, R>(client: bartizan_client::Client<S>) -> Result<(), bartizan_client::Error>
    /// # where
    /// #     S: tower_service::Service<http::Request<http_body_util::Full<bytes::Bytes>>, Response = http::Response<R>> + Clone,
    /// #     S::Error: Into<bartizan_core::BoxError>,
    /// #     R: http_body::Body<Data = bytes::Bytes>,
    /// #     R::Error: Into<bartizan_core::BoxError>,
    /// # {
    /// let mut pages = client.get("users").query(&[("per_page", "100")]).pages::<Vec<String>>();
    /// while let Some(page) = pages.next().await {
    ///     for name in page?.into_body().unwrap_or_default() {
    ///         println!("{name}");
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn pages<T>(self) -> Pages<S, T> {
        Pages { next: Next::Page(Box::new(self)), rule: ByLink, item: PhantomData }
    }

    /// The pages of a list that name the next one by a cursor: it becomes the query's `parameter`, in place of any of that
    /// name. After a page without a cursor comes none.
    pub fn pages_by<T, F>(self, parameter: &str, cursor: F) -> Pages<S, T, ByCursor<F>>
    where
        F: FnMut(&T) -> Option<String>,
    {
        let rule = ByCursor { parameter: parameter.to_owned(), cursor };
        Pages { next: Next::Page(Box::new(self)), rule, item: PhantomData }
    }
}

impl<S, T, N, R> Pages<S, T, N>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
    T: DeserializeOwned,
    N: NextPage<T>,
{
    /// The next page; `None` after the last, and after an error.
    ///
    /// Dropped before it is ready, the page is asked for again by the next call.
    pub async fn next(&mut self) -> Option<Result<Reply<Option<T>>, Error>> {
        if let Next::Page(request) = &self.next
            && let Some(request) = request.again()
        {
            // Before the state changes: dropped here, it is as if nobody had asked.
            let reply = request.fetch_reply::<T>().await;
            return Some(self.after(reply));
        }
        match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Page(request) => {
                Some(Err(request.build().expect_err("there is no second one of a faulty request")))
            }
            Next::Fault(error) => Some(Err(error)),
            Next::Nothing => None,
        }
    }

    fn after(&mut self, reply: Result<Reply<Option<T>>, Error>) -> Result<Reply<Option<T>>, Error> {
        let Next::Page(request) = std::mem::replace(&mut self.next, Next::Nothing) else { return reply };
        let reply = reply?;
        if let Some(following) = self.rule.next(reply.headers(), reply.body().as_ref()) {
            self.next = match follow(reply.asked().uri(), &following) {
                Ok(uri) => Next::Page(Box::new(request.with_uri(uri))),
                Err(error) => Next::Fault(reply.asked().error(Kind::Page(error.into()))),
            };
        }
        Ok(reply)
    }
}

impl<S, T, N> fmt::Debug for Pages<S, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.next {
            Next::Page(request) => write!(f, "Pages({request:?})"),
            Next::Fault(error) => write!(f, "Pages({error:?})"),
            Next::Nothing => f.write_str("Pages(at their end)"),
        }
    }
}

fn follow(from: &Uri, following: &Following) -> Result<Uri, NotFollowed> {
    let refused = |fault| NotFollowed { reference: shown(following), fault };
    let next = match following {
        Following::Reference(reference) => resolve(from, reference).ok_or_else(|| refused(Fault::NoUri))?,
        Following::Query { name, value } => {
            set_parameter(from, name, value).ok_or_else(|| refused(Fault::NoUri))?
        }
    };
    if next == *from {
        return Err(refused(Fault::Itself));
    }
    if Origin::of(&next).ok() != Origin::of(from).ok() {
        return Err(refused(Fault::OtherOrigin));
    }
    Ok(next)
}

/// A reference against the URI that it was found at (RFC 3986 section 5.2), by hand. Dot segments are left to stand.
fn resolve(from: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.split_once('#').map_or(reference, |(before, _)| before);
    let scheme_end =
        reference.find("://").filter(|&end| reference[..end].bytes().all(|b| b.is_ascii_alphanumeric()));
    if scheme_end.is_some() {
        return reference.parse().ok();
    }
    let origin = || Some(format!("{}://{}", from.scheme_str()?, from.authority()?.as_str()));
    if let Some(rest) = reference.strip_prefix("//") {
        return format!("{}://{rest}", from.scheme_str()?).parse().ok();
    }
    let path = match reference.bytes().next() {
        None => return Some(from.clone()),
        Some(b'/') => reference.to_owned(),
        Some(b'?') => format!("{}{reference}", from.path()),
        Some(_) => {
            let (folder, _) = from.path().rsplit_once('/').unwrap_or_default();
            format!("{folder}/{reference}")
        }
    };
    format!("{}{path}", origin().unwrap_or_default()).parse().ok()
}

fn set_parameter(from: &Uri, name: &str, value: &str) -> Option<Uri> {
    let others = from.query().unwrap_or_default().split('&').filter(|pair| {
        let decoded: Vec<(String, String)> = serde_urlencoded::from_str(pair).unwrap_or_default();
        !pair.is_empty() && decoded.iter().all(|(other, _)| other != name)
    });
    let mut query: String = others.flat_map(|pair| [pair, "&"]).collect();
    query.push_str(&serde_urlencoded::to_string([(name, value)]).ok()?);
    let mut parts = from.clone().into_parts();
    parts.path_and_query = Some(format!("{}?{query}", from.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Without what may be a secret.
fn shown(following: &Following) -> String {
    match following {
        Following::Reference(reference) => {
            let path = reference.split(['?', '#']).next().unwrap_or_default();
            host_and_port(path).escape_debug().take(200).collect()
        }
        Following::Query { name, .. } => format!("?{name}=.."),
    }
}

/// Why the successor of a page was not asked for.
#[derive(Debug)]
struct NotFollowed {
    reference: String,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    NoUri,
    Itself,
    OtherOrigin,
}

impl fmt::Display for NotFollowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.fault {
            Fault::NoUri => "is no URI reference",
            Fault::Itself => "is the page itself",
            Fault::OtherOrigin => "is on another origin",
        };
        write!(f, "the next page, `{}`, is not followed: it {why}", self.reference)
    }
}

impl StdError for NotFollowed {}

#[cfg(test)]
mod tests;
