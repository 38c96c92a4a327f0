use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bartizan_core::{Key, KeyBy, RequestHead};
use http::HeaderName;

/// Who asks, on the server side: one key for each caller's host, as [`Key::peer`] has it.
///
/// By itself it goes by the address at the other end of the connection, and no header field is looked at, since anybody may send any.
/// Behind proxies of one's own that address is the last proxy's. Each of them appends the address that it was called from to
/// `X-Forwarded-For`; say how many there are, and the entry that the outermost wrote decides:
///
/// ```
/// use std::net::IpAddr;
/// use bartizan_core::{Key, RequestHead};
/// use bartizan_rate_limit::Peers;
///
/// // A load balancer of ours in front of the server.
/// let callers = Peers::by(|request| request.extensions.get::<IpAddr>().copied()).behind(1).key_by();
///
/// let mut request = http::Request::get("/").header("x-forwarded-for", "6.6.6.6, 203.0.113.9").body(())?;
/// request.extensions_mut().insert(IpAddr::from([10, 0, 0, 1]));
/// let caller = callers.key(&RequestHead::from(&request));
/// assert_eq!(caller, Key::peer([203, 0, 113, 9].into()));
/// # Ok::<(), http::Error>(())
/// ```
///
/// The number must be exact. With one too many a caller may choose his key, and so he may if he can go around the proxies.
///
/// Where that entry is missing or is no address, the connection's own address decides. Requests of which not even that is known
/// share one key, [`Key::NONE`].
#[derive(Clone)]
pub struct Peers {
    peer: Arc<Peer>,
    proxies: u8,
    field: HeaderName,
}

type Peer = dyn Fn(&RequestHead<'_>) -> Option<IpAddr> + Send + Sync;

impl Peers {
    /// With the address at the other end of the connection as `peer` finds it, in the extensions mostly.
    pub fn by<F>(peer: F) -> Self
    where
        F: Fn(&RequestHead<'_>) -> Option<IpAddr> + Send + Sync + 'static,
    {
        Self { peer: Arc::new(peer), proxies: 0, field: HeaderName::from_static("x-forwarded-for") }
    }

    /// How many proxies of one's own each request comes through. By default none, and the field is not looked at.
    #[must_use]
    pub fn behind(mut self, proxies: u8) -> Self {
        self.proxies = proxies;
        self
    }

    /// The field that they append to. By default `X-Forwarded-For`.
    ///
    /// Its entries are addresses, with a port or without one: `Forwarded` (RFC 7239) has another form and is not read.
    #[must_use]
    pub fn field(mut self, name: HeaderName) -> Self {
        self.field = name;
        self
    }

    /// The key of each caller, for a layer.
    pub fn key_by(self) -> KeyBy {
        KeyBy::with(move |request| self.caller(request).map_or(Key::NONE, Key::peer))
    }

    fn caller(&self, request: &RequestHead<'_>) -> Option<IpAddr> {
        self.forwarded(request).or_else(|| (self.peer)(request))
    }

    /// The entry of the outermost proxy. Entries are counted from the right, where no stranger writes; an empty one counts too, or the one
    /// on its left, which may be a stranger's, would come into its place.
    fn forwarded(&self, request: &RequestHead<'_>) -> Option<IpAddr> {
        let place = usize::from(self.proxies).checked_sub(1)?;
        let lines = request.headers.get_all(&self.field).iter().rev();
        let mut entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        address(entries.nth(place)?)
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text.trim_ascii()).ok()?;
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(address) => address.parse().map(IpAddr::V6).ok(),
        None => text.parse().map(|address: SocketAddr| address.ip()).ok(),
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { proxies, field, .. } = self;
        f.debug_struct("Peers").field("proxies", proxies).field("field", field).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
