use std::fmt;

use bartizan_core::RequestHead;
use http::{HeaderMap, Uri};

use super::place::Presented;
use super::{Challenge, Denial, Place, Principal, Principals, Realm, Verifier};

/// Knows callers by a key: in the field `X-API-Key`, or in other places.
///
/// A key that stands in the request twice, in one of the places or in two, is a 400: whoever else reads the request may go by the other one. The challenge is
/// `ApiKey`, which no RFC knows, since a 401 must have one.
#[derive(Clone)]
pub struct ApiKeys {
    places: Vec<Place>,
    principals: Principals,
}

impl ApiKeys {
    /// In the field `X-API-Key`.
    pub fn new(principals: Principals) -> Self {
        Self::at(Place::default(), principals)
    }

    /// In this place, and no other.
    pub fn at(place: Place, principals: Principals) -> Self {
        Self { places: vec![place], principals }
    }

    /// Or in this one. By default there is no other.
    #[must_use]
    pub fn or_at(mut self, place: Place) -> Self {
        // Else a key would be found there twice.
        if !self.places.contains(&place) {
            self.places.push(place);
        }
        self
    }
}

impl Verifier for ApiKeys {
    fn verify(&self, request: &RequestHead<'_>) -> Result<Principal, Denial> {
        let (mut presented, mut count) = (None, 0_usize);
        for place in &self.places {
            place.each(request, |key| {
                count += 1;
                presented = Some(key);
            });
        }
        let key: Presented<'_> = presented.ok_or(Denial::Missing)?;
        if count > 1 {
            return Err(Denial::Malformed("is there more than once"));
        }
        // Somebody may have made the digest of a setting that was empty.
        if key.is_empty() {
            return Err(Denial::Refused);
        }
        self.principals.who(&key.digest()).ok_or(Denial::Refused)
    }

    fn challenge(&self, realm: &Realm, _: &Denial) -> Challenge {
        Challenge::new("ApiKey", realm)
    }

    fn take_out(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        for place in &self.places {
            place.take_out(uri, headers);
        }
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { places, principals } = self;
        f.debug_struct("ApiKeys").field("places", places).field("principals", principals).finish()
    }
}
