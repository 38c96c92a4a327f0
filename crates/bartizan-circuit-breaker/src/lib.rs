//! docs to come

mod body;
mod breaker;
mod circuit;
mod circuits;
mod error;
pub mod future;
mod gate;
mod half_open;
mod hook;
mod layer;
#[cfg(all(test, bartizan_loom))]
mod loom_tests;
mod readied;
mod recent;
mod service;
mod settings;
mod state;
mod sync;
mod trace;
mod trip;
mod window;

pub use body::CountedBody;
pub use breaker::{CircuitBreaker, Permit, Watch};
pub use error::CircuitOpen;
pub use gate::{Gate, GateLayer};
pub use hook::OnTransition;
pub use layer::CircuitBreakerLayer;
pub use service::CircuitBreakerService;
pub use settings::Settings;
pub use state::{Snapshot, State, Transition};
pub use trip::{InvalidTrip, Trip};
