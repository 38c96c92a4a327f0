use std::error::Error;

use bartizan_circuit_breaker::CircuitOpen;
use bartizan_core::find_source;

pub(crate) fn read(error: &(dyn Error + 'static)) -> Option<&'static str> {
    find_source::<CircuitOpen>(error).map(|_| "circuit_open")
}
