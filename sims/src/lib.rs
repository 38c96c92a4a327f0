//! Simulations that the defaults of the layers rest on.
//!
//! The clients are the layers as they are shipped, over a server in memory and tokio's paused clock, so that hours pass in
//! seconds and a seed gives the same result each time. `cargo xtask sim` writes the figures in `docs/`.

pub mod breaker;
pub mod budget;
pub mod jitter;
pub mod load;
mod seeds;
