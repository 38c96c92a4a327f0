use std::fmt;
use std::sync::Arc;

use super::form::Form;
use super::{OAuthClient, TokenResponse};
use crate::endpoint::{EndpointError, Spending, Why};
use crate::{Fetching, Secret, TokenSource};

/// Exchanges a refresh token for the next token. A [`TokenSource`] for [`Refreshing`](crate::Refreshing).
///
/// Many servers replace the refresh token with each use, and take its second use for theft: they end the session. So one whose answer was lost
/// ([`EndpointError::is_uncertain`]) is not sent again, unless the server was seen to keep it: the next error is
/// permanent, and a new login is needed. The access token is used as long as it is good.
#[derive(Clone)]
pub struct Refresh(Arc<Inner>);

struct Inner {
    client: OAuthClient,
    scope: Option<String>,
    resends: bool,
    spending: Spending,
}

impl Refresh {
    pub(super) fn new(client: OAuthClient) -> Self {
        Self(Arc::new(Inner { client, scope: None, resends: false, spending: Spending::default() }))
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let Inner { client, scope, resends, .. } = &*self.0;
        let (client, scope, resends) = (client.clone(), scope.clone(), *resends);
        let mut inner = Inner { client, scope, resends, spending: Spending::default() };
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// Less than the login has given. By default all of it.
    #[must_use]
    pub fn scope(self, scope: impl Into<String>) -> Self {
        let scope = scope.into();
        self.with(|inner| inner.scope = Some(scope))
    }

    /// Sends a refresh token again though it may have been spent: for servers that keep them, or forgive a second use for a while. By default it is
    /// not.
    #[must_use]
    pub fn resend_uncertain(self) -> Self {
        self.with(|inner| inner.resends = true)
    }

    /// Exchanges one.
    ///
    /// # Errors
    /// If there is nothing to be had for it.
    pub async fn token(&self, refresh_token: &Secret) -> Result<TokenResponse, EndpointError> {
        let Inner { client, scope, resends, .. } = &*self.0;
        if !resends {
            self.0.spending.begin(refresh_token, &client.0.server.token.origin)?;
        }
        let mut form =
            Form::new().with("grant_type", "refresh_token").with("refresh_token", refresh_token.expose());
        if let Some(scope) = scope {
            form.push("scope", scope);
        }
        let answer = client.token(form).await;
        self.0.spending.end(refresh_token, answer.as_ref().map(TokenResponse::refresh_token));
        answer
    }
}

impl TokenSource for Refresh {
    fn fetch(&self, refresh_token: Option<Secret>) -> Fetching {
        let grant = self.clone();
        Box::pin(async move {
            let origin = &grant.0.client.0.server.token.origin;
            let refresh_token =
                refresh_token.ok_or_else(|| EndpointError::new(origin, Why::NoRefreshToken))?;
            Ok(grant.token(&refresh_token).await?.token)
        })
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").field("client", &self.0.client).finish_non_exhaustive()
    }
}
