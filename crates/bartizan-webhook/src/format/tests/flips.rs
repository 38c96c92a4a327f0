use super::vectors::Vector;
use super::*;

/// All fields whose bytes are signed, or the signature.
fn fields(vector: &Vector) -> Vec<HeaderName> {
    vector.headers.keys().cloned().collect()
}

#[test]
fn each_bit_of_the_body_the_signed_fields_and_the_signature_counts() {
    let mut flips = 0;
    // One with several signatures stays valid by the other ones.
    let valid = Vector::all().into_iter().filter(|vector| vector.is_valid);
    for mut vector in
        valid.filter(|vector| !["std-multi", "stripe-two-v1", "stripe-dotnet"].contains(&&*vector.id))
    {
        for bit in 0..vector.body.len() * 8 {
            vector.body[bit / 8] ^= 1 << (bit % 8);
            assert!(vector.verify().is_err(), "{}: bit {bit} of the body", vector.id);
            vector.body[bit / 8] ^= 1 << (bit % 8);
            flips += 1;
        }
        for name in fields(&vector) {
            let value = vector.headers[&name].clone();
            for bit in 0..value.len() * 8 {
                let mut bytes = value.as_bytes().to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                // Bytes that may not stand in a field do not reach us.
                let Ok(flipped) = HeaderValue::from_bytes(&bytes) else { continue };
                vector.headers.insert(&name, flipped);
                assert!(vector.verify().is_err(), "{}: bit {bit} of {name}", vector.id);
                flips += 1;
            }
            vector.headers.insert(&name, value);
        }
        assert!(vector.verify().is_ok(), "{} is as it was", vector.id);
    }
    assert!(flips > 9_000, "{flips}");
}

/// The example of Stripe has an old signature beside the one that counts.
#[test]
fn each_bit_of_what_counts_in_stripes_field_counts() {
    let mut vector = Vector::all().into_iter().find(|vector| vector.id == "stripe-dotnet").unwrap();
    let value = vector.headers["stripe-signature"].clone();
    let end = value.to_str().unwrap().find(",v0=").unwrap();
    for bit in 0..end * 8 {
        let mut bytes = value.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(flipped) = HeaderValue::from_bytes(&bytes) else { continue };
        vector.headers.insert("stripe-signature", flipped);
        assert!(vector.verify().is_err(), "bit {bit}");
    }
    for bit in 0..vector.body.len() * 8 {
        vector.headers.insert("stripe-signature", value.clone());
        vector.body[bit / 8] ^= 1 << (bit % 8);
        assert!(vector.verify().is_err(), "bit {bit} of the body");
        vector.body[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn each_bit_of_every_preset_counts() {
    for (format, key) in signing::presets() {
        let body = br#"{"id":"evt_1","type":"a"}"#.to_vec();
        let headers = signed(&format, key, &body, at(NOW));
        let verifier = format.verifier([key]).unwrap();
        assert!(verify(&verifier, &headers, &body, at(NOW)).is_ok());
        for bit in 0..body.len() * 8 {
            let mut body = body.clone();
            body[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&verifier, &headers, &body, at(NOW)).is_err(), "{}: bit {bit}", verifier.name());
        }
        for (name, value) in &headers {
            if ["x-github-delivery", "x-shopify-event-id"].contains(&name.as_str()) {
                continue;
            }
            for bit in 0..value.len() * 8 {
                let mut bytes = value.as_bytes().to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let Ok(flipped) = HeaderValue::from_bytes(&bytes) else { continue };
                let mut headers = headers.clone();
                headers.insert(name, flipped);
                let result = verify(&verifier, &headers, &body, at(NOW));
                assert!(result.is_err(), "{}: bit {bit} of {name}", verifier.name());
            }
        }
    }
}
