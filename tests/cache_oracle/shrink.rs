//! Makes a history that fails as short as it can be and still fails.

use crate::drive;
use crate::history::{Answer, History};
use crate::verdict::Fault;

pub fn shrink(mut history: History, fault: &Fault) -> (History, Fault) {
    let mut fault = fault.clone();
    loop {
        let smaller = candidates(&history).into_iter().find_map(|candidate| {
            let found = drive::run(&candidate).fault?;
            found.is_like(&fault).then_some((candidate, found))
        });
        match smaller {
            Some(smaller) => (history, fault) = smaller,
            None => return (history, fault),
        }
    }
}

/// All that are one change simpler, those that take away most first.
fn candidates(history: &History) -> Vec<History> {
    let mut simpler = Vec::new();
    let mut add = |change: &dyn Fn(&mut History)| {
        let mut changed = history.clone();
        change(&mut changed);
        simpler.push(changed);
    };
    let steps = history.steps.len();
    for half in [steps / 2, steps / 4] {
        if half > 1 {
            for from in (0..steps - half).step_by(half) {
                add(&|history| drop(history.steps.drain(from..from + half)));
            }
        }
    }
    for at in 0..steps {
        add(&|history| drop(history.steps.remove(at)));
    }
    for (at, step) in history.steps.iter().enumerate() {
        // Nothing happens at the very same time as something else.
        if step.wait > 1 {
            add(&|history| history.steps[at].wait = 1);
        }
        if step.method != "GET" {
            add(&|history| history.steps[at].method = "GET");
        }
        if step.target != history.steps[0].target {
            add(&|history| history.steps[at].target = history.steps[0].target);
        }
        if !step.is_read {
            add(&|history| history.steps[at].is_read = true);
        }
        for line in 0..step.fields.len() {
            add(&|history| drop(history.steps[at].fields.remove(line)));
        }
        for (nth, answer) in step.answers.iter().enumerate() {
            let mut add =
                |change: &dyn Fn(&mut Answer)| add(&|history| change(&mut history.steps[at].answers[nth]));
            if answer.delay > 0 {
                add(&|answer| answer.delay = 0);
            }
            let Some(said) = &answer.said else { continue };
            if said.status != 200 || said.breaks_off || said.heeds_conditions {
                add(&|answer| answer.said.as_mut().expect("it was there").status = 200);
                add(&|answer| answer.said.as_mut().expect("it was there").breaks_off = false);
                add(&|answer| answer.said.as_mut().expect("it was there").heeds_conditions = false);
            }
            for line in 0..said.fields.len() {
                add(&|answer| drop(answer.said.as_mut().expect("it was there").fields.remove(line)));
            }
        }
    }
    simpler.retain(|simpler| !simpler.steps.is_empty() && simpler.to_string() != history.to_string());
    simpler
}
