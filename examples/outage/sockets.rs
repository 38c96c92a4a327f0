//! Loopback sockets: a port of its own for each server.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::run::Network;
use crate::server::Server;

#[derive(Debug)]
pub(crate) struct Loopback;

impl Network for Loopback {
    type Connector = HttpConnector;

    async fn open(&self, server: Arc<Server>) -> io::Result<(HttpConnector, String)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let authority = listener.local_addr()?.to_string();
        tokio::spawn(async move {
            loop {
                let socket = match listener.accept().await {
                    Ok((socket, _)) => socket,
                    Err(error) => {
                        eprintln!(
                            "cannot accept: {error}; `ulimit -n 1024` allows as many connections as it takes"
                        );
                        sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                // What the server ends, it ends with a reset. And no answer waits for an acknowledgement.
                let _ = socket.set_zero_linger().and_then(|()| socket.set_nodelay(true));
                tokio::spawn(server.clone().serve(socket));
            }
        });
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok((connector, authority))
    }
}
