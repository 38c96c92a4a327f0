use std::error::Error;
use std::fmt;

use bartizan_client::InvalidBaseUrl;
use bartizan_core::{BoxError, InvalidHeader};

/// Why a client cannot be built.
#[derive(Debug)]
pub struct InvalidClient {
    pub(super) fault: Fault,
}

#[derive(Debug)]
pub(super) enum Fault {
    BaseUrl(InvalidBaseUrl),
    Header(InvalidHeader),
    Proxy,
    NoCertificates(Option<BoxError>),
    RootCertificate(Option<BoxError>),
}

impl From<InvalidBaseUrl> for InvalidClient {
    fn from(error: InvalidBaseUrl) -> Self {
        Self { fault: Fault::BaseUrl(error) }
    }
}

impl From<InvalidHeader> for InvalidClient {
    fn from(error: InvalidHeader) -> Self {
        Self { fault: Fault::Header(error) }
    }
}

impl fmt::Display for InvalidClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::BaseUrl(error) => error.fmt(f),
            Fault::Header(error) => error.fmt(f),
            Fault::Proxy => f.write_str(
                "the URL of the proxy is none; use scheme, host and port alone, such as `http://proxy.example.com:3128`",
            ),
            Fault::RootCertificate(_) => f.write_str(
                "what was given as a root certificate is none in PEM form, which begins with `-----BEGIN CERTIFICATE-----`; \
                 convert a DER file by `openssl x509 -inform der`",
            ),
            Fault::NoCertificates(_) => f.write_str(
                "the system has no root certificates for TLS; install them (Debian: ca-certificates) or name a file in \
                 SSL_CERT_FILE",
            ),
        }
    }
}

impl Error for InvalidClient {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            Fault::BaseUrl(error) => error.source(),
            Fault::Header(error) => error.source(),
            Fault::Proxy => None,
            Fault::NoCertificates(error) | Fault::RootCertificate(error) => {
                error.as_ref().map(|error| &**error as _)
            }
        }
    }
}
