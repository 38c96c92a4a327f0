//! What one call does with its budget.

use std::sync::Arc;

use bartizan_core::{Entry, KeyBy, PerKey, RequestHead};
use tokio::time::Instant;

use crate::Budget;
use crate::account::{Account, Withdrawal};

/// The accounts of all keys that a layer has met. Operations without HTTP have one of their own.
#[derive(Debug)]
pub(crate) struct Accounts {
    budget: Budget,
    of: PerKey<Account>,
}

impl Accounts {
    pub(crate) fn new(budget: Budget, by: KeyBy) -> Arc<Self> {
        Arc::new(Self { budget, of: PerKey::new(by, budget.max_keys, |_| true) })
    }

    pub(crate) fn budget(&self) -> Budget {
        self.budget
    }

    pub(crate) fn key_by(&self) -> &KeyBy {
        self.of.by()
    }

    /// For a call with this request.
    pub(crate) fn spending(&self, request: &RequestHead<'_>) -> Spending {
        Spending::of(self.budget.is_limited.then(|| self.of.get(request, |_| self.open())))
    }

    /// For an operation that is no request.
    pub(crate) fn spending_for_none(&self) -> Spending {
        Spending::of(self.budget.is_limited.then(|| self.of.get_for_none(|_| self.open())))
    }

    fn open(&self) -> Account {
        Account::open(self.budget, Instant::now().into_std())
    }
}

/// One call's withdrawals. What was withdrawn for an attempt that is not sent is given back, also if this is dropped.
#[derive(Debug)]
pub(crate) struct Spending {
    account: Option<Arc<Entry<Account>>>,
    /// For an attempt that was not sent yet.
    withdrawn: Option<Withdrawal>,
    /// For the attempt that was sent last.
    under_way: Option<Withdrawal>,
    /// An attempt failed, and none has succeeded since.
    has_failed: bool,
}

impl Spending {
    fn of(account: Option<Arc<Entry<Account>>>) -> Self {
        Self { account, withdrawn: None, under_way: None, has_failed: false }
    }

    /// For a call that is none of any budget's business.
    pub(crate) fn unlimited() -> Self {
        Self::of(None)
    }

    /// Whether there may be another attempt. What was withdrawn for one that was not sent pays for it.
    pub(crate) fn withdraw(&mut self) -> bool {
        let Some(account) = &self.account else { return true };
        if self.withdrawn.is_none() {
            self.withdrawn = account.value().withdraw(Instant::now().into_std());
        }
        self.withdrawn.is_some()
    }

    /// How many retries there are; `None` if nobody counts.
    pub(crate) fn left(&self) -> Option<u32> {
        self.account.as_ref().map(|account| account.value().left(Instant::now().into_std()))
    }

    /// The attempt is under way.
    pub(crate) fn sent(&mut self) {
        self.under_way = self.withdrawn.take();
    }

    /// The last attempt came to nothing before anything was sent. What it cost pays for its repetition, or is given back.
    pub(crate) fn not_sent(&mut self) {
        self.withdrawn = self.withdrawn.or(self.under_way.take());
    }

    /// An attempt failed.
    pub(crate) fn failed(&mut self) {
        self.has_failed = true;
    }

    /// The call succeeded.
    pub(crate) fn succeeded(&mut self) {
        self.has_failed = false;
        if let Some(account) = &self.account {
            account.value().succeeded(Instant::now().into_std());
        }
    }
}

impl Drop for Spending {
    fn drop(&mut self) {
        let Some(account) = &self.account else { return };
        if let Some(withdrawn) = self.withdrawn {
            account.value().give_back(withdrawn);
        }
        // A call that is given up in a wait or in a later attempt has failed as well.
        if self.has_failed {
            account.value().failed();
        }
    }
}
