//! The spans, with the names of OpenTelemetry's semantic conventions for HTTP clients.

use std::fmt;
use std::num::NonZeroU32;

use bartizan_core::{CallContext, PathTemplate, shown_url};
use http::{Method, Request, Uri};
use tracing::field::{Empty, display};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

use crate::trace_context::TraceContext;
use crate::{ErrorType, REDACTED, Record, Scope};

/// Of a request, not entered. Disabled if nobody listens.
pub(crate) fn of<B>(request: &Request<B>, scope: Scope) -> Span {
    // With its feature `log`, which any crate of a program may switch on, the macro makes all values even so.
    if LevelFilter::current() < Level::INFO {
        return Span::none();
    }
    // A span's place in the code is its identity, so there are two.
    macro_rules! span {
        ($target:literal, $name:literal, $kind:literal, $resend_count:expr) => {
            tracing::info_span!(
                target: $target,
                $name,
                "otel.kind" = $kind,
                "otel.name" = %Name::of(request),
                "http.request.method" = method(request.method()).unwrap_or("_OTHER"),
                "http.request.method_original" = original(request.method()),
                "url.full" = %Shown(request.uri()),
                "url.template" = PathTemplate::of(request.extensions()).map(PathTemplate::as_str),
                "server.address" = address(request.uri()),
                "server.port" = port(request.uri()),
                "http.request.resend_count" = $resend_count,
                "http.response.status_code" = Empty,
                "error.type" = Empty,
                "otel.status_code" = Empty,
                "bartizan.attempts" = Empty,
                "trace_id" = Empty,
                "span_id" = Empty,
            )
        };
    }
    match scope {
        Scope::Call => span!("bartizan_observe::call", "call", "internal", Empty),
        Scope::Attempt => span!("bartizan_observe::attempt", "attempt", "client", resend_count(request)),
    }
}

pub(crate) fn finish(span: &Span, record: &Record<'_>) {
    if span.is_disabled() {
        return;
    }
    if let Some(status) = record.status {
        span.record("http.response.status_code", status.as_u16());
    }
    if let Some(error) = &record.error {
        span.record("error.type", error.as_str());
        // Whoever waited went away, which is routine.
        if *error != ErrorType::DROPPED {
            span.record("otel.status_code", "ERROR");
        }
    }
    match record.scope {
        // Nothing was sent, so nothing was a client.
        Scope::Attempt if record.is_refused => {
            span.record("otel.kind", "internal");
        }
        Scope::Attempt => {}
        Scope::Call => {
            if let Some(attempts) = record.attempts {
                span.record("bartizan.attempts", attempts.get());
            }
        }
    }
}

pub(crate) fn trace(span: &Span, context: TraceContext) {
    span.record("trace_id", display(context.trace_id()));
    span.record("span_id", display(context.span_id()));
}

/// `GET /users/{id}`, `GET`, `HTTP`.
struct Name<'a> {
    method: &'static str,
    template: Option<&'a PathTemplate>,
}

impl<'a> Name<'a> {
    fn of<B>(request: &'a Request<B>) -> Self {
        let method = method(request.method()).unwrap_or("HTTP");
        Self { method, template: PathTemplate::of(request.extensions()) }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method)?;
        self.template.iter().try_for_each(|template| write!(f, " {}", template.as_str()))
    }
}

/// Nothing is made of it unless somebody writes it.
struct Shown<'a>(&'a Uri);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown_url(self.0, REDACTED))
    }
}

/// If it is one of RFC 9110, or PATCH: others are as many as a caller likes.
pub(crate) fn method(method: &Method) -> Option<&'static str> {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| method == known)
}

fn original(unknown: &Method) -> Option<&str> {
    method(unknown).is_none().then_some(unknown.as_str())
}

/// Without the brackets of an IPv6 address.
fn address(uri: &Uri) -> Option<&str> {
    let host = uri.host()?;
    Some(host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host))
}

fn port(uri: &Uri) -> Option<u16> {
    let of_scheme = || match uri.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    uri.port_u16().or_else(of_scheme)
}

/// How often it was sent before.
fn resend_count<B>(request: &Request<B>) -> Option<u32> {
    let attempt = CallContext::of(request.extensions())?.attempt();
    attempt.map(|attempt| attempt.get() - NonZeroU32::MIN.get()).filter(|before| *before > 0)
}
