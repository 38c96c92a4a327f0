use super::Failure;

/// What the handlers of an event did.
#[derive(Debug)]
pub struct Processed(Vec<Ran>);

/// What one handler did.
#[derive(Debug)]
pub struct Ran {
    name: String,
    result: Result<(), Failure>,
}

impl Ran {
    pub(super) fn new(name: String, result: Result<(), Failure>) -> Self {
        Self { name, result }
    }

    /// Its stable name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it gave back; a panic and a time-out are in a [`Failure::Retry`].
    pub fn result(&self) -> &Result<(), Failure> {
        &self.result
    }

    /// Whether it need not run again.
    pub fn is_done(&self) -> bool {
        is_done(&self.result)
    }
}

impl Processed {
    pub(super) fn new(ran: Vec<Ran>) -> Self {
        Self(ran)
    }

    /// In the order in which they ran. None where no handler is there for the type.
    pub fn ran(&self) -> &[Ran] {
        &self.0
    }

    /// What the handler with that name gave back, if it ran.
    pub fn of(&self, name: &str) -> Option<&Result<(), Failure>> {
        self.0.iter().find(|ran| ran.name == name).map(Ran::result)
    }

    /// Whether no handler need run again.
    pub fn is_done(&self) -> bool {
        self.0.iter().all(Ran::is_done)
    }
}

pub(super) fn is_done(result: &Result<(), Failure>) -> bool {
    matches!(result, Ok(()) | Err(Failure::Skip))
}
