use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Chance, WallClock};

use crate::inbox::Event;

use super::handlers::{Handler, Handlers, Work};
use super::{Failure, Hook, InvalidPattern, Parts, Pattern, Processor, Schedule};

/// Makes a [`Processor`].
pub struct ProcessorBuilder {
    handlers: Vec<Registered>,
    handler_timeout: Duration,
    schedule: Schedule,
    concurrency: NonZeroUsize,
    lease: Duration,
    poll_interval: Duration,
    grace: Duration,
    wall_clock: WallClock,
    chance: Chance,
    hook: Arc<dyn Hook + Send + Sync>,
}

struct Registered {
    pattern: String,
    name: Option<String>,
    work: Work,
}

/// Below it the extension at a third comes too often, and no answer of an inbox may be late.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// For so long an event would rest after a crash.
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

impl ProcessorBuilder {
    pub(super) fn new() -> Self {
        Self {
            handlers: Vec::new(),
            handler_timeout: Duration::from_secs(300),
            schedule: Schedule::default(),
            concurrency: const { NonZeroUsize::new(16).expect("it is not zero") },
            lease: Duration::from_secs(60),
            poll_interval: Duration::from_secs(1),
            grace: Duration::from_secs(30),
            wall_clock: WallClock::system(),
            chance: Chance::from_os(),
            hook: Arc::new(()),
        }
    }

    /// With a handler for the types that the [`Pattern`] matches; by default there is none. Those of an event run in the order in which they were
    /// registered, whatever their patterns.
    ///
    /// An inbox knows a handler by its name, which is the pattern, and from its second handler on the pattern and its number: `invoice.paid#2`. So the
    /// order of handlers with the same pattern is not to be changed while events wait; [`on_named`](Self::on_named) gives them names of their own.
    #[must_use]
    pub fn on<F, R>(self, pattern: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        self.register(pattern.into(), None, handler)
    }

    /// The same with a name of its own, which is kept when the code changes. By default there is no handler.
    #[must_use]
    pub fn on_named<F, R>(self, pattern: impl Into<String>, name: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        self.register(pattern.into(), Some(name.into()), handler)
    }

    fn register<F, R>(mut self, pattern: String, name: Option<String>, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let work: Work = Arc::new(move |event| {
            let handler = Arc::clone(&handler);
            // The handler itself is called in the first poll, where a panic of it is caught.
            Box::pin(async move { handler(event).await })
        });
        self.handlers.push(Registered { pattern, name, work });
        self
    }

    /// When handlers that failed are tried again. [`Schedule::default`] by default.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// How many events are in work at the same time. 16 by default: handlers mostly wait for a database or another API, and both have pools of ten to
    /// twenty connections.
    #[must_use]
    pub fn concurrency(mut self, events: NonZeroUsize) -> Self {
        self.concurrency = events;
        self
    }

    /// A handler that runs for longer is dropped, and tried again. 5 minutes by default: longer than the calls of one handler with their retries take,
    /// and short enough that one that hangs is seen on the same day.
    #[must_use]
    pub fn handler_timeout(mut self, limit: Duration) -> Self {
        self.handler_timeout = limit;
        self
    }

    /// For how long an event is claimed; after a third of it the lease is extended while its handlers run. 60 s by default: so long an event rests after
    /// a crash, and so long the inbox may be away without handlers being dropped.
    #[must_use]
    pub fn lease(mut self, duration: Duration) -> Self {
        self.lease = duration;
        self
    }

    /// After which time an inbox is asked for events though it did not say that it has some, for those that others write to. 1 s by default.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// How long a shutdown waits for handlers. 30 s by default: what Kubernetes gives a pod is 30 s, and Docker 10 s, so set it to somewhat less than you have.
    #[must_use]
    pub fn grace(mut self, duration: Duration) -> Self {
        self.grace = duration;
        self
    }

    /// Where the date comes from. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.wall_clock = clock;
        self
    }

    /// Where the jitter of the waits for an inbox that fails comes from; the schedule has its own. Seeded from the operating system by default.
    #[must_use]
    pub fn chance(mut self, chance: Chance) -> Self {
        self.chance = chance;
        self
    }

    /// Is told of what happens. Nobody is by default.
    #[must_use]
    pub fn hook(mut self, hook: impl Hook + Send + Sync + 'static) -> Self {
        self.hook = Arc::new(hook);
        self
    }

    /// The processor.
    ///
    /// # Errors
    /// When a pattern is none, two handlers have the same name, the lease is shorter than a second or longer than a day, or the poll interval is zero.
    pub fn build(self) -> Result<Processor, InvalidProcessor> {
        let handlers = self.named()?;
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&self.lease) {
            return Err(InvalidProcessor(Why::Lease(self.lease)));
        }
        if self.poll_interval.is_zero() {
            return Err(InvalidProcessor(Why::PollInterval));
        }
        Ok(Processor(Arc::new(Parts {
            handlers,
            schedule: self.schedule,
            concurrency: self.concurrency,
            lease: self.lease,
            poll_interval: self.poll_interval,
            grace: self.grace,
            wall_clock: self.wall_clock,
            chance: self.chance,
            hook: self.hook,
        })))
    }

    fn named(&self) -> Result<Handlers, InvalidProcessor> {
        let mut counts = HashMap::<&str, usize>::new();
        let mut names = HashSet::new();
        let mut handlers = Vec::new();
        for Registered { pattern, name, work } in &self.handlers {
            let count = counts.entry(pattern).or_default();
            *count += 1;
            let name = match (name, *count) {
                (Some(name), _) => name.clone(),
                (None, 1) => pattern.clone(),
                (None, count) => format!("{pattern}#{count}"),
            };
            let pattern: Pattern = pattern.parse().map_err(|error| InvalidProcessor(Why::Pattern(error)))?;
            if !names.insert(name.clone()) {
                return Err(InvalidProcessor(Why::Name(name)));
            }
            handlers.push(Handler { pattern, name, work: Arc::clone(work), limit: self.handler_timeout });
        }
        Ok(Handlers(handlers))
    }
}

impl fmt::Debug for ProcessorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns: Vec<_> = self.handlers.iter().map(|handler| &handler.pattern).collect();
        f.debug_struct("ProcessorBuilder").field("handlers", &patterns).finish_non_exhaustive()
    }
}

/// A processor that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidProcessor(Why);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Pattern(InvalidPattern),
    Name(String),
    Lease(Duration),
    PollInterval,
}

impl fmt::Display for InvalidProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Why::Pattern(_) => f.write_str("a handler cannot be registered"),
            Why::Name(name) => write!(
                f,
                "two handlers have the name `{}`; give one of them another by `on_named`",
                name.escape_debug()
            ),
            Why::Lease(lease) => {
                write!(f, "a lease of {lease:?} is too short or too long; use one second to one day")
            }
            Why::PollInterval => {
                f.write_str("a poll interval of zero asks without a pause; use 1ms at least")
            }
        }
    }
}

impl Error for InvalidProcessor {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Why::Pattern(error) => Some(error),
            _ => None,
        }
    }
}
