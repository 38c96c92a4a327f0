use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::error::{Fault, InvalidClient};

/// Root certificates in PEM form, as they were given.
#[derive(Clone, Default)]
pub(super) struct OwnRoots {
    files: Vec<Vec<u8>>,
}

impl OwnRoots {
    pub(super) fn add(&mut self, pem: Vec<u8>) {
        self.files.push(pem);
    }

    /// Each file is to hold one certificate at least.
    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, InvalidClient> {
        let invalid = |error| InvalidClient { fault: Fault::RootCertificate(error) };
        let mut all = Vec::new();
        for file in &self.files {
            let before = all.len();
            for certificate in CertificateDer::pem_slice_iter(file) {
                all.push(certificate.map_err(|error| invalid(Some(error.into())))?);
            }
            if all.len() == before {
                return Err(invalid(None));
            }
        }
        Ok(all)
    }
}

/// Trusts the system's root certificates, and those of one's own. A client of a plain `http` API can do without.
pub(super) fn tls(base_url: &str, own: &OwnRoots) -> Result<ClientConfig, InvalidClient> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // What the system has and rustls cannot read is left out, as browsers do.
    roots.add_parsable_certificates(loaded.certs);
    for certificate in own.certificates()? {
        let invalid =
            |error: rustls::Error| InvalidClient { fault: Fault::RootCertificate(Some(error.into())) };
        roots.add(certificate).map_err(invalid)?;
    }
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
