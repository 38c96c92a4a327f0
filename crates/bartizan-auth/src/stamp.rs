use std::any::Any;
use std::sync::Arc;

/// Which credential a request was sent with: that one is meant when the answer refuses it, and no newer one.
#[derive(Clone, Debug, Default)]
pub struct Stamp {
    number: u64,
    of: Option<Whose>,
}

type Whose = Arc<dyn Any + Send + Sync>;

/// Picked by somebody who was picked himself.
struct Nested<T> {
    whose: Arc<T>,
    stamp: Stamp,
}

impl Stamp {
    /// Of the credential that the authorizer knows by this number.
    pub const fn new(number: u64) -> Self {
        Self { number, of: None }
    }

    /// The number.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// One of several whom the authorizer picks from. He is held until the answer has been looked at.
    pub(crate) fn of<T: Any + Send + Sync>(self, whose: Arc<T>) -> Self {
        let number = self.number;
        let of: Whose = if self.of.is_none() { whose } else { Arc::new(Nested { whose, stamp: self }) };
        Self { number, of: Some(of) }
    }

    /// Who was picked, and the stamp as he gave it. `None` if it was nobody of this type.
    pub(crate) fn picked<T: Any + Send + Sync>(&self) -> Option<(&T, Self)> {
        let of = &**self.of.as_ref()?;
        if let Some(whose) = of.downcast_ref::<T>() {
            return Some((whose, Self::new(self.number)));
        }
        let Nested { whose, stamp } = of.downcast_ref::<Nested<T>>()?;
        Some((whose, stamp.clone()))
    }
}
