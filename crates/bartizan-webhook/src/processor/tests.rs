mod building;
mod events;
mod inbox_fails;
mod lease;
mod once;
mod shutdown;
mod support;
