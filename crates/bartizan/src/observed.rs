//! Spans have a place in a stack: around calls, and around attempts.
//!
//! ```
//! use bartizan::Stack;
//! use bartizan::observe::ObserveLayer;
//!
//! let stack = Stack::standard().calls(ObserveLayer::call()).attempts(ObserveLayer::attempt()).build()?;
//! assert!(format!("{stack:?}").starts_with("Stack: span of a call > deadline of 30 s"));
//! # Ok::<(), bartizan::InvalidStack>(())
//! ```

use bartizan_observe::{ObserveLayer, Scope};
use tower_layer::Identity;

use crate::{Facts, Part};

impl<H> Part for ObserveLayer<H> {
    type Outer = Identity;

    fn outer(&self) -> Identity {
        Identity::new()
    }

    fn facts(&self) -> Facts {
        Facts::named(match self.scope() {
            Some(Scope::Call) => "span of a call",
            Some(_) => "span of an attempt",
            None => "no span",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stack;

    #[test]
    fn spans_are_shown_where_they_stand() {
        let stack = Stack::empty().calls(ObserveLayer::call()).attempts(ObserveLayer::attempt());
        assert_eq!(format!("{:?}", stack.build().unwrap()), "Stack: span of a call > span of an attempt");
        assert_eq!(format!("{:?}", Stack::empty().calls(ObserveLayer::disabled())), "Stack: no span");
    }
}
