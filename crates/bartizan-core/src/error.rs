use std::error::Error;
use std::io;

/// The error of every layer that can fail by itself.
///
/// The reason inside is always a small public struct; [`find_source`] gets it out again.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// How deep a chain of sources is followed. Real chains are shorter than ten; an error that names itself as its source
/// must not hold us for ever.
const MAX_DEPTH: usize = 64;

/// The first error of type `T` in the chain that starts with `error` itself.
///
/// Follows [`Error::source`], and looks into [`io::Error`] as well: its `source()` skips the error that it wraps.
///
/// ```
/// use std::io;
/// use bartizan_core::{Rejection, find_source};
///
/// let error = io::Error::other(Rejection::new(None));
/// assert!(find_source::<Rejection>(&error).is_some());
/// ```
pub fn find_source<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    chain(error).find_map(|e| e.downcast_ref::<T>())
}

/// `error` and what caused it, outermost first, at most [`MAX_DEPTH`] of them.
pub(crate) fn chain<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> + 'e {
    std::iter::successors(Some(error), |&e| wrapped_by_io(e).or_else(|| e.source())).take(MAX_DEPTH)
}

fn wrapped_by_io<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(inner)
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;
    use crate::Rejection;

    #[derive(Debug)]
    struct Loop;

    impl fmt::Display for Loop {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("loop")
        }
    }

    impl Error for Loop {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    #[derive(Debug)]
    struct Outer(BoxError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&*self.0)
        }
    }

    #[test]
    fn finds_the_error_itself_its_source_and_what_io_wraps() {
        let rejection = || Rejection::new(None);
        assert!(find_source::<Rejection>(&rejection()).is_some());
        assert!(find_source::<Rejection>(&Outer(rejection().into())).is_some());
        let io = io::Error::other(Outer(io::Error::other(rejection()).into()));
        assert!(find_source::<Rejection>(&io).is_some());
        assert!(find_source::<Rejection>(&Outer("text".into())).is_none());
    }

    #[test]
    fn an_error_that_is_its_own_source_ends() {
        assert!(find_source::<Rejection>(&Loop).is_none());
    }
}
