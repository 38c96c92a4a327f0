use std::collections::BTreeMap;

use proptest::prelude::*;
use tokio::time::Instant as AnyInstant;

use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn start() -> Instant {
    AnyInstant::now().into_std()
}

fn count(account: &Account, now: Instant) -> usize {
    std::iter::from_fn(|| account.withdraw(now)).count()
}

#[test]
fn what_is_left_is_what_can_be_withdrawn() {
    let start = start();
    for (successes, reserve, failures, later) in [
        (0, 0, 0, 0),
        (0, 3, 0, 0),
        (0, 3, 2, 0),
        (0, 3, 3, 0),
        (9, 2, 0, 0),
        (9, 2, 0, 9),
        (9, 2, 0, 10),
        (50, 0, 9, 3),
    ] {
        let account = Account::open(Budget::new().reserve(reserve), start);
        (0..successes).for_each(|_| account.succeeded(start));
        (0..failures).for_each(|_| account.failed());
        let now = start + later * SECOND;
        while let left @ 1.. = account.left(now) {
            assert!(account.withdraw(now).is_some(), "{left} of {successes}, {reserve}, {failures}, {later}");
            assert_eq!(account.left(now), left - 1);
        }
        assert!(account.withdraw(now).is_none(), "{successes}, {reserve}, {failures}, {later}");
    }
    let account = Account::open(Budget::new().reserve(2), start);
    while account.withdraw(start).is_some() {}
    let lefts = [9, 10, 19, 20, 90].map(|later| account.left(start + later * SECOND));
    assert_eq!(lefts, [0, 1, 1, 2, 2]);
}

#[test]
fn retries_are_the_stated_part_of_successes() {
    for ratio in [0.01, 0.0123, 0.1, 0.2, 1.0 / 3.0, 0.5, 0.999, 1.0] {
        let now = start();
        let account = Account::open(Budget::fleet().ratio(ratio).unwrap(), now);
        for _ in 0..20_000 {
            account.succeeded(now);
        }
        let (got, expected) = (count(&account, now) as f64, 20_000.0 * ratio);
        assert!((got - expected).abs() <= expected * 0.01, "{got}, not {expected}, at {ratio}");
    }
}

#[test]
fn five_successes_pay_for_one_retry_and_four_do_not() {
    let now = start();
    let account = Account::open(Budget::fleet(), now);
    for _ in 0..4 {
        account.succeeded(now);
    }
    assert_eq!(account.withdraw(now), None);
    account.succeeded(now);
    assert_eq!(account.withdraw(now), Some(Withdrawal::Deposits(0)));
    assert_eq!(account.withdraw(now), None);
}

#[test]
fn a_deposit_expires_after_ten_seconds() {
    let opened = start();
    let after = |waited: Duration| {
        let account = Account::open(Budget::fleet().ratio(1.0).unwrap(), opened);
        account.succeeded(opened);
        count(&account, opened + waited)
    };
    assert_eq!(after(10 * SECOND - MS), 1);
    for waited in [10 * SECOND, 20 * SECOND, 21 * SECOND, 3600 * SECOND, Duration::from_secs(1 << 40)] {
        assert_eq!(after(waited), 0, "{waited:?}");
    }
}

#[test]
fn a_second_that_comes_round_again_takes_the_place_of_the_old_one() {
    let opened = start();
    let account = Account::open(Budget::fleet().ratio(1.0).unwrap(), opened);
    account.succeeded(opened);
    account.succeeded(opened + 10 * SECOND);
    assert_eq!(count(&account, opened + 10 * SECOND), 1);
    // A thread that was held up for ten seconds between its clock and its deposit.
    account.succeeded(opened);
    assert_eq!(count(&account, opened + 10 * SECOND), 1, "counts as late");
}

#[test]
fn the_oldest_deposits_go_first() {
    let opened = start();
    let account = Account::open(Budget::fleet().ratio(0.5).unwrap(), opened);
    for second in [0, 0, 1, 2] {
        account.succeeded(opened + second * SECOND);
    }
    assert_eq!(account.withdraw(opened + 2 * SECOND), Some(Withdrawal::Deposits(0)));
    assert_eq!(account.withdraw(opened + 2 * SECOND), Some(Withdrawal::Deposits(2)), "from two seconds");
}

#[test]
fn the_reserve_is_full_at_the_start_and_refilled_every_ten_seconds() {
    let opened = start();
    for reserve in [0, 1, 3, u16::MAX] {
        let account = Account::open(Budget::new().reserve(reserve), opened);
        assert_eq!(count(&account, opened), reserve.into());
        assert_eq!(count(&account, opened + 10 * SECOND - MS), 0);
        assert_eq!(count(&account, opened + 10 * SECOND), reserve.min(1).into());
        assert_eq!(count(&account, opened + 35 * SECOND), reserve.min(2).into());
        // Within what nanoseconds count, and beyond.
        for long_after in [10_000_000, 1 << 40] {
            let count = count(&account, opened + Duration::from_secs(long_after));
            assert_eq!(count, reserve.into(), "as much as at the start, after {long_after} s");
        }
    }
}

#[test]
fn the_reserve_is_open_while_at_most_two_calls_in_a_row_have_failed() {
    let opened = start();
    let account = Account::open(Budget::new().reserve(9), opened);
    for failed in 0..=2 {
        assert_eq!(account.withdraw(opened), Some(Withdrawal::Reserve), "{failed} failed");
        account.failed();
    }
    assert_eq!(account.withdraw(opened), None);
    for _ in 0..99 {
        account.failed();
    }
    account.succeeded(opened);
    assert_eq!(account.withdraw(opened), Some(Withdrawal::Reserve), "one success opens it");
}

#[test]
fn no_number_of_failures_opens_the_reserve_again() {
    let opened = start();
    let account = Account::open(Budget::new(), opened);
    account.failed_in_a_row.store(u32::MAX, Relaxed);
    account.failed();
    assert_eq!(account.withdraw(opened), None);
}

#[test]
fn deposits_are_spent_before_the_reserve() {
    let opened = start();
    let account = Account::open(Budget::new().ratio(1.0).unwrap(), opened);
    account.succeeded(opened);
    assert_eq!(account.withdraw(opened), Some(Withdrawal::Deposits(0)));
    assert_eq!(account.withdraw(opened), Some(Withdrawal::Reserve));
}

#[test]
fn what_is_given_back_can_be_had_again_until_it_would_have_expired() {
    let opened = start();
    let account = Account::open(Budget::new(), opened);
    let reserve = account.withdraw(opened).unwrap();
    account.give_back(reserve);
    account.give_back(reserve);
    assert_eq!(count(&account, opened), 1, "never more than the reserve");

    let account = Account::open(Budget::fleet().ratio(1.0).unwrap(), opened);
    account.succeeded(opened);
    let deposits = account.withdraw(opened).unwrap();
    account.give_back(deposits);
    assert_eq!(account.withdraw(opened), Some(deposits));
    account.succeeded(opened + 10 * SECOND);
    account.give_back(deposits);
    assert_eq!(count(&account, opened + 10 * SECOND), 1, "its second is over");
}

#[test]
fn deposits_beyond_what_a_second_holds_are_not_lost_in_an_overflow() {
    let now = start();
    let account = Account::open(Budget::fleet().ratio(1.0).unwrap(), now);
    for _ in 0..50_000 {
        account.succeeded(now);
    }
    let one = account.withdraw(now).unwrap();
    account.succeeded(now);
    account.give_back(one);
    assert_eq!(count(&account, now), (u32::MAX / RETRY) as usize);
}

#[test]
fn whoever_was_too_slow_puts_back_what_it_took() {
    let opened = start();
    let account = Account::open(Budget::fleet().ratio(0.3).unwrap(), opened);
    for second in 0..3 {
        account.succeeded(opened + second * SECOND);
    }
    // Others have withdrawn since it looked.
    assert_eq!(account.draw(0..=2), None);
    assert_eq!([0, 1, 2].map(|second| account.of(second).held(second)), [RETRY * 3 / 10; 3]);
}

#[test]
fn threads_never_get_more_than_there_is() {
    for round in 0..50 {
        let now = start();
        let account = Account::open(Budget::fleet().ratio(0.3).unwrap(), now);
        let (successes, threads) = (1_000, 4);
        for nth in 0..successes {
            account.succeeded(now + nth * 9 * MS);
        }
        let end = now + 9 * SECOND;
        let got: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| count(&account, end))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        // Whoever loses a race goes empty-handed; the rest is still there for the next.
        assert_eq!(got + count(&account, end), 300, "round {round}");
    }
}

/// The rules of the account, word by word: every deposit by itself, a reserve that is filled in steps.
struct Literal {
    deposits: BTreeMap<u64, u64>,
    per_success: u64,
    reserve: f64,
    capacity: f64,
    failed: u32,
}

impl Literal {
    fn withdraw(&mut self, second: u64) -> Option<Withdrawal> {
        self.deposits.retain(|of, _| of + 10 > second);
        if self.deposits.values().sum::<u64>() >= 100_000 {
            let (mut missing, mut newest) = (100_000, 0);
            for (of, held) in &mut self.deposits {
                let part = missing.min(*held);
                (*held, missing) = (*held - part, missing - part);
                if part > 0 {
                    newest = *of;
                }
            }
            return Some(Withdrawal::Deposits(newest as u32));
        }
        if self.failed <= 2 && self.reserve >= 0.999_999 {
            self.reserve -= 1.0;
            return Some(Withdrawal::Reserve);
        }
        None
    }

    fn give_back(&mut self, withdrawal: Withdrawal, second: u64) {
        match withdrawal {
            Withdrawal::Deposits(of) => {
                if u64::from(of) + 10 > second {
                    *self.deposits.entry(of.into()).or_default() += 100_000;
                }
            }
            Withdrawal::Reserve => self.reserve = (self.reserve + 1.0).min(self.capacity),
        }
    }
}

#[derive(Clone, Debug)]
enum Does {
    Succeed,
    Fail,
    Withdraw,
    GiveBack,
    Wait(u64),
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        4 => Just(Does::Succeed),
        1 => Just(Does::Fail),
        4 => Just(Does::Withdraw),
        1 => Just(Does::GiveBack),
        2 => (1_u64..4_000).prop_map(Does::Wait),
        1 => (1_u64..30_000).prop_map(Does::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn agrees_with_the_rules_word_by_word(
        ratio in 0.01..1.0,
        reserve in 0_u16..4,
        steps in prop::collection::vec(does(), 1..200),
    ) {
        let opened = start();
        let account = Account::open(Budget::new().ratio(ratio).unwrap().reserve(reserve), opened);
        let mut literal = Literal {
            deposits: BTreeMap::new(),
            per_success: (ratio * 100_000.0).round() as u64,
            reserve: reserve.into(),
            capacity: reserve.into(),
            failed: 0,
        };
        let (mut now, mut held) = (0_u64, Vec::new());
        for step in steps {
            let (at, second) = (opened + Duration::from_millis(now), now / 1_000);
            match step {
                Does::Succeed => {
                    account.succeeded(at);
                    literal.failed = 0;
                    *literal.deposits.entry(second).or_default() += literal.per_success;
                }
                Does::Fail => {
                    account.failed();
                    literal.failed += 1;
                }
                Does::Withdraw => {
                    let got = account.withdraw(at);
                    prop_assert_eq!(got, literal.withdraw(second), "at {}ms", now);
                    held.extend(got);
                }
                Does::GiveBack => if let Some(withdrawal) = held.pop() {
                    account.give_back(withdrawal);
                    literal.give_back(withdrawal, second);
                },
                Does::Wait(ms) => {
                    now += ms;
                    literal.reserve = (literal.reserve + ms as f64 / 10_000.0).min(literal.capacity);
                }
            }
        }
    }
}
