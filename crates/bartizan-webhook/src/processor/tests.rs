mod building;
mod events;
mod inbox_fails;
mod lease;
mod model;
mod once;
mod shutdown;
pub(crate) mod support;
