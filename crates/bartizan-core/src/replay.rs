use bytes::Buf;
use http::Request;
use http_body_util::{Empty, Full};

/// A request body that can be sent more than once.
///
/// Layers that may send a request again (retry, auth after a 401, hedging) ask for `B: Replay` and leave the body type as
/// it is. `Full` and `Empty` have it; a stream gets it from one `ReplayLayer` around the whole stack.
///
/// **The rule of copies:** keep the body you have, send what `replay` returns, and call `replay` again on the one you
/// kept. The newest copy is the live one. Where all copies read one source, an older copy ends with an error.
#[diagnostic::on_unimplemented(
    message = "the body `{Self}` cannot be sent twice",
    label = "needs `Replay`",
    note = "`http_body_util::Full` and `Empty` can; put `bartizan_retry::ReplayLayer` outermost to keep a stream while it \
            is sent"
)]
pub trait Replay: Sized {
    /// A copy to send now, or `None` when too much of the body is gone to send it again.
    fn replay(&self) -> Option<Self>;

    /// Whether there could be a copy, without making one. By the time of the copy it may be too late all the same.
    fn can_replay(&self) -> bool {
        true
    }
}

impl<D: Buf + Clone> Replay for Full<D> {
    fn replay(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl<D: Buf> Replay for Empty<D> {
    fn replay(&self) -> Option<Self> {
        Some(Self::new())
    }
}

/// A copy of the whole request to send now, or `None` when too much of the body is gone. The rule of copies is that of [`Replay`].
pub fn replay_request<B: Replay>(request: &Request<B>) -> Option<Request<B>> {
    let mut copy = Request::new(request.body().replay()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

/// In a response's extensions: the request should be sent again, at once and once more, and was not processed. An auth layer that
/// has got a new credential after a 401 says so; a retry layer outside does it, without asking its policy or its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayNow;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Version;
    use http_body::Body;

    use super::*;

    #[test]
    fn a_copy_of_a_request_has_all_that_is_in_it() {
        let mut request = Request::post("http://a.example/x?y").version(Version::HTTP_2).header("x-a", "1");
        request = request.header("x-a", "2").extension(7_u8);
        let request = request.body(Full::new(Bytes::from("body"))).unwrap();
        let copy = replay_request(&request).unwrap();
        assert_eq!(
            (copy.method(), copy.uri(), copy.version()),
            (request.method(), request.uri(), request.version())
        );
        assert_eq!(copy.headers(), request.headers());
        assert_eq!(copy.extensions().get::<u8>(), Some(&7));
        assert_eq!(copy.body().size_hint().exact(), Some(4));
    }

    #[test]
    fn what_is_in_memory_can_always_be_sent_again() {
        let full = Full::new(Bytes::from("body"));
        assert!(full.can_replay());
        assert_eq!(full.replay().and_then(|copy| copy.size_hint().exact()), Some(4));
        let empty = Empty::<Bytes>::new();
        assert!(empty.can_replay() && empty.replay().is_some());
    }
}
