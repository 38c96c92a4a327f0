//! The tables of some senders.

use super::{Algorithm, Encoding, Handshake, SecretText, SignatureFormat};

impl SignatureFormat {
    /// `x-webhook-signature`: the HMAC-SHA256 of the body, in hexadecimal. What many senders do, for want of something better: nothing tells when it was sent, so
    /// whoever sees a request can send it again at any time.
    pub fn x_webhook_signature() -> Self {
        Self::new("x-webhook-signature", "x-webhook-signature")
    }

    /// [Standard Webhooks](https://www.standardwebhooks.com) 1.0: `webhook-id`, `webhook-timestamp` and `webhook-signature`, in versions v1 (HMAC-SHA256, keys
    /// `whsec_..`) and v1a (Ed25519, keys `whpk_..` and `whsk_..`, which need feature `ed25519`).
    pub fn standard_webhooks() -> Self {
        Self::standard("standard-webhooks", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    }

    /// Svix: Standard Webhooks under the names `svix-id`, `svix-timestamp` and `svix-signature`.
    pub fn svix() -> Self {
        Self::standard("svix", ["svix-id", "svix-timestamp", "svix-signature"])
    }

    fn standard(name: &str, [id, timestamp, signature]: [&str; 3]) -> Self {
        let format = Self::new(name, signature)
            .separator(' ')
            .version("v1,", Algorithm::HmacSha256)
            .version("v1a,", Algorithm::Ed25519)
            .encoding(Encoding::Base64)
            .id_field(id)
            .timestamp_field(timestamp)
            .signed("{id}.{timestamp}.{body}");
        Self { secret: SecretText::Prefixed, ..format }
    }

    /// Stripe: `stripe-signature` with the timestamp and signatures of version v1; the event's id is the body's `id`. The secret's bytes are those of its text,
    /// `whsec_` included.
    pub fn stripe() -> Self {
        Self::new("stripe", "stripe-signature")
            .separator(',')
            .version("v1=", Algorithm::HmacSha256)
            .timestamp_element("t=")
            .signed("{timestamp}.{body}")
            .id_in_body("/id")
    }

    /// GitHub: `x-hub-signature-256`. The id is `x-github-delivery`, which is not signed, and nothing tells when it was sent.
    pub fn github() -> Self {
        Self::new("github", "x-hub-signature-256")
            .version("sha256=", Algorithm::HmacSha256)
            .id_field("x-github-delivery")
    }

    /// Slack: `x-slack-signature` and `x-slack-request-timestamp`; the event's id is the body's `event_id`, where it has one. `url_verification` is answered once it is
    /// verified.
    pub fn slack() -> Self {
        let format = Self::new("slack", "x-slack-signature")
            .version("v0=", Algorithm::HmacSha256)
            .timestamp_field("x-slack-request-timestamp")
            .signed("v0:{timestamp}:{body}")
            .id_in_body("/event_id");
        Self { handshake: Some(Handshake::Slack), ..format }
    }

    /// Shopify: `x-shopify-hmac-sha256`, in base64. The id is `x-shopify-event-id`, which is not signed, and nothing tells when it was sent.
    pub fn shopify() -> Self {
        Self::new("shopify", "x-shopify-hmac-sha256")
            .encoding(Encoding::Base64)
            .id_field("x-shopify-event-id")
    }

    /// Discord: Ed25519 in `x-signature-ed25519` and `x-signature-timestamp`. The key is the application's public key in hexadecimal, and needs feature `ed25519`.
    pub fn discord() -> Self {
        let format = Self::new("discord", "x-signature-ed25519")
            .version("", Algorithm::Ed25519)
            .timestamp_field("x-signature-timestamp")
            .signed("{timestamp}{body}");
        Self { secret: SecretText::Hex, ..format }
    }
}
