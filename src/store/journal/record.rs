//! What a blob of the journal is made of.

use serde::{Deserialize, Serialize};

/// One thing that happened. A file of a daemon that was killed is read by the next version too: kinds are only added,
/// at the end.
#[derive(Serialize, Deserialize)]
pub(super) enum Record<'a> {
    Accepted {
        id: i64,
        account: u32,
        credential: u32,
        #[serde(with = "serde_bytes")]
        source: &'a [u8],
        #[serde(with = "serde_bytes")]
        destination: &'a [u8],
        #[serde(with = "serde_bytes")]
        pdu: &'a [u8],
        wish: u8,
        price: i64,
        priority: u8,
        route: u32,
        lane: u32,
        expires: Option<i64>,
    },
    Taken {
        id: i64,
        lane: u32,
        #[serde(with = "serde_bytes")]
        name: &'a [u8],
        at: i64,
    },
    Ended {
        id: i64,
        state: u8,
        at: i64,
        reason: i64,
        error: u32,
        posted: i64,
        owed: i64,
    },
    Answered {
        id: i64,
        owed: i64,
        at: i64,
    },
    /// It landed, or stands in the history.
    Left {
        id: i64,
    },
    /// A first sending: its print, and the second until which it is remembered.
    First {
        print: u64,
        until: u32,
    },
    /// A sum as it is now.
    Sum {
        key: i64,
        period: i32,
        used: u64,
    },
    /// First sendings and sums before this stand in the tables.
    Settled,
}
