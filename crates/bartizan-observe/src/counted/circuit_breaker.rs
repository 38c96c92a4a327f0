use std::sync::PoisonError;

use bartizan_circuit_breaker::{OnTransition, State, Transition};
use bartizan_core::Subject;
use metrics::{counter, gauge};

use crate::metrics::Names;
use crate::metrics::{Metrics, name};

impl OnTransition for Metrics {
    fn transition(&self, subject: &Subject, transition: &Transition) {
        let circuit = self.0.circuits.label(&subject.to_string());
        counter!(
            name::CIRCUIT_TRANSITIONS,
            "circuit" => circuit.clone(),
            "from" => transition.from.as_str(),
            "to" => transition.to.as_str(),
        )
        .increment(1);
        // Of several circuits under one name nothing can be said.
        if circuit == Names::OTHER {
            return;
        }
        let mut generations = self.0.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let last = generations.entry(circuit.clone()).or_default();
        if *last <= transition.generation {
            *last = transition.generation;
            // Under the lock, or an older one might still come after.
            gauge!(name::CIRCUIT_STATE, "circuit" => circuit).set(code(transition.to));
        }
    }
}

fn code(state: State) -> f64 {
    match state {
        State::Closed => 0.0,
        State::HalfOpen => 1.0,
        State::Open => 2.0,
        State::ForcedOpen => 3.0,
        State::Disabled => 4.0,
        _ => -1.0,
    }
}
