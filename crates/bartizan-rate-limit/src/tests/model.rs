//! The line and the bucket beside a literal reading of the rules, which shares nothing with them.

use std::collections::VecDeque;

use super::*;

/// A bucket in nanoseconds of its interval, looked at whenever something happens, and a queue.
struct Model {
    interval: u128,
    burst: u128,
    level: u128,
    looked_at: u128,
    line: VecDeque<(usize, u128)>,
}

impl Model {
    fn new(quota: Quota) -> Self {
        let interval = quota.interval().as_nanos();
        let burst = u128::from(quota.most_at_once().get()) * interval;
        Self { interval, burst, level: burst, looked_at: 0, line: VecDeque::new() }
    }

    fn fill(&mut self, now: u128) {
        self.level = (self.level + now - self.looked_at).min(self.burst);
        self.looked_at = now;
    }

    /// Who goes now, in order.
    fn serve(&mut self) -> Vec<usize> {
        let mut go = Vec::new();
        while let Some(&(who, cost)) = self.line.front() {
            if self.level < cost {
                break;
            }
            self.level -= cost;
            self.line.pop_front();
            go.push(who);
        }
        go
    }
}

/// Plays `steps` random steps, and gives back when each admission was, and its cost.
async fn play(seed: u64, quota: Quota, steps: usize) -> Vec<(u128, u128)> {
    let chance = Chance::from_seed(seed);
    let limiter = RateLimiter::new(quota).max_wait(Duration::MAX);
    let start = Instant::now();
    let mut model = Model::new(quota);
    let mut costs = Vec::new();
    let mut waiting: Vec<(usize, Pin<Box<Acquire>>)> = Vec::new();
    let mut given: Vec<(usize, Acquired)> = Vec::new();
    let mut admitted = Vec::new();
    for _ in 0..steps {
        let draw = chance.unit();
        let some = |len: usize| (chance.unit() * len as f64) as usize;
        if draw < 0.4 {
            let cost = 1 + (chance.unit().powi(4) * f64::from(quota.most_at_once().get())) as u32;
            let cost = number(cost.min(quota.most_at_once().get()));
            let who = costs.len();
            costs.push(u128::from(cost.get()) * model.interval);
            waiting.push((who, Box::pin(limiter.acquire(cost))));
            // It stands in line from its first poll on, and that is now.
            if let Poll::Ready(acquired) = poll(waiting.last_mut().unwrap().1.as_mut()) {
                given.push((who, acquired.unwrap()));
                waiting.pop();
            }
            model.line.push_back((who, costs[who]));
        } else if draw < 0.55 && !waiting.is_empty() {
            let (who, _) = waiting.swap_remove(some(waiting.len()));
            model.line.retain(|(other, _)| *other != who);
        } else if draw < 0.6 && !given.is_empty() {
            let (who, acquired) = given.swap_remove(some(given.len()));
            acquired.give_back();
            model.level = (model.level + costs[who]).min(model.burst);
        } else {
            let interval = quota.interval().as_nanos() as f64;
            let time = match chance.unit() {
                draw if draw < 0.5 => interval * chance.unit(),
                draw if draw < 0.9 => interval * (1.0 + chance.unit().powi(3) * 20.0),
                _ => quota.interval().as_nanos() as f64,
            };
            advance(Duration::from_nanos(time as u64)).await;
        }
        let now = start.elapsed().as_nanos();
        model.fill(now);
        let mut expected = model.serve();
        // In any order: who looks serves those before him too.
        let mut came: Vec<usize> = Vec::new();
        for _ in 0..waiting.len() {
            let (who, mut future) = waiting.swap_remove(some(waiting.len()));
            match poll(future.as_mut()) {
                Poll::Ready(acquired) => {
                    came.push(who);
                    given.push((who, acquired.unwrap()));
                }
                Poll::Pending => waiting.push((who, future)),
            }
        }
        // Who was not reached above, by chance, is reached here.
        let mut left = Vec::new();
        for (who, mut future) in waiting.drain(..) {
            match poll(future.as_mut()) {
                Poll::Ready(acquired) => {
                    came.push(who);
                    given.push((who, acquired.unwrap()));
                }
                Poll::Pending => left.push((who, future)),
            }
        }
        waiting = left;
        let at_once =
            (draw < 0.4).then(|| costs.len() - 1).filter(|who| given.iter().any(|(other, _)| other == who));
        let mut came_now: Vec<usize> = came.into_iter().chain(at_once).collect();
        came_now.sort_unstable();
        came_now.dedup();
        expected.sort_unstable();
        assert_eq!(came_now, expected, "at {now}");
        assert_eq!(limiter.waiting(), model.line.len());
        assert_eq!(u128::from(limiter.tokens()), model.level / model.interval);
        admitted.extend(expected.iter().map(|who| (now, costs[*who])));
    }
    admitted
}

fn quotas() -> [Quota; 4] {
    [quota(10, 1), quota(10, 7), quota(3, 5), Quota::new(7, 3 * SECOND).unwrap().burst(100).unwrap()]
}

#[tokio::test(start_paused = true)]
async fn it_lets_through_what_a_literal_reading_does_and_as_early() {
    for seed in 0..40 {
        for quota in quotas() {
            play(seed, quota, 500).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_window_has_more_than_its_quota_and_a_burst() {
    for quota in quotas() {
        // Without giving back, which takes an admission out of the count.
        let limiter = RateLimiter::new(quota).max_wait(Duration::MAX);
        let chance = Chance::from_seed(7);
        let start = Instant::now();
        let mut admitted: Vec<(u128, u128)> = Vec::new();
        let mut waiting: Vec<(u128, Pin<Box<Acquire>>)> = Vec::new();
        for _ in 0..1500 {
            if chance.unit() < 0.5 {
                let cost = 1 + (chance.unit().powi(3) * f64::from(quota.most_at_once().get() - 1)) as u32;
                waiting.push((u128::from(cost), Box::pin(limiter.acquire(number(cost)))));
            } else if chance.unit() < 0.2 && !waiting.is_empty() {
                drop(waiting.swap_remove((chance.unit() * waiting.len() as f64) as usize));
            } else {
                advance(quota.interval().mul_f64(chance.unit().powi(2) * 5.0)).await;
            }
            let now = start.elapsed().as_nanos();
            waiting.retain_mut(|(cost, future)| match poll(future.as_mut()) {
                Poll::Ready(acquired) => {
                    let _ = acquired.unwrap();
                    admitted.push((now, *cost));
                    false
                }
                Poll::Pending => true,
            });
        }
        assert!(admitted.iter().map(|(_, cost)| cost).sum::<u128>() > 300, "{}", admitted.len());
        for from in 0..admitted.len() {
            let mut sum = 0;
            for (at, cost) in &admitted[from..] {
                sum += cost;
                let window = at - admitted[from].0;
                let most = u128::from(quota.most_at_once().get()) + window / quota.interval().as_nanos();
                assert!(sum <= most, "{sum} in {window} ns, of {quota}");
            }
        }
    }
}
