use std::error::Error;
use std::fmt;

use bartizan_core::Rejection;

/// A base URL that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBaseUrl {
    url: String,
    fault: BaseFault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BaseFault {
    NoScheme,
    Scheme,
    Host,
    Port,
    UserInformation,
    Query,
    Fragment,
    EmptySegment,
    Text(TextFault),
}

/// What is wrong with the text of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextFault {
    Character { position: usize, character: char },
    Percent { position: usize },
    DotSegment { segment: String },
}

impl InvalidBaseUrl {
    pub(super) fn new(url: &str, fault: BaseFault) -> Self {
        Self { url: redacted(url), fault }
    }

    /// The URL as it was given, without its query and user information.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the base URL `{}` ", self.url.escape_debug())?;
        f.write_str(match &self.fault {
            BaseFault::NoScheme => "has no scheme; begin it with `https://`",
            BaseFault::Scheme => "has a scheme other than `https` and `http`; use one of these",
            BaseFault::Host => "names no valid host; write it as `https://api.example.com/v1`",
            BaseFault::Port => "has a port that is none; use a number up to 65535, or leave it out",
            BaseFault::UserInformation => {
                "has user information; leave it out, and send credentials by an auth layer or a header"
            }
            BaseFault::Query => "has a query; leave it out, each request has its own",
            BaseFault::Fragment => "has a fragment, which is not sent; leave out `#` and what follows",
            BaseFault::EmptySegment => "has an empty path segment; write one slash in place of `//`",
            BaseFault::Text(fault) => return fault.fmt(f),
        })
    }
}

impl Error for InvalidBaseUrl {}

/// A reference that does not name something below the base URL. Nothing was sent.
///
/// As the error of [`WithBaseUrl`](crate::WithBaseUrl) it is a local refusal: its source is a [`Rejection`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidReference {
    reference: String,
    fault: ReferenceFault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReferenceFault {
    Fragment,
    Asterisk,
    NamesHost,
    Ambiguous,
    UserInformation,
    Elsewhere { base: String },
    TooLong,
    Malformed,
    Text(TextFault),
}

impl InvalidReference {
    pub(super) fn new(reference: &str, fault: ReferenceFault) -> Self {
        Self { reference: redacted(reference), fault }
    }

    /// The reference as it was given, without its query and user information, and cut if it is long.
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

impl fmt::Display for InvalidReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reference `{}` ", self.reference.escape_debug())?;
        f.write_str(match &self.fault {
            ReferenceFault::Fragment => {
                "has a fragment, which is not sent; leave it out, or write `%23` for a `#` that is meant"
            }
            ReferenceFault::Asterisk => {
                "asks about the whole server, not about what is below the base URL; send it without the base URL, or \
                 write `%2A` for a path"
            }
            ReferenceFault::NamesHost => "begins its path like the name of a host; write one slash in place of `//`",
            ReferenceFault::Ambiguous => {
                "may mean a scheme, a port or a user by its `:` or `@`; begin it with `/` if it is a path"
            }
            ReferenceFault::UserInformation => {
                "has user information; leave it out, and send credentials by an auth layer or a header"
            }
            ReferenceFault::Elsewhere { base } => {
                return write!(
                    f,
                    "is not below the base URL `{base}`; give a path, such as `/users`, or send it without the base URL"
                );
            }
            ReferenceFault::TooLong => "makes a URI of more than 65534 bytes; send less in it, or in the body",
            ReferenceFault::Malformed => "is no valid URI; write a path, such as `/users`",
            ReferenceFault::Text(fault) => return fault.fmt(f),
        })
    }
}

impl Error for InvalidReference {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        static REJECTION: Rejection = Rejection::new(None);
        Some(&REJECTION)
    }
}

/// Goes on after "the reference `x` ".
impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { position, character } => {
                let mut utf8 = [0; 4];
                write!(f, "has `{}` at position {position}; write it as `", character.escape_debug())?;
                for byte in character.encode_utf8(&mut utf8).bytes() {
                    write!(f, "%{byte:02X}")?;
                }
                f.write_str("`, or leave it out")
            }
            Self::Percent { position } => write!(
                f,
                "has a `%` at position {position} of its path that is no escape; write `%25` for a percent sign"
            ),
            Self::DotSegment { segment } => {
                let segment = shortened(segment);
                write!(f, "has the dot segment `{segment}`; write the path that is meant without it")
            }
        }
    }
}

/// How much of a text an error shows.
const SHOWN: usize = 200;

/// Without user information and query: both hold secrets often enough. Rather too little is shown than too much.
fn redacted(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    let authority = match head.find("//") {
        Some(slashes) => slashes + 2,
        // A path of our own host has no place for user information.
        None if head.starts_with('/') => head.len(),
        None => 0,
    };
    let (scheme, rest) = head.split_at(authority);
    let mut shown = shortened(scheme);
    // An unencoded `?` or `#` in a password: what looks like the host is a part of it. `Uri` shows a slash after that.
    let only_a_host = authority < head.len() && !rest.trim_end_matches('/').contains('/');
    match rest.rsplit_once('@') {
        _ if only_a_host && tail.contains('@') => return shown + "..",
        Some((_, host_and_path)) => shown.extend(["..@", &shortened(host_and_path)]),
        // The start of such a password, where `Uri` has cut off what followed.
        None if authority > 0 && has_odd_port(rest) => shown.push_str(".."),
        None => shown.push_str(&shortened(rest)),
    }
    match tail.as_bytes() {
        [] => {}
        [mark, ..] => shown.extend([char::from(*mark).to_string().as_str(), ".."]),
    }
    shown
}

fn has_odd_port(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let port = authority.rsplit(']').next().and_then(|after_host| after_host.split_once(':'));
    port.is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}
