use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::error::{Fault, InvalidClient};

/// The system's root certificates. A client of a plain `http` API can do without them.
pub(super) fn tls(base_url: &str) -> Result<ClientConfig, InvalidClient> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // What the system has and rustls cannot read is left out, as browsers do.
    roots.add_parsable_certificates(loaded.certs);
    if roots.is_empty() && base_url.starts_with("https") {
        let error = loaded.errors.into_iter().next().map(Into::into);
        return Err(InvalidClient { fault: Fault::NoCertificates(error) });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers of TLS 1.2 and 1.3");
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
