use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::extract::connect_info::MockConnectInfo;

use crate::Peers;

impl Peers {
    /// By axum's [`ConnectInfo`], which a server has that is made by `into_make_service_with_connect_info::<SocketAddr>()`; without it all callers
    /// share one key. As in axum, [`MockConnectInfo`] takes its place in tests.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use axum::extract::ConnectInfo;
    /// use bartizan_core::{Key, RequestHead};
    /// use bartizan_rate_limit::Peers;
    ///
    /// let callers = Peers::axum().key_by();
    /// # let mut request = http::Request::new(());
    /// # request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([203, 0, 113, 9], 40_000))));
    /// assert_eq!(callers.key(&RequestHead::from(&request)), Key::peer([203, 0, 113, 9].into()));
    /// ```
    pub fn axum() -> Self {
        Self::by(|request| {
            let connection = request.extensions.get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer);
            let mocked =
                || request.extensions.get().map(|MockConnectInfo(peer): &MockConnectInfo<SocketAddr>| peer);
            Some(connection.or_else(mocked)?.ip())
        })
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Key, RequestHead};
    use http::Request;

    use super::*;

    #[test]
    fn the_peer_is_axums_connection_and_in_tests_the_mocked_one() {
        let callers = Peers::axum().key_by();
        let mut request = Request::new(());
        assert_eq!(callers.key(&RequestHead::from(&request)), Key::NONE);
        request.extensions_mut().insert(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1))));
        assert_eq!(callers.key(&RequestHead::from(&request)), Key::peer([192, 0, 2, 1].into()));
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 2], 1))));
        assert_eq!(callers.key(&RequestHead::from(&request)), Key::peer([192, 0, 2, 2].into()));
    }
}
