mod error;

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, ready};
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{Entry, Head, Key, KeyBy, PerKey, RequestHead};
use http::request::Parts;
use http::{HeaderMap, Uri};

pub use self::error::{NoTenant, TooManyTenants};
use crate::bearer::next;
use crate::identity::opaque;
use crate::{Authorizer, NotPrepared, Preparing, Reaction, Stamp};

/// Another credential for each tenant, or scope, or whatever else requests are told apart by. Clones share it.
///
/// Each request goes with the credential of the tenant that it names, which is made when the tenant is first met. A request that names none is
/// refused, or goes with [another one](Self::otherwise). Let it be named by what only your code can set, such as an extension: whoever chooses the
/// tenant chooses the credential.
///
/// At most 1,024 are kept beside the first. Above that, one makes room that [is idle](Authorizer::is_idle) and that no call is under way with, rather one
/// that was not used for some time; it is made anew when it is met again. A [`Refreshing`](crate::Refreshing) is not idle while it fetches, while it waits
/// after a failure, and while it has a refresh token, or one that somebody set, that no store has. If there is none, calls of new tenants are refused:
/// [`TooManyTenants`]. So no session is lost, and none is there twice.
///
/// ```
/// use bartizan_auth::{AuthLayer, Origins, Refreshing, Tenants, Token, TokenError};
///
/// #[derive(Clone)]
/// struct Tenant(String);
///
/// let tenants = Tenants::new(
///     |request| request.extensions.get::<Tenant>().map(|tenant| tenant.0.as_str().into()),
///     |tenant| {
///         let tenant = tenant.to_owned();
///         Refreshing::new(move |_refresh_token| {
///             // Asks a token endpoint for a token of this tenant, say.
///             let token = Token::new(format!("token-of-{tenant}")).map_err(TokenError::permanent);
///             async { token }
///         })
///     },
/// );
/// let layer = AuthLayer::new(Origins::new(["https://api.example.com"])?, tenants.clone());
///
/// let request = http::Request::get("https://api.example.com/").extension(Tenant("acme".into()));
/// # let _ = (layer, request);
/// // Who logs out.
/// tenants.get("acme")?.clear();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Tenants<A> {
    tenant: Arc<Named>,
    make: Arc<dyn Fn(&str) -> A + Send + Sync>,
    kept: Arc<PerKey<A>>,
    most: NonZeroUsize,
    otherwise: Option<Arc<A>>,
    number: u64,
}

type Named = dyn for<'r> Fn(&RequestHead<'r>) -> Option<Cow<'r, str>> + Send + Sync;

const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);

/// Some call may be over by then.
const ROOM_IN: Duration = Duration::from_secs(1);

impl<A: Authorizer> Tenants<A> {
    /// Asks `tenant` whose a request is, once or twice for each, and `make` for the credential of one that it does not know. `make` is called under a lock: it
    /// must not wait, nor ask for another tenant.
    pub fn new<T, M>(tenant: T, make: M) -> Self
    where
        T: for<'r> Fn(&RequestHead<'r>) -> Option<Cow<'r, str>> + Send + Sync + 'static,
        M: Fn(&str) -> A + Send + Sync + 'static,
    {
        Self {
            tenant: Arc::new(tenant),
            make: Arc::new(make),
            kept: kept(MOST),
            most: MOST,
            otherwise: None,
            number: next(),
        }
    }

    /// Keeps at most so many beside the first; 1,024 by default, as the other layers keep. All are new ones.
    #[must_use]
    pub fn max_tenants(mut self, most: NonZeroUsize) -> Self {
        self.kept = kept(most);
        self.most = most;
        self
    }

    /// With this one requests go that name no tenant. By default they are refused.
    #[must_use]
    pub fn otherwise(mut self, authorizer: A) -> Self {
        self.otherwise = Some(Arc::new(authorizer));
        self
    }

    /// The credential of one, to set or to clear it. It is not forgotten while it is held; what is cloned from it may be.
    ///
    /// # Errors
    /// If it is not known, and there is no room for one more.
    pub fn get(&self, tenant: &str) -> Result<Tenant<A>, TooManyTenants> {
        // Not shown: it may be a name of a person.
        let key = Key::hidden(tenant.as_bytes());
        let kept = self.kept.get_kept(&key, &Uri::default(), |_| (self.make)(tenant));
        kept.map(Tenant).ok_or(TooManyTenants { most: self.most })
    }

    fn of(&self, request: &Parts) -> Result<Picked<'_, A>, NotPrepared> {
        let Parts { method, uri, headers, extensions, .. } = request;
        let head = RequestHead::new(method, uri, headers, extensions, None);
        self.pick((self.tenant)(&head).as_deref())
    }

    fn pick(&self, tenant: Option<&str>) -> Result<Picked<'_, A>, NotPrepared> {
        let Some(tenant) = tenant else {
            let otherwise = self.otherwise.as_deref().map(Picked::Otherwise);
            return otherwise.ok_or_else(|| NotPrepared::because(NoTenant(())));
        };
        let picked = self.get(tenant).map(Picked::Tenant);
        picked.map_err(|full| NotPrepared::because(full).retry_in(ROOM_IN))
    }

    fn for_each(&self, mut look: impl FnMut(&A)) {
        self.kept.for_each(&mut look);
        self.otherwise.as_deref().into_iter().for_each(look);
    }
}

impl<A> Tenants<A> {
    /// How many.
    pub(crate) fn kept(&self) -> usize {
        let mut kept = 0;
        self.kept.for_each(|_| kept += 1);
        kept
    }
}

fn kept<A: Authorizer>(most: NonZeroUsize) -> Arc<PerKey<A>> {
    Arc::new(PerKey::new(KeyBy::nothing(), most, A::is_idle))
}

/// With whose credential a request goes.
enum Picked<'a, A> {
    Tenant(Tenant<A>),
    Otherwise(&'a A),
}

impl<A: Authorizer> Authorizer for Tenants<A> {
    fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
        match self.of(request).ok()? {
            Picked::Tenant(tenant) => tenant.authorize(request).map(|stamp| stamp.of(tenant.0)),
            Picked::Otherwise(authorizer) => authorizer.authorize(request),
        }
    }

    fn prepare(&self, request: &Parts) -> Preparing {
        match self.of(request) {
            Ok(Picked::Tenant(tenant)) => {
                Box::pin(Waiting { preparing: tenant.prepare(request), _tenant: tenant })
            }
            Ok(Picked::Otherwise(authorizer)) => authorizer.prepare(request),
            Err(refused) => Box::pin(ready(Err(refused))),
        }
    }

    fn react(&self, stamp: Stamp, response: &Head<'_>) -> Reaction {
        match stamp.picked::<Entry<A>>() {
            Some((tenant, stamp)) => tenant.value().react(stamp, response),
            None => self.otherwise.as_ref().map_or(Reaction::Done, |it| it.react(stamp, response)),
        }
    }

    fn take_out(&self, request: &mut Parts) {
        // It may have been forgotten since its key was put on what is redirected now.
        let _tenant = self.of(request);
        self.for_each(|authorizer| authorizer.take_out(request));
    }

    fn strip(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        self.for_each(|authorizer| authorizer.strip(uri, headers));
    }

    /// Another one for each tenant, though their credentials be the same.
    fn identity(&self, request: &RequestHead<'_>) -> Arc<str> {
        let number = self.number.to_le_bytes();
        let tenant = (self.tenant)(request);
        let name = tenant.as_deref().map(str::as_bytes);
        match self.pick(tenant.as_deref()) {
            Ok(Picked::Otherwise(authorizer)) => authorizer.identity(request),
            Ok(Picked::Tenant(tenant)) => {
                opaque("tenant", &[&number, name.unwrap_or_default(), tenant.identity(request).as_bytes()])
            }
            // Nobody else's either.
            Err(_) => opaque("tenant", &[&number, name.unwrap_or_default()]),
        }
    }

    fn is_idle(&self) -> bool {
        let mut is_idle = true;
        self.for_each(|authorizer| is_idle = is_idle && authorizer.is_idle());
        is_idle
    }
}

/// A tenant's credential is got ready. It is kept until the call has gone with it.
struct Waiting<A> {
    preparing: Preparing,
    _tenant: Tenant<A>,
}

impl<A> Future for Waiting<A> {
    type Output = Result<(), NotPrepared>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.preparing.as_mut().poll(cx)
    }
}

/// The credential of one tenant, which is kept while this is held.
pub struct Tenant<A>(Arc<Entry<A>>);

impl<A> Deref for Tenant<A> {
    type Target = A;

    fn deref(&self) -> &A {
        self.0.value()
    }
}

impl<A> Clone for Tenant<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: fmt::Debug> fmt::Debug for Tenant<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tenant").field(self.0.value()).finish()
    }
}

impl<A> Clone for Tenants<A> {
    fn clone(&self) -> Self {
        Self {
            tenant: self.tenant.clone(),
            make: self.make.clone(),
            kept: self.kept.clone(),
            most: self.most,
            otherwise: self.otherwise.clone(),
            number: self.number,
        }
    }
}

impl<A> fmt::Debug for Tenants<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants")
            .field("kept", &self.kept())
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}
