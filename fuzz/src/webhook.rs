//! Signed requests, out of bytes.

mod head;
mod json;
mod template;

use std::time::{Duration, SystemTime};

use bartizan_core::RequestHead;
use bartizan_webhook::{Fault, Proof, Scheme, SignatureFormat, SignatureVerifier, Signer};
use http::{HeaderMap, Request};

pub use head::webhook_head;
pub use json::webhook_json;
pub use template::webhook_template;

const NOW: u64 = 1_614_265_330;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Both ends of one table.
struct Ends {
    verifier: SignatureVerifier,
    signer: Signer,
}

impl Ends {
    /// `None` if the table means nothing; who verifies and who signs are of one mind about that.
    fn of(format: &SignatureFormat, key: &str) -> Option<Self> {
        let verifier = format.clone().verifier([key]);
        let signer = format.clone().signer([key]);
        assert_eq!(verifier.as_ref().err(), signer.as_ref().err());
        Some(Self { verifier: verifier.ok()?, signer: signer.ok()? })
    }

    /// In pieces of that length, as a body comes.
    fn verify(&self, headers: &HeaderMap, body: &[u8], piece: usize) -> Result<Proof, Fault> {
        let mut request = Request::new(());
        *request.headers_mut() = headers.clone();
        let mut check = self.verifier.begin(&RequestHead::from(&request), at(NOW))?;
        body.chunks(piece).for_each(|piece| check.update(piece));
        check.finish(body)
    }
}
