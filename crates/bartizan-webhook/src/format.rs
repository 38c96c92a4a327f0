mod field;
mod presets;
mod ring;
mod signer;
mod template;
// The keys of some vectors are of Ed25519.
#[cfg(feature = "ed25519")]
#[cfg(test)]
mod tests;
mod verifier;

use std::time::Duration;

use http::HeaderName;

pub use self::signer::{SignError, Signer};
use self::template::Template;
pub use self::verifier::SignatureVerifier;
use crate::{InvalidFormat, Key};

/// How a sender signs: a table of where things stand and what is signed. It becomes a [`SignatureVerifier`] or a [`Signer`] by keys.
///
/// There are tables of some senders, and [`new`](Self::new) is where your own one begins:
///
/// ```
/// use bartizan_webhook::{Algorithm, Encoding, SignatureFormat, VerifyLayer};
///
/// let stripe = VerifyLayer::new(SignatureFormat::stripe().verifier(["whsec_1", "whsec_2"])?);
///
/// let acme = SignatureFormat::new("acme", "x-acme-signature")
///     .version("sha512=", Algorithm::HmacSha512)
///     .encoding(Encoding::Base64)
///     .timestamp_field("x-acme-timestamp")
///     .signed("{timestamp}.{body}");
/// let acme = VerifyLayer::new(acme.verifier(["s3cret"])?);
/// # let _ = (stripe, acme);
/// # Ok::<(), bartizan_webhook::InvalidFormat>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignatureFormat {
    name: String,
    /// Whatever of it means nothing; told by who makes something of it.
    fault: Option<InvalidFormat>,
    field: HeaderName,
    elements: Elements,
    template: Template,
    timestamp_field: Option<HeaderName>,
    id: Option<IdPlace>,
    tolerance: Duration,
    secret: SecretText,
    handshake: Option<Handshake>,
}

/// What the signature field is made of.
#[derive(Clone, Debug, Default)]
struct Elements {
    separator: Option<char>,
    versions: Vec<Version>,
    /// What the timestamp is preceded by, if it stands here.
    timestamp: Option<String>,
    encoding: Encoding,
}

#[derive(Clone, Debug)]
struct Version {
    prefix: String,
    algorithm: Algorithm,
}

#[derive(Clone, Debug)]
enum IdPlace {
    Field(HeaderName),
    /// A JSON pointer.
    Body(String),
}

/// What the text of a key means.
#[derive(Clone, Copy, Debug)]
enum SecretText {
    /// Its own bytes.
    Plain,
    /// Standard Webhooks: base64 after `whsec_`, `whpk_` or `whsk_`.
    Prefixed,
    /// Hexadecimal.
    Hex,
}

/// What a verified request may be beside an event.
#[derive(Clone, Copy, Debug)]
enum Handshake {
    /// `url_verification`.
    Slack,
}

impl Elements {
    /// A prefix that would not be found again in what was made with it, or be found in what was made with another one.
    fn ambiguous(&self) -> Option<(&str, &'static str)> {
        let prefixes =
            || self.versions.iter().map(|version| &*version.prefix).chain(self.timestamp.as_deref());
        prefixes().enumerate().find_map(|(nth, prefix)| {
            let extends = |(other_nth, other): (usize, &str)| {
                // The timestamp is looked for first.
                let is_timestamp = other_nth == self.versions.len();
                let is_other = |rest: &str| is_timestamp || rest.chars().all(is_of_signatures);
                other_nth != nth && prefix.strip_prefix(other).is_some_and(is_other)
            };
            let why = if !prefix.chars().all(|c| c.is_ascii_graphic() || c == ' ') || prefix.starts_with(' ')
            {
                "is no visible ASCII"
            } else if self.separator.is_some_and(|separator| prefix.contains(separator)) {
                "holds the separator"
            } else if prefixes().enumerate().any(extends) {
                "may also be read as another one and the begin of a signature"
            } else {
                return None;
            };
            Some((prefix, why))
        })
    }
}

/// But for what base64 ends with.
fn is_of_signatures(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '+' || c == '/'
}

/// What makes a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC (RFC 2104) with SHA-1, for senders that have nothing better.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Ed25519 (RFC 8032), verified strictly: no weak keys, no signature that fits several messages. Its keys need feature `ed25519`.
    Ed25519,
}

/// How a signature is written. No other spelling of it is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal in lower case.
    #[default]
    Hex,
    /// Hexadecimal in upper case.
    HexUpper,
    /// Base64 with padding (RFC 4648 section 4).
    Base64,
}

/// How far a timestamp may be from now, by default: five minutes, as Standard Webhooks' and Stripe's own libraries have it.
const TOLERANCE: Duration = Duration::from_secs(300);

impl SignatureFormat {
    /// One with that name, and the signature in that header field: HMAC-SHA256 of the body, in hexadecimal, and nothing else, unless more is said.
    pub fn new(name: impl Into<String>, field: &str) -> Self {
        let name = name.into();
        let mut format = Self {
            fault: None,
            field: HeaderName::from_static("x-webhook-signature"),
            elements: Elements::default(),
            template: Template::default(),
            timestamp_field: None,
            id: None,
            tolerance: TOLERANCE,
            secret: SecretText::Plain,
            handshake: None,
            name,
        };
        if let Some(field) = format.field_name(field) {
            format.field = field;
        }
        format
    }

    /// A signature that begins with `prefix` is made by `algorithm`. Each call adds one; a signature with no such prefix is passed over. By default all are
    /// HMAC-SHA256, without a prefix.
    #[must_use]
    pub fn version(mut self, prefix: impl Into<String>, algorithm: Algorithm) -> Self {
        self.elements.versions.push(Version { prefix: prefix.into(), algorithm });
        self
    }

    /// How signatures are written: [`Encoding::Hex`] by default.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.elements.encoding = encoding;
        self
    }

    /// What stands between several signatures in the field: an ASCII character that is in none of them, nor in a prefix. By default there is one signature, which is
    /// the whole value.
    #[must_use]
    pub fn separator(mut self, separator: char) -> Self {
        if !separator.is_ascii_graphic() && separator != ' ' {
            self.fail(format!("the separator {separator:?}"), "is no visible ASCII");
        } else if separator == '=' || is_of_signatures(separator) {
            self.fail(format!("the separator {separator:?}"), "may stand in a signature");
        }
        self.elements.separator = Some(separator);
        self
    }

    /// What is signed: text in which `{body}`, `{id}`, `{timestamp}` and `{header:NAME}` stand for those. `{body}` by default.
    ///
    /// A request is refused if a part holds the text that parts it from the next one towards the body, for then another request would have the same signature. Where
    /// nothing parts an id or a field from the next part, nothing tells where it ends, and whoever sees a request can move that end.
    #[must_use]
    pub fn signed(mut self, template: &str) -> Self {
        match Template::parse(template) {
            Ok(template) => self.template = template,
            Err(why) => self.fail(format!("the template {template:?}"), why),
        }
        self
    }

    /// The header field of the timestamp: seconds since 1970. None by default; then a signature is good for ever.
    #[must_use]
    pub fn timestamp_field(mut self, field: &str) -> Self {
        self.timestamp_field = self.field_name(field);
        self
    }

    /// The timestamp stands among the signatures, after `prefix`. By default it does not.
    #[must_use]
    pub fn timestamp_element(mut self, prefix: impl Into<String>) -> Self {
        self.elements.timestamp = Some(prefix.into());
        self
    }

    /// How far the timestamp may be from now, both ways. 300 s by default.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The header field of the event's id. It is signed if the template has it. None by default.
    #[must_use]
    pub fn id_field(mut self, field: &str) -> Self {
        self.id = self.field_name(field).map(IdPlace::Field);
        self
    }

    /// The event's id is the text or number at that JSON pointer (RFC 6901) in the body, and so it is signed. None by default.
    #[must_use]
    pub fn id_in_body(mut self, pointer: impl Into<String>) -> Self {
        self.id = Some(IdPlace::Body(pointer.into()));
        self
    }

    /// Knows requests by any of these keys. All of them are tried, newest first is quickest.
    ///
    /// # Errors
    /// If there is no key, one is empty or not what the format asks for, two have one id, or the table means nothing.
    pub fn verifier<K: Into<Key>>(
        self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<SignatureVerifier, InvalidFormat> {
        SignatureVerifier::new(self, keys.into_iter().map(Into::into))
    }

    /// Signs by all of these keys.
    ///
    /// # Errors
    /// As [`verifier`](Self::verifier); or if there are several keys and no place for several signatures, or a key can only verify.
    pub fn signer<K: Into<Key>>(self, keys: impl IntoIterator<Item = K>) -> Result<Signer, InvalidFormat> {
        Signer::new(self, keys.into_iter().map(Into::into))
    }

    fn field_name(&mut self, field: &str) -> Option<HeaderName> {
        let name = HeaderName::try_from(field).ok();
        if name.is_none() {
            self.fail(format!("the header field {field:?}"), "is no name of one");
        }
        name
    }

    /// The first fault is the one that is told.
    fn fail(&mut self, what: String, why: &'static str) {
        self.fault.get_or_insert(InvalidFormat::new(&self.name, what, why));
    }

    /// What can only be seen of the whole table.
    fn checked(mut self) -> Result<Self, InvalidFormat> {
        if self.elements.versions.is_empty() {
            self.elements.versions.push(Version { prefix: String::new(), algorithm: Algorithm::HmacSha256 });
        }
        let has_timestamp = self.timestamp_field.is_some() || self.elements.timestamp.is_some();
        let what = || "the template".to_owned();
        if self.template.has_timestamp() != has_timestamp {
            let why = if has_timestamp {
                "does not sign the timestamp"
            } else {
                "has a timestamp that stands nowhere"
            };
            self.fail(what(), why);
        }
        if self.timestamp_field.is_some() && self.elements.timestamp.is_some() {
            self.fail("the timestamp".to_owned(), "stands in two places");
        }
        if self.template.has_id() && !matches!(self.id, Some(IdPlace::Field(_))) {
            self.fail(what(), "has an id that stands in no header field");
        }
        if self.elements.timestamp.is_some() && self.elements.separator.is_none() {
            self.fail("the timestamp".to_owned(), "stands among signatures that nothing separates");
        }
        if self.template.has_field(&self.field) {
            self.fail(what(), "has the signature itself");
        }
        if self.timestamp_field.as_ref() == Some(&self.field) {
            self.fail("the timestamp".to_owned(), "stands in the place of the signature");
        }
        if let Some(IdPlace::Field(id)) = &self.id
            && [Some(&self.field), self.timestamp_field.as_ref()].contains(&Some(id))
        {
            self.fail("the id".to_owned(), "stands in the place of the signature or of the timestamp");
        }
        if let Some((prefix, why)) = self.elements.ambiguous() {
            self.fail(format!("the prefix {prefix:?}"), why);
        }
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(self),
        }
    }
}
