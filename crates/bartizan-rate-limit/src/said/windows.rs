use std::cmp::Reverse;
use std::time::Duration;

/// What is left of one of the server's quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Which quota it is: a hash of its name and partition key, or [`Window::UNNAMED`].
    pub(crate) policy: u64,
    /// How much there is in each period.
    pub(crate) limit: Option<u64>,
    /// The period, at most [`Window::LONGEST`] and never zero.
    pub(crate) lasts: Option<Duration>,
    /// How much of it is left.
    pub(crate) remaining: Option<u64>,
    /// When there will be more, counted from the answer, at most [`Window::LONGEST`].
    pub(crate) resets_in: Option<Duration>,
}

impl Window {
    /// The policy of fields that have no names.
    pub(crate) const UNNAMED: u64 = 0;
    /// 400 days, which is a yearly quota and some; more could not be added to every clock.
    pub(crate) const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

    /// `seconds`, cut to [`Window::LONGEST`].
    pub(crate) fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds).min(Self::LONGEST)
    }

    /// Smaller is more restrictive: the least that remains, of equal ones what resets last. Those that do not say what remains come
    /// after those that do, by their limit.
    fn room(&self) -> impl Ord + use<> {
        let left = self.remaining.or(self.limit).unwrap_or(u64::MAX);
        (self.remaining.is_none(), left, Reverse(self.resets_in))
    }
}

/// The most restrictive windows of an answer, the most restrictive first, each of another policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows([Option<Window>; Windows::MOST]);

impl Windows {
    pub(crate) const MOST: usize = 4;
    pub(crate) const NONE: Self = Self([None; Self::MOST]);

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Window> {
        self.0.iter().flatten()
    }

    /// Adds `window`, unless there is no place and all others are more restrictive. Of two with the same policy the more restrictive one
    /// counts: a proxy may have added its own.
    pub(crate) fn offer(&mut self, window: Window) {
        let known = self.iter().position(|known| known.policy == window.policy);
        let place = &mut self.0[known.unwrap_or(Self::MOST - 1)];
        if place.is_none_or(|place| window.room() < place.room()) {
            *place = Some(window);
            self.0.sort_by_key(|place| (place.is_none(), place.map(|window| window.room())));
        }
    }

    pub(super) fn are_none(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(super) fn say_what_remains(&self) -> bool {
        self.iter().any(|window| window.remaining.is_some())
    }

    /// How long nothing remains in one window or another. One that resets now says nothing: an answer that throttles all the same
    /// means some other time.
    pub(super) fn exhausted_for(&self) -> Option<Duration> {
        let exhausted = self.iter().filter(|window| window.remaining == Some(0));
        exhausted.filter_map(|window| window.resets_in).filter(|wait| !wait.is_zero()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(policy: u64, remaining: Option<u64>, resets_in: Option<u64>) -> Window {
        let resets_in = resets_in.map(Window::seconds);
        Window { policy, limit: Some(100 - policy), lasts: None, remaining, resets_in }
    }

    fn kept(windows: impl IntoIterator<Item = Window>) -> Vec<u64> {
        let mut kept = Windows::NONE;
        windows.into_iter().for_each(|window| kept.offer(window));
        kept.iter().map(|window| window.policy).collect()
    }

    #[test]
    fn the_four_most_restrictive_are_kept_in_whatever_order_they_come() {
        let windows = [
            window(1, Some(0), Some(60)),
            window(2, Some(0), Some(1)),
            window(3, Some(0), None),
            window(4, Some(7), Some(3600)),
            window(5, Some(8), Some(86_400)),
            window(7, None, None),
            window(99, None, None),
        ];
        assert_eq!(kept(windows), [1, 2, 3, 4]);
        assert_eq!(kept(windows.into_iter().rev()), [1, 2, 3, 4]);
        let alike = (1..=5).map(|policy| Window { limit: None, ..window(policy, Some(0), None) });
        assert_eq!(kept(alike), [1, 2, 3, 4], "of equal ones the first");
        assert_eq!(kept(windows.into_iter().skip(4)), [5, 99, 7], "what is not said goes last, by its limit");
    }

    #[test]
    fn of_one_policy_the_more_restrictive_window_counts() {
        let (wide, narrow) = (window(1, Some(9), Some(60)), window(1, Some(3), Some(60)));
        let other = window(2, Some(5), Some(60));
        for order in [[wide, narrow, other], [narrow, other, wide], [other, wide, narrow]] {
            let mut kept = Windows::NONE;
            order.into_iter().for_each(|window| kept.offer(window));
            assert!(kept.iter().eq(&[narrow, other]), "{kept:?}");
        }
    }
}
