//! Opt-outs and the blocklist: numbers that want nothing, put on a list or taken off it by the thousand.

use crate::store::StoreError;
use crate::store::command::Listing;
use crate::store::writer::Writer;

impl Writer {
    /// Says how many were not on the list before, or were.
    pub(super) fn change_list(&mut self, listing: &Listing) -> Result<u64, StoreError> {
        let owner = listing.owner.map_or(0, |account| account.0);
        let mut changed = 0;
        for number in &listing.numbers {
            let lists = &mut self.limits.lists;
            let done = if listing.adds {
                lists.add(&self.db, owner, number.as_bytes(), &listing.why, self.now)?
            } else {
                lists.remove(&self.db, owner, number.as_bytes())?
            };
            if done && listing.adds {
                self.sweeps.lists.grow(number.as_bytes(), self.now);
            }
            changed += u64::from(done);
        }
        Ok(changed)
    }
}
