//! An open load of calls on one server in memory, in the middle of which something goes wrong for a while.

mod figures;
mod run;
mod server;
mod trouble;

pub use figures::{Figures, Summary};
pub use trouble::Trouble;

pub(crate) use run::{AFTER, CALM, Client, play};
pub(crate) use server::{Body, Server, WORK, WORKERS};
