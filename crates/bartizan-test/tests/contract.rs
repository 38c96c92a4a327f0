//! The contract kit lets sound layers pass, and finds each broken one guilty of its own mistake and of no other.

use std::{sync::Arc, time::Duration};

use bartizan_test::contract::{self, Inner, Rule};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::Semaphore;
use tower::{BoxError, limit::ConcurrencyLimitLayer, timeout::TimeoutLayer};
use tower_layer::{Identity, layer_fn};
use tower_service::Service;

mod broken;
mod sound;

use broken::{
    body_never_ends::BodyNeverEnds,
    bound_to_task::BoundToTask,
    busy_loop::BusyLoop,
    busy_task::BusyTask,
    calls_failed::CallsFailed,
    calls_unpolled::{CallsUnpolled, PollsOriginalCallsClone},
    copies_readiness::CopiesReadiness,
    fails_in_poll_ready::FailsInPollReady,
    hangs::{Hangs, Panics},
    hides_readiness_error::HidesReadinessError,
    keeps_on_drop::{HandleKeepsOnDrop, KeepsOnDrop},
    keeps_queued::KeepsQueued,
    keeps_refused::KeepsRefused,
    keeps_response::KeepsResponse,
    keeps_slot::KeepsSlot,
    loses_token::LosesToken,
    loses_waker::{KeepsFirstWaker, LosesWaker, NeverUsesWaker},
    ready_too_early::ReadyTooEarly,
    retries_unpolled::RetriesUnpolled,
    takes_twice::{ReadyByTurns, TakesTwice},
    wakes_one::WakesOne,
};
use sound::{decoupled::Decoupled, gate::Gate, never_fails::NeverFails, queue::Queue, retry::Retry};

#[track_caller]
fn breaks_only<S, RB>(rules: &[Rule], make: impl Fn(Inner) -> S)
where
    RB: http_body::Body + 'static,
    S: Service<Request<Full<Bytes>>, Response = Response<RB>, Error = BoxError, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let violations = contract::violations(|| layer_fn(&make));
    let found: Vec<Rule> = violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(found, rules, "{violations:#?}");
}

#[test]
fn no_layer_at_all_passes() {
    contract::check(Identity::new);
}

#[test]
fn a_timeout_passes() {
    contract::check(|| TimeoutLayer::new(Duration::from_secs(10)));
}

#[test]
fn a_concurrency_limit_passes() {
    contract::check(|| ConcurrencyLimitLayer::new(1));
    contract::check(|| ConcurrencyLimitLayer::new(5));
}

#[test]
fn a_gate_passes() {
    contract::check(|| layer_fn(|inner| Gate::new(inner, 1)));
    contract::check(|| layer_fn(|inner| Gate::new(inner, 5)));
}

#[test]
fn a_gate_that_refuses_all_passes() {
    contract::check(|| layer_fn(|inner| Gate::new(inner, 0)));
}

#[test]
fn a_decoupled_layer_passes() {
    contract::check(|| layer_fn(Decoupled::new));
}

#[test]
fn a_layer_without_errors_passes() {
    contract::check(|| layer_fn(NeverFails::new));
}

#[test]
fn a_retry_passes() {
    contract::check(|| layer_fn(Retry::new));
    contract::check(|| layer_fn(Retry::eager));
}

#[test]
fn a_retry_of_tower_passes() {
    contract::check(|| tower::retry::RetryLayer::new(sound::tower_retry::Attempts::default()));
}

#[test]
fn a_limit_that_lets_calls_wait_passes() {
    contract::check(|| layer_fn(Queue::new));
}

#[test]
fn an_unpolled_clone_is_called() {
    breaks_only(&[Rule::CallsUnpolled], CallsUnpolled);
}

#[test]
fn the_original_is_polled_and_its_clone_called() {
    breaks_only(&[Rule::CallsUnpolled, Rule::StarvesOthers], PollsOriginalCallsClone);
}

#[test]
fn a_retry_calls_its_unpolled_clone() {
    breaks_only(&[Rule::CallsUnpolled], RetriesUnpolled);
}

#[test]
fn a_dropped_future_leaves_its_permit_behind() {
    breaks_only(&[Rule::LeaksOnDrop], KeepsOnDrop::new);
}

#[test]
fn a_dropped_response_is_kept() {
    breaks_only(&[Rule::LeaksOnDrop], KeepsResponse::new);
}

#[test]
fn a_never_polled_future_makes_others_wait() {
    breaks_only(&[Rule::ChargesNeverPolled], KeepsSlot::new);
}

#[test]
fn a_call_that_was_not_made_makes_others_wait() {
    breaks_only(&[Rule::LeaksOnDrop], KeepsSlot::at_first_poll);
}

#[test]
fn a_dropped_service_leaves_its_permit_behind() {
    breaks_only(&[Rule::LeaksOnDrop], HandleKeepsOnDrop::new);
}

#[test]
fn a_dropped_future_takes_its_token_along() {
    breaks_only(&[Rule::LeaksOnDrop], LosesToken::once_ready);
}

#[test]
fn a_pending_service_wakes_itself() {
    breaks_only(&[Rule::BusyLoop], BusyLoop);
}

#[test]
fn a_pending_service_has_itself_woken_by_a_task() {
    breaks_only(&[Rule::BusyLoop], BusyTask::new);
}

#[test]
fn a_clone_is_as_ready_as_the_original() {
    breaks_only(&[Rule::CopiesReadiness], CopiesReadiness::new);
}

#[test]
fn a_pending_inner_is_called() {
    breaks_only(&[Rule::CallsPending], ReadyTooEarly);
}

#[test]
fn a_never_polled_future_takes_its_token_along() {
    breaks_only(&[Rule::ChargesNeverPolled], LosesToken::new);
}

#[test]
fn the_waker_is_not_passed_on() {
    breaks_only(&[Rule::LostWakeUp], LosesWaker);
}

#[test]
fn only_the_first_waker_is_passed_on() {
    breaks_only(&[Rule::LostWakeUp], KeepsFirstWaker::new);
}

#[test]
fn the_waker_is_kept_and_not_used() {
    breaks_only(&[Rule::LostWakeUp], NeverUsesWaker::new);
}

#[test]
fn only_the_last_in_line_is_woken() {
    breaks_only(&[Rule::LostWakeUp], WakesOne::new);
}

#[test]
fn a_body_wakes_nobody() {
    breaks_only(&[Rule::LostWakeUp], BodyNeverEnds);
}

#[test]
fn each_poll_takes_a_token() {
    breaks_only(&[Rule::TakesTwice], TakesTwice::new);
}

#[test]
fn readiness_is_taken_back() {
    breaks_only(&[Rule::TakesTwice], ReadyByTurns::new);
}

#[test]
fn a_refused_handle_keeps_its_permit() {
    breaks_only(&[Rule::StarvesOthers], KeepsRefused::new);
}

#[test]
fn a_refused_handle_stays_in_the_queue() {
    breaks_only(&[Rule::StarvesOthers], KeepsQueued::new);
}

#[test]
fn a_failed_inner_is_called() {
    breaks_only(&[Rule::CallsFailed], CallsFailed);
}

#[test]
fn the_inners_error_is_hidden() {
    breaks_only(&[Rule::HidesReadinessError], HidesReadinessError);
}

#[test]
fn an_open_circuit_is_an_error_of_poll_ready() {
    breaks_only(&[Rule::FailsBehindBuffer], FailsInPollReady::new);
}

#[test]
fn a_future_is_bound_to_the_task_of_its_service() {
    breaks_only(&[Rule::Panics], BoundToTask);
}

#[test]
fn a_call_never_ends() {
    let semaphore = Arc::new(Semaphore::new(0));
    breaks_only(&[Rule::Hangs], |inner| Hangs(inner, Arc::clone(&semaphore)));
}

#[test]
fn a_call_panics() {
    breaks_only(&[Rule::Panics], Panics);
}

#[test]
#[should_panic(expected = "calls-unpolled: when")]
fn the_report_names_the_rule() {
    contract::check(|| layer_fn(CallsUnpolled));
}
