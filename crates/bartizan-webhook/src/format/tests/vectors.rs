use serde_json::Value;

use super::*;

/// What senders and their own libraries publish; the file says whose each is.
pub(super) fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../../vectors/signatures.json")).unwrap()
}

pub(super) struct Vector {
    pub(super) id: String,
    pub(super) verifier: SignatureVerifier,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) now: SystemTime,
    pub(super) is_valid: bool,
}

impl Vector {
    pub(super) fn all() -> Vec<Self> {
        vectors().iter().map(Self::read).collect()
    }

    fn read(vector: &Value) -> Self {
        let text = |name: &str| vector[name].as_str();
        let key = text("secret").or_else(|| text("public_key")).unwrap();
        let format = match text("scheme").unwrap() {
            "standard-webhooks" => SignatureFormat::standard_webhooks(),
            "github" => SignatureFormat::github(),
            "slack" => SignatureFormat::slack(),
            "stripe" => SignatureFormat::stripe(),
            // By the table: what is signed begins with the URL that was registered.
            "square" => SignatureFormat::new("square", "x-square-hmacsha256-signature")
                .encoding(Encoding::Base64)
                .signed(&format!("{}{{body}}", text("url").unwrap())),
            other => panic!("{other}"),
        };
        let fields = vector["headers"].as_object().unwrap();
        Self {
            id: text("id").unwrap().to_owned(),
            verifier: format.verifier([key]).unwrap(),
            headers: headers(
                fields.iter().map(|(name, value)| (&**name, value.as_str().unwrap().as_bytes())),
            ),
            body: text("body").unwrap().as_bytes().to_vec(),
            now: at(vector["now"].as_u64().unwrap_or(NOW)),
            is_valid: vector["valid"].as_bool().unwrap(),
        }
    }

    pub(super) fn verify(&self) -> Result<Proof, Fault> {
        verify(&self.verifier, &self.headers, &self.body, self.now)
    }
}

#[test]
fn published_signatures_are_known_and_those_that_are_wrong_are_not() {
    let vectors = Vector::all();
    assert_eq!(vectors.len(), 16);
    for vector in &vectors {
        assert_eq!(vector.verify().is_ok(), vector.is_valid, "{}", vector.id);
    }
    assert!(vectors.iter().filter(|vector| !vector.is_valid).count() >= 4);
}

#[test]
fn what_is_verified_tells_the_event_and_the_time() {
    let proof_of =
        |id: &str| Vector::all().into_iter().find(|vector| vector.id == id).unwrap().verify().unwrap();
    let standard = proof_of("std-v1-a");
    assert_eq!(standard.event_id, Some(EventId::new("msg_p5jXN8AQM9LWM0D4loKWxJek", true)));
    assert_eq!((standard.signed_at, standard.key_id.as_deref()), (Some(at(NOW)), Some("1")));
    let stripe = proof_of("stripe-dotnet");
    assert_eq!(stripe.event_id, Some(EventId::new("evt_123", true)));
    assert_eq!(stripe.signed_at, Some(at(1_533_204_620)));
    let github = proof_of("github-docs");
    assert_eq!((github.event_id, github.signed_at), (None, None));
}
