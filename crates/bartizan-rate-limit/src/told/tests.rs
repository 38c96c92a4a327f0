use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn window(remaining: u64, resets_in: u64) -> Window {
    Window {
        policy: 1,
        limit: Some(10),
        lasts: None,
        remaining: Some(remaining),
        resets_in: Some(Duration::from_secs(resets_in)),
    }
}

/// A call with nothing beside it, which went when all that was heard before had been heard.
fn alone(now: u32) -> Heard {
    Heard { went: now - 1, now, in_flight: 0 }
}

/// How many go at `now`.
fn room(told: &Told) -> u64 {
    let mut told = *told;
    let mut went = 0;
    while told.has_room() && went < 1000 {
        told.take();
        went += 1;
    }
    went
}

#[tokio::test(start_paused = true)]
async fn calls_that_overlapped_count_by_the_lowest_and_later_ones_as_they_say() {
    let now = Instant::now();
    let mut told = Told::default();
    told.hear(&window(7, 9), alone(1), now);
    assert_eq!(room(&told), 7);
    // It went before the last word was heard, and was counted before it.
    told.hear(&window(9, 9), Heard { went: 0, now: 2, in_flight: 0 }, now);
    assert_eq!(room(&told), 7);
    told.hear(&window(3, 9), Heard { went: 0, now: 3, in_flight: 0 }, now);
    assert_eq!(room(&told), 3);
    told.hear(&window(8, 9), Heard { went: 3, now: 4, in_flight: 0 }, now);
    assert_eq!(room(&told), 8, "it went afterwards, so there is more by now");
}

#[tokio::test(start_paused = true)]
async fn a_straggler_who_says_as_much_gives_nothing_back_of_what_was_sent_since() {
    let now = Instant::now();
    let mut told = Told::default();
    told.hear(&window(7, 9), alone(1), now);
    (0..3).for_each(|_| told.take());
    told.hear(&window(7, 9), Heard { went: 0, now: 2, in_flight: 0 }, now);
    assert_eq!(room(&told), 4);
}

#[tokio::test(start_paused = true)]
async fn numbers_come_round() {
    let now = Instant::now();
    let mut told = Told::default();
    told.hear(&window(3, 9), Heard { went: u32::MAX - 1, now: u32::MAX, in_flight: 0 }, now);
    told.hear(&window(9, 9), Heard { went: u32::MAX - 1, now: 0, in_flight: 0 }, now);
    assert_eq!(room(&told), 3);
    told.hear(&window(5, 9), Heard { went: 0, now: 1, in_flight: 0 }, now);
    assert_eq!(room(&told), 5);
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_taken_off() {
    let mut told = Told::default();
    told.hear(&window(7, 9), Heard { went: 0, now: 1, in_flight: 5 }, Instant::now());
    assert_eq!(room(&told), 2);
    told.take();
    told.give_back();
    told.give_back();
    assert_eq!(room(&told), 3);
    (0..20).for_each(|_| told.give_back());
    assert_eq!(room(&told), 7, "never more than was told");
    told.hear(&window(3, 9), Heard { went: 1, now: 2, in_flight: 5 }, Instant::now());
    assert_eq!(room(&told), 0);
}

#[tokio::test(start_paused = true)]
async fn all_policies_have_to_have_room() {
    let now = Instant::now();
    let mut told = Told::default();
    for (policy, remaining, resets_in) in [(1, 5, 10), (2, 3, 20), (3, 9, 5), (4, 8, 7)] {
        told.hear(&Window { policy, ..window(remaining, resets_in) }, alone(1), now);
    }
    assert_eq!(room(&told), 3);
    assert_eq!(told.due(3, now), now);
    assert_eq!(told.due(4, now), now + 20 * SECOND);
    // A fifth takes the place of the one that ends first.
    told.hear(&Window { policy: 5, ..window(1, 30) }, alone(2), now);
    assert_eq!((room(&told), told.due(9, now)), (1, now + 30 * SECOND));
    told.roll(0, now + 19 * SECOND);
    assert_eq!(room(&told), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fifth_policy_takes_the_place_of_the_one_that_ends_first() {
    let now = Instant::now();
    let mut told = Told::default();
    // Each of them has room for another number.
    for (policy, remaining, resets_in) in [(1, 5, 10), (2, 4, 20), (3, 1, 5), (4, 8, 7)] {
        told.hear(&Window { policy, ..window(remaining, resets_in) }, alone(1), now);
    }
    for (policy, resets_in, room_left) in [(5, 30, 4), (6, 40, 4), (7, 50, 4), (8, 60, 9)] {
        told.hear(&Window { policy, ..window(9, resets_in) }, alone(1), now);
        assert_eq!(room(&told), room_left, "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_ends_is_assumed_full_once_more() {
    let now = Instant::now();
    let mut told = Told::default();
    told.hear(&Window { lasts: Some(60 * SECOND), ..window(2, 9) }, alone(1), now);
    told.roll(0, now + 9 * SECOND - Duration::from_nanos(1));
    assert_eq!(room(&told), 2);
    told.roll(4, now + 9 * SECOND);
    assert_eq!(room(&told), 6, "less what is under way");
    told.roll(0, now + 69 * SECOND - Duration::from_nanos(1));
    assert_eq!(room(&told), 6);
    told.roll(0, now + 69 * SECOND);
    assert!(told.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_told_of_a_window_counts_until_it_ends() {
    let now = Instant::now();
    // A straggler, which went before the window was told of.
    let straggler = Heard { went: 0, now: 2, in_flight: 0 };
    for (late, left) in [(Duration::from_nanos(1), 3), (Duration::ZERO, 8)] {
        let mut told = Told::default();
        told.hear(&window(3, 9), alone(1), now);
        told.hear(&window(8, 9), straggler, now + 9 * SECOND - late);
        assert_eq!(room(&told), left);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_long_silence_nothing_is_assumed() {
    let now = Instant::now();
    let mut told = Told::default();
    told.hear(&window(2, 9), alone(1), now);
    told.roll(0, now + 18 * SECOND);
    assert!(told.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_is_far_behind_waits_for_as_many_windows() {
    let now = Instant::now();
    let mut told = Told::default();
    told.hear(&Window { lasts: Some(60 * SECOND), ..window(2, 9) }, alone(1), now);
    for (nth, seconds) in [(2, 0), (3, 9), (12, 9), (13, 69), (22, 69), (23, 129)] {
        assert_eq!(told.due(nth, now), now + seconds * SECOND, "{nth}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_limit_of_nothing_one_is_due_in_each_window() {
    let now = Instant::now();
    let mut told = Told::default();
    told.hear(&Window { limit: Some(0), lasts: Some(60 * SECOND), ..window(0, 9) }, alone(1), now);
    for (nth, seconds) in [(1, 9), (2, 69), (3, 129)] {
        assert_eq!(told.due(nth, now), now + seconds * SECOND, "{nth}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_not_told_is_the_most_that_was_ever_left() {
    let now = Instant::now();
    let mut told = Told::default();
    let left = |remaining| Window { limit: None, ..window(remaining, 9) };
    told.hear(&left(6), alone(1), now);
    told.hear(&left(1), alone(2), now);
    told.roll(0, now + 9 * SECOND);
    assert_eq!(room(&told), 7, "and the one that was told of it");
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_a_state_starts_a_window_and_says_nothing_of_one() {
    let now = Instant::now();
    let mut told = Told::default();
    let policy = Window { lasts: Some(60 * SECOND), remaining: None, resets_in: None, ..window(0, 0) };
    told.hear(&policy, alone(1), now);
    assert_eq!((room(&told), told.due(10, now)), (9, now + 60 * SECOND), "one of ten is spent");
    told.hear(&window(4, 9), alone(2), now);
    told.hear(&policy, alone(3), now);
    assert_eq!(room(&told), 4);
    // Neither what is left nor until when: that is nothing to go by.
    let mut told = Told::default();
    told.hear(&Window { limit: None, ..policy }, alone(1), now);
    told.hear(&Window { resets_in: None, ..window(0, 0) }, alone(2), now);
    assert!(told.is_empty());
}
