//! What a server says of itself: RFC 8414, and OpenID Connect Discovery 1.0.

use super::ServerMetadata;
use crate::Transport;
use crate::endpoint::{Endpoint, EndpointError, Fields, Why};

impl ServerMetadata {
    /// Asks the server that calls itself `issuer`: at `/.well-known/oauth-authorization-server` (RFC 8414), and, where that is not there, at
    /// `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
    ///
    /// # Errors
    /// If it cannot be reached, knows neither, says that it is another one (RFC 8414 section 3.3), or has an endpoint that may be asked by nobody.
    pub async fn discover(transport: &Transport, issuer: &str) -> Result<Self, EndpointError> {
        let given = Endpoint::new(issuer)
            .and_then(|given| {
                Ok((Endpoint::new(&inserted(&given))?, Endpoint::new(&appended(issuer))?, given))
            })
            .map_err(|refused| {
                let given = refused.given().to_owned();
                EndpointError::new(&given, Why::Client(refused.into()))
            });
        let (oauth, openid, given) = given?;
        let found = match ask(transport, &oauth).await {
            Err(error) if error.status().is_some() => ask(transport, &openid).await,
            found => found,
        }?;
        read(&found, &given, issuer)
    }
}

/// Before the path (RFC 8414 section 3.1).
fn inserted(issuer: &Endpoint) -> String {
    let path = issuer.uri.path().trim_end_matches('/');
    format!("{}/.well-known/oauth-authorization-server{path}", issuer.origin)
}

/// After it (OpenID Connect Discovery 1.0 section 4.1).
fn appended(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

async fn ask(transport: &Transport, endpoint: &Endpoint) -> Result<Fields, EndpointError> {
    transport.send(endpoint, endpoint.get()).await?.fields()
}

fn read(fields: &Fields, given: &Endpoint, issuer: &str) -> Result<ServerMetadata, EndpointError> {
    let refused = |why| EndpointError::new(&given.origin, why);
    if fields.text("issuer") != Some(issuer) {
        return Err(refused(Why::Client(
            "it says that it is another issuer than the one that was asked for".into(),
        )));
    }
    let endpoint = |name| {
        let Some(url) = fields.text(name) else { return Ok(None) };
        let endpoint = Endpoint::new(url).map_err(|invalid| refused(Why::Client(invalid.into())))?;
        // Only a server on the loopback may send us there.
        if given.is_https() && !endpoint.is_https() {
            return Err(refused(Why::Client("it has an endpoint without TLS".into())));
        }
        Ok(Some(endpoint))
    };
    let names_itself = fields.0.get("authorization_response_iss_parameter_supported");
    Ok(ServerMetadata {
        issuer: Some(issuer.into()),
        token: endpoint("token_endpoint")?.ok_or_else(|| refused(Why::NoEndpoint("token_endpoint")))?,
        authorization: endpoint("authorization_endpoint")?,
        device: endpoint("device_authorization_endpoint")?,
        revocation: endpoint("revocation_endpoint")?,
        names_itself: names_itself.is_some_and(|said| said.as_bool() == Some(true)),
    })
}
