//! Interceptors as a list of types: `((), OnRequest<A>)`, `(((), OnResponse<B>), OnError<C>)`.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bartizan_core::BoxError;
use http::Response;

use super::future::Then;
use super::{ErrorInterceptor, Next, RequestInterceptor, ResponseInterceptor};

/// A list of interceptors that can run after a future of type `F`. Sealed: `()`, and pairs of a list and one more.
pub trait Chain<F: Future>: sealed::List {
    /// `F` with all interceptors behind it.
    type Future: Future<Output = F::Output>;

    /// Puts the interceptors behind `first`. None is called before the future is polled.
    fn after(&self, first: F) -> Self::Future;
}

impl<F: Future> Chain<F> for () {
    type Future = F;

    fn after(&self, first: F) -> F {
        first
    }
}

impl<F, C, T> Chain<F> for (C, T)
where
    F: Future,
    C: Chain<F>,
    T: Step<F::Output> + Clone,
{
    type Future = Then<C::Future, T, T::Future>;

    fn after(&self, first: F) -> Self::Future {
        Then::new(self.0.after(first), self.1.clone())
    }
}

/// One interceptor, with what it is for.
pub trait Step<I>: sealed::Step {
    /// The interceptor's future.
    type Future: Future;

    /// The interceptor's future, or the input as it is if it is none of this interceptor's business.
    fn start(&self, input: I) -> Result<Self::Future, I>;

    /// What the interceptor made of it.
    fn end(output: <Self::Future as Future>::Output) -> I;
}

mod sealed {
    /// Nobody else's types are lists.
    pub trait List {}
    impl List for () {}
    impl<C, T> List for (C, T) {}

    /// Nobody else's types are steps.
    pub trait Step {}
    impl<I> Step for super::OnRequest<I> {}
    impl<I> Step for super::OnResponse<I> {}
    impl<I> Step for super::OnError<I> {}
}

/// A request interceptor in a list.
pub struct OnRequest<I>(Arc<I>);

/// A response interceptor in a list.
pub struct OnResponse<I>(Arc<I>);

/// An error interceptor in a list.
pub struct OnError<I>(Arc<I>);

impl<B, R, I> Step<Result<Next<B, R>, BoxError>> for OnRequest<I>
where
    I: RequestInterceptor<B>,
    I::Next: Into<Next<B, R>>,
{
    type Future = I::Future;

    fn start(&self, input: Result<Next<B, R>, BoxError>) -> Result<I::Future, Result<Next<B, R>, BoxError>> {
        match input {
            Ok(Next::Call(request)) => Ok(self.0.intercept(request)),
            other => Err(other),
        }
    }

    fn end(output: Result<I::Next, BoxError>) -> Result<Next<B, R>, BoxError> {
        output.map(Into::into)
    }
}

impl<R, I: ResponseInterceptor<R>> Step<Result<Response<R>, BoxError>> for OnResponse<I> {
    type Future = I::Future;

    fn start(
        &self,
        input: Result<Response<R>, BoxError>,
    ) -> Result<I::Future, Result<Response<R>, BoxError>> {
        input.map(|response| self.0.intercept(response)).map_err(Err)
    }

    fn end(output: Result<Response<R>, BoxError>) -> Result<Response<R>, BoxError> {
        output
    }
}

impl<R, I: ErrorInterceptor<R>> Step<Result<Response<R>, BoxError>> for OnError<I> {
    type Future = I::Future;

    fn start(
        &self,
        input: Result<Response<R>, BoxError>,
    ) -> Result<I::Future, Result<Response<R>, BoxError>> {
        match input {
            Ok(response) => Err(Ok(response)),
            Err(error) => Ok(self.0.intercept(error)),
        }
    }

    fn end(output: Result<Response<R>, BoxError>) -> Result<Response<R>, BoxError> {
        output
    }
}

macro_rules! shared {
    ($($name:ident)*) => {$(
        impl<I> $name<I> {
            pub(crate) fn new(interceptor: I) -> Self {
                Self(Arc::new(interceptor))
            }
        }

        impl<I> Clone for $name<I> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<I> fmt::Debug for $name<I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

shared!(OnRequest OnResponse OnError);
