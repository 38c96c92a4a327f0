//! A browser, as far as the pages of oidc-provider need one, and the user who sits before it.

use std::collections::BTreeMap;

use form_urlencoded::Serializer;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Request, Uri};

use crate::http::{Answer, send};

/// What the user says when asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// Logs in as `alice`, and agrees to all.
    Agrees,
    /// Logs in, and then says no.
    Declines,
}

/// Opens the page and answers whatever is asked there. Returns where the browser was sent in the end, or the text of the
/// last page.
pub(crate) async fn visit(url: &str, user: User) -> String {
    let mut browser = Browser { url: url.to_owned(), cookies: BTreeMap::new() };
    let mut page = browser.open(url, None).await;
    // Two pages before the login, the login, and one or two after it.
    for _ in 0..8 {
        page = match page {
            Page::Left(url) => return url,
            Page::Shown(html) if !html.contains("<form") => return html,
            Page::Shown(html) if html.contains("name=\"login\"") => {
                browser.submit(&html, &[("login", "alice"), ("password", "any")]).await
            }
            Page::Shown(html) if user == User::Declines && is_question(&html) => {
                return match browser.decline(&html).await {
                    Page::Left(url) => url,
                    Page::Shown(html) => html,
                };
            }
            Page::Shown(html) => browser.submit(&html, &[]).await,
        };
    }
    panic!("there is no end of forms");
}

/// Whether the user may say no: a code of a device is shown, or what a client asks for.
fn is_question(html: &str) -> bool {
    html.contains("name=\"abort\"") || html.contains("value=\"consent\"")
}

enum Page {
    /// Somebody else's: what the client waits for.
    Left(String),
    Shown(String),
}

struct Browser {
    url: String,
    /// By the path that they are for, and their name.
    cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    /// Follows redirects as long as they stay on the server.
    async fn open(&mut self, url: &str, form: Option<String>) -> Page {
        let mut answer = self.send(url, form).await;
        while answer.status.is_redirection() {
            let url = self.resolve(answer.header("location"));
            if origin(&url) != origin(&self.url) {
                return Page::Left(url);
            }
            answer = self.send(&url, None).await;
        }
        Page::Shown(String::from_utf8(answer.body.to_vec()).expect("a page is text"))
    }

    /// Fills in a form: what is hidden stays, what is given is added.
    async fn submit(&mut self, html: &str, given: &[(&str, &str)]) -> Page {
        let form = html.split_once("<form").expect("there is a form").1;
        let url = self.resolve(attribute(form, "action").expect("a form has an action"));
        let mut fields = Serializer::new(String::new());
        for input in form.split("<input").skip(1).filter(|input| attribute(input, "type") == Some("hidden")) {
            let value = attribute(input, "value").unwrap_or_default();
            fields.append_pair(attribute(input, "name").expect("a field has a name"), value);
        }
        fields.extend_pairs(given);
        self.open(&url, Some(fields.finish())).await
    }

    async fn decline(&mut self, html: &str) -> Page {
        if html.contains("name=\"abort\"") {
            return self.submit(html, &[("abort", "yes")]).await;
        }
        let links = html.split("<a ").skip(1).filter_map(|link| attribute(link, "href"));
        let abort = links.into_iter().find(|link| link.ends_with("/abort")).expect("a link to cancel");
        let url = self.resolve(abort);
        self.open(&url, None).await
    }

    async fn send(&mut self, url: &str, form: Option<String>) -> Answer {
        let path = url.parse::<Uri>().expect("the server links to URLs").path().to_owned();
        let cookies = self.cookies.iter().filter(|((of, _), _)| path.starts_with(of));
        let cookies: Vec<_> = cookies.map(|((_, name), value)| format!("{name}={value}")).collect();
        let request = match &form {
            Some(_) => Request::post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded"),
            None => Request::get(url),
        };
        let request = request.header(COOKIE, cookies.join("; "));
        let body = form.unwrap_or_default();
        let answer = send(request.body(body.into()).expect("a valid request")).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().expect("cookies are ASCII"));
        }
        self.url = url.to_owned();
        answer
    }

    /// One without a value is taken back.
    fn keep(&mut self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a pair");
        let path = parts.find_map(|part| part.strip_prefix("path=")).unwrap_or("/");
        let key = (path.to_owned(), name.to_owned());
        if value.is_empty() {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }

    fn resolve(&self, link: &str) -> String {
        if link.starts_with('/') { format!("{}{link}", origin(&self.url)) } else { link.to_owned() }
    }
}

fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |end| end + 3);
    let end = url[authority..].find(['/', '?']).map_or(url.len(), |end| authority + end);
    &url[..end]
}

/// Of the tag that the text begins in.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let tag = tag.split_once('>')?.0;
    tag.split_once(&format!("{name}=\""))?.1.split_once('"').map(|(value, _)| value)
}
