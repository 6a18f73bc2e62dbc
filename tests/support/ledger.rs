//! What clients were promised: every submission with its answer, every receipt with the session that brought it.
//!
//! Each submission has a serial number, which stands in its text and in its destination, so that it is known again
//! wherever it turns up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use smpp_proto::field::{RegisteredDelivery, Tag, Tlv};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::{Address, CommandStatus};

/// The books of all clients of a test.
#[derive(Debug, Default)]
pub struct Ledger {
    promises: Mutex<Promises>,
    allowed: AtomicI64,
    accepted: AtomicU64,
    receipts: AtomicU64,
}

/// What is in the books.
#[derive(Debug, Default)]
pub struct Promises {
    /// By serial number.
    pub fates: Vec<Fate>,
    /// By message id: for each receipt the round of the session that brought it.
    pub receipts: HashMap<u64, Vec<u32>>,
}

/// What a client knows of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Written, perhaps, in this round, and not answered.
    Open {
        /// The round of the session.
        round: u32,
    },
    /// ESME_ROK, under this id.
    Accepted(u64),
    /// Any other status.
    Refused(CommandStatus),
}

impl Ledger {
    /// Lets so many submissions more be made, however many of those allowed before were not.
    pub fn allow(&self, count: u32) {
        self.allowed.store(count.into(), Ordering::Relaxed);
    }

    /// Whether all that was allowed was taken.
    pub fn is_spent(&self) -> bool {
        self.allowed.load(Ordering::Relaxed) <= 0
    }

    /// A serial number for the next submission of a session of this round, if one more is allowed.
    pub fn take(&self, round: u32) -> Option<u32> {
        if self.allowed.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return None;
        }
        let mut promises = self.promises();
        promises.fates.push(Fate::Open { round });
        u32::try_from(promises.fates.len() - 1).ok()
    }

    /// A submission was answered.
    pub fn answered(&self, serial: u32, status: CommandStatus, id: &str) {
        let fate = if status.is_ok() {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            Fate::Accepted(id.parse().expect("decimal digits"))
        } else {
            Fate::Refused(status)
        };
        let mut promises = self.promises();
        let place = &mut promises.fates[serial as usize];
        assert!(matches!(place, Fate::Open { .. }), "submission {serial} is answered twice");
        *place = fate;
    }

    /// A final receipt came.
    pub fn received(&self, id: &str, round: u32) {
        self.receipts.fetch_add(1, Ordering::Relaxed);
        let id = id.parse().expect("decimal digits");
        self.promises().receipts.entry(id).or_default().push(round);
    }

    /// How many submissions were answered with ESME_ROK.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How many receipts came.
    pub fn receipts(&self) -> u64 {
        self.receipts.load(Ordering::Relaxed)
    }

    /// The books themselves.
    pub fn promises(&self) -> MutexGuard<'_, Promises> {
        self.promises.lock().expect("nobody panicked over the books")
    }
}

/// Segments of submission `serial`: every eighth is a long one.
pub fn parts(serial: u32) -> u8 {
    if serial.is_multiple_of(8) { 2 } else { 1 }
}

/// Submission `serial`, which asks for a receipt. A long one repeats its mark, so that each part bears it.
pub fn numbered(serial: u32) -> SubmitSm {
    let mark = format!("m{serial:07}.");
    let mut submit = SubmitSm {
        source: Address::alphanumeric("TEST"),
        destination: Address::international(format!("34600{serial:07}").as_str()),
        registered_delivery: RegisteredDelivery::RECEIPT,
        ..SubmitSm::default()
    };
    if parts(serial) == 1 {
        submit.short_message = mark.into();
    } else {
        submit.tlvs = vec![Tlv::new(Tag::MESSAGE_PAYLOAD, Bytes::from(mark.repeat(25)))].into();
    }
    submit
}

/// The serial number in a text or a part of one.
pub fn serial_in(text: &[u8]) -> Option<u32> {
    text.windows(9).find_map(|mark| {
        let digits = mark.strip_prefix(b"m")?.strip_suffix(b".")?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    })
}
