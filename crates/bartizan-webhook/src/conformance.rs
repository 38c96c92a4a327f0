//! What an [`Inbox`] has to pass.
//!
//! [`inbox_conformance!`](crate::inbox_conformance) makes a test of each promise, and one that holds random histories against a small model:
//!
//! ```no_run
//! mod conformance {
//!     # use bartizan_webhook::inbox::VolatileInbox;
//!     bartizan_webhook::inbox_conformance!(VolatileInbox::new());
//! }
//! # fn main() {}
//! ```
//!
//! The expression makes an empty inbox that nobody else has, and may `.await`. After a comma may follow how many histories there are, 300 by default;
//! `INBOX_HISTORIES` in the environment asks for another number. The tests need tokio with `macros` and `rt`.
//!
//! That what is done survives the process is for each inbox to show by itself. An inbox that goes by a clock of its own cannot be held by these
//! tests unless that clock is a claim's.

// Their names say what is promised, and a promise that is broken panics.
#![allow(missing_docs, clippy::missing_panics_doc)]

mod dead;
mod given;
mod lease;
mod model;
mod order;
mod put;
mod turn;

#[cfg(doc)]
use crate::inbox::Inbox;

pub use self::dead::{
    a_dead_letter_is_shown_with_what_its_handlers_did, a_letter_that_is_driven_again_begins_anew,
    dead_letters_are_paged_by_their_numbers, events_are_counted_by_their_states,
    only_dead_letters_are_driven_again_or_dropped, what_is_dropped_is_gone_and_still_a_duplicate,
};
pub use self::lease::{
    a_lease_that_has_ended_may_go_on_unless_somebody_has_claimed,
    a_lease_that_was_settled_is_refused_from_then_on,
    a_lease_that_was_taken_over_is_refused_whatever_it_asks, an_extended_lease_ends_so_much_after_now,
    attempts_are_counted_when_an_event_is_claimed, of_many_who_claim_at_once_each_gets_others,
    progress_is_kept_and_the_lease_goes_on, what_is_leased_is_nobody_elses_until_the_lease_ends,
    what_is_released_is_due_at_once_and_not_counted, what_is_settled_done_is_gone,
    what_is_to_be_tried_again_waits_for_its_date,
};
pub use self::model::histories;
pub use self::order::{
    a_dead_head_lets_the_next_one_pass, a_head_that_waits_holds_up_those_behind_it,
    a_head_that_was_driven_again_waits_for_the_one_that_is_leased, events_of_one_key_go_one_after_the_other,
    keys_and_sources_do_not_wait_for_each_other, where_a_lease_has_ended_nobody_overtakes,
};
pub use self::put::{
    a_put_that_is_given_up_leaves_nothing_half_done, a_signed_id_is_one_event_whatever_its_body,
    an_event_comes_back_as_it_was_put, an_event_without_an_id_is_never_a_duplicate,
    an_id_that_is_not_signed_is_one_event_with_its_body, dates_that_are_far_away_do_no_harm,
    numbers_grow_and_none_is_used_twice, of_a_hundred_equal_events_at_once_one_is_kept,
    one_id_of_two_sources_is_two_events, what_is_dead_or_gone_is_still_a_duplicate,
    what_is_still_there_is_remembered_for_longer, what_was_put_is_remembered_for_seven_days_and_no_longer,
};
pub use self::turn::{
    a_lease_of_no_time_is_given_out_once_a_claim, as_many_are_claimed_as_are_asked_for,
    the_next_date_is_that_of_the_first_that_waits_or_is_leased, what_became_due_first_is_claimed_first,
    what_is_due_later_is_not_claimed, who_waits_for_a_change_hears_of_a_letter_that_is_driven_again,
    who_waits_for_a_change_hears_of_a_put, who_waits_for_a_change_hears_of_a_settlement,
};

/// Tests of all that an [`Inbox`](crate::inbox::Inbox) promises. See [`conformance`](crate::conformance).
#[macro_export]
macro_rules! inbox_conformance {
    ($make:expr) => {
        $crate::inbox_conformance!($make, 300);
    };
    ($make:expr, $histories:expr) => {
        $crate::inbox_conformance! {@
            $make;
            of_a_hundred_equal_events_at_once_one_is_kept
            an_event_without_an_id_is_never_a_duplicate
            one_id_of_two_sources_is_two_events
            a_signed_id_is_one_event_whatever_its_body
            an_id_that_is_not_signed_is_one_event_with_its_body
            what_is_dead_or_gone_is_still_a_duplicate
            what_was_put_is_remembered_for_seven_days_and_no_longer
            what_is_still_there_is_remembered_for_longer
            numbers_grow_and_none_is_used_twice
            an_event_comes_back_as_it_was_put
            dates_that_are_far_away_do_no_harm
            a_put_that_is_given_up_leaves_nothing_half_done
            what_is_due_later_is_not_claimed
            what_became_due_first_is_claimed_first
            as_many_are_claimed_as_are_asked_for
            a_lease_of_no_time_is_given_out_once_a_claim
            the_next_date_is_that_of_the_first_that_waits_or_is_leased
            who_waits_for_a_change_hears_of_a_put
            who_waits_for_a_change_hears_of_a_settlement
            who_waits_for_a_change_hears_of_a_letter_that_is_driven_again
            what_is_leased_is_nobody_elses_until_the_lease_ends
            of_many_who_claim_at_once_each_gets_others
            attempts_are_counted_when_an_event_is_claimed
            a_lease_that_was_taken_over_is_refused_whatever_it_asks
            a_lease_that_was_settled_is_refused_from_then_on
            a_lease_that_has_ended_may_go_on_unless_somebody_has_claimed
            an_extended_lease_ends_so_much_after_now
            progress_is_kept_and_the_lease_goes_on
            what_is_settled_done_is_gone
            what_is_to_be_tried_again_waits_for_its_date
            what_is_released_is_due_at_once_and_not_counted
            events_of_one_key_go_one_after_the_other
            keys_and_sources_do_not_wait_for_each_other
            a_head_that_waits_holds_up_those_behind_it
            a_dead_head_lets_the_next_one_pass
            a_head_that_was_driven_again_waits_for_the_one_that_is_leased
            where_a_lease_has_ended_nobody_overtakes
            dead_letters_are_paged_by_their_numbers
            a_dead_letter_is_shown_with_what_its_handlers_did
            a_letter_that_is_driven_again_begins_anew
            only_dead_letters_are_driven_again_or_dropped
            what_is_dropped_is_gone_and_still_a_duplicate
            events_are_counted_by_their_states
        }

        #[tokio::test]
        async fn histories_go_as_the_model_says() {
            $crate::conformance::histories($histories, async || $make).await;
        }
    };
    (@ $make:expr; $($promise:ident)*) => {
        $(
            #[tokio::test]
            async fn $promise() {
                $crate::conformance::$promise($make).await;
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    use crate::inbox::VolatileInbox;

    inbox_conformance!(VolatileInbox::new());

    #[test]
    fn each_promise_becomes_a_test() {
        let (_, list) = include_str!("conformance.rs").split_once("$make;").expect("the macro has a list");
        let files = [
            include_str!("conformance/put.rs"),
            include_str!("conformance/turn.rs"),
            include_str!("conformance/lease.rs"),
            include_str!("conformance/order.rs"),
            include_str!("conformance/dead.rs"),
        ];
        for promise in files.iter().flat_map(|file| file.split("pub async fn ").skip(1)) {
            let (name, _) = promise.split_once('(').expect("it takes an inbox");
            assert!(list.lines().any(|line| line.trim() == name), "{name}");
        }
    }
}
