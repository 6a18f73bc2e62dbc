//! What the practice operator has seen and done, counted; tests and quickstart read it while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The running counters, shared by all sessions.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: Counter,)*
        }

        /// The counters at one moment.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            pub(super) fn read(&self) -> Stats {
                Stats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// TCP connections taken.
    connections,
    /// Binds accepted.
    binds,
    /// Binds refused.
    binds_refused,
    /// Sessions bound now.
    bound,
    /// submit_sm, data_sm and submit_multi destinations that came in.
    submits,
    /// Those accepted.
    accepted,
    /// Those refused because of the throttle or the window.
    throttled,
    /// Those refused by the error mix or as malformed.
    refused,
    /// Accepted ones unlike any before, by sender, destination, text and user_message_reference. Counting stops at the
    /// bound `track_distinct`; `untracked` counts what came after.
    distinct,
    /// Accepted ones that repeat one before.
    duplicates,
    /// Accepted ones not looked at for repetition.
    untracked,
    /// Final receipts sent, redeliveries included.
    receipts_sent,
    /// Final receipts answered with ESME_ROK.
    receipts_answered,
    /// Receipts answered with an error and given up.
    receipts_refused,
    /// Receipts sent again after a temporary error, a lost link or no answer.
    receipts_repeated,
    /// Receipts dropped because more waited than the bound allows.
    receipts_dropped,
    /// Intermediate notifications sent.
    intermediate_sent,
    /// Mobile-originated messages sent.
    mo_sent,
    /// Mobile-originated messages answered with ESME_ROK.
    mo_answered,
    /// query_sm, cancel_sm and replace_sm that came in.
    managed,
    /// enquire_link that came in.
    enquiries,
    /// PDUs that could not be read, or that nobody may send here.
    malformed,
}

/// One counter.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        if count > 0 {
            self.0.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(super) fn take_one(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
