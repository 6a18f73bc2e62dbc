//! What the store would say to a message, asked with the very same checks, without taking or counting anything.

use crate::clock::Timestamp;
use crate::policy::{Denied, Refusal};
use crate::store::StoreError;
use crate::store::command::{Accept, Probed};
use crate::store::writer::Writer;

impl Writer {
    pub(super) fn probe(&self, accept: &Accept, at: Timestamp) -> Result<Probed, StoreError> {
        let unknown = || StoreError::Unknown { what: "account", name: accept.account.to_string() };
        let (available, floor) = self.books.available_and_floor(accept.account).ok_or_else(unknown)?;
        let (listed, claims) = self.limits.probe(&accept.admitted, at);
        let admitted = &accept.admitted;
        let total = admitted.price().times(u32::from(admitted.parts()));
        let held = total.map(|total| self.books.could_hold(accept.account, total, accept.max_queued));
        let credit = match held {
            None => Some(Refusal::InsufficientCredit),
            Some(Ok(())) => None,
            Some(Err(no)) => Some(no.refusal()),
        };
        let denied: Option<Denied> = self.claim(accept, at, |_| {}).err();
        Ok(Probed { listed, claims, available, floor, credit, denied })
    }
}
