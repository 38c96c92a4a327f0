//! A TLS server on a loopback port, and the authority that vouches for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bartizan_core::BoxError;
use bartizan_test::server::{Script, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Makes certificates.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self, BoxError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// What who trusts it is given.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// For a server of these names, which speaks `protocols` (RFC 7301).
    fn config(&self, names: &[&str], protocols: &[&str]) -> Result<ServerConfig, BoxError> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names)?.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(config)
    }
}

/// What a record of a handshake begins with (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// Ends TLS, and has a server for each version of HTTP behind it; what comes without TLS is HTTP/1.1. Dropping it ends its tasks.
pub(crate) struct TlsServer {
    pub(crate) addr: SocketAddr,
    pub(crate) http1: Arc<Server>,
    pub(crate) http2: Arc<Server>,
    _tasks: JoinSet<()>,
}

impl TlsServer {
    /// A server of these names, which is vouched for by `authority` and answers as `script` says.
    pub(crate) async fn start(
        authority: &Authority,
        names: &[&str],
        protocols: &[&str],
        script: impl Script + Clone,
    ) -> Result<Self, BoxError> {
        let acceptor = TlsAcceptor::from(Arc::new(authority.config(names, protocols)?));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let http1 = Arc::new(Server::h1_in_memory(script.clone()));
        let http2 = Arc::new(Server::h2_in_memory(script));
        let (behind1, behind2) = (http1.clone(), http2.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, http1, http2) = (acceptor.clone(), behind1.clone(), behind2.clone());
                connections.spawn(async move {
                    let mut first = [0];
                    tcp.peek(&mut first).await?;
                    if first != [HANDSHAKE] {
                        return copy_bidirectional(&mut { tcp }, &mut http1.connect()?).await;
                    }
                    // What a client refuses ends here.
                    let mut tls = acceptor.accept(tcp).await?;
                    let speaks_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
                    let mut http = if speaks_http2 { http2.connect()? } else { http1.connect()? };
                    copy_bidirectional(&mut tls, &mut http).await
                });
            }
        });
        Ok(Self { addr, http1, http2, _tasks: tasks })
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("https://{}{path}", self.addr)
    }
}
