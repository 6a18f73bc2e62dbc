//! What phones wish: STOP and its kin put the sender of a message on its account's opt-out list, START takes it off.

use bytes::Bytes;
use smpp_proto::pdu::DeliverSm;
use tracing::{info, warn};

use crate::account::AccountId;
use crate::message::wording;
use crate::policy::number::international;
use crate::policy::text::opt::Wish;
use crate::store::StoreError;
use crate::store::writer::Writer;

impl Writer {
    /// Heeds what a message from a phone wishes, where its account honours wishes. The message goes on to the client.
    pub(in crate::store::writer) fn heed_wish(
        &mut self,
        account: AccountId,
        pdu: &Bytes,
    ) -> Result<(), StoreError> {
        let policy = self.shared.policy.load_full();
        let rules = policy.account_rules(account);
        if rules.opt_outs.is_empty() {
            return Ok(());
        }
        let Ok(pdu) = DeliverSm::decode(pdu.clone()) else { return Ok(()) };
        let Ok(data) = wording::read(pdu.data_coding, pdu.esm_class, pdu.user_data(), &pdu.tlvs) else {
            return Ok(());
        };
        let text = data.decode();
        for rule in rules.opt_outs.iter().filter(|rule| !rule.enforce) {
            if rule.is.wish(&text) == Some(Wish::Out) {
                self.shared.counters.shadowed.count(&policy, account, rule.id);
            }
        }
        let Some(wish) = rules.wish(&text) else { return Ok(()) };
        let Some(number) = international(pdu.source.digits.as_bytes()) else {
            warn!(source = %pdu.source.digits.to_text(), ?wish, "a wish came from no number; nothing is listed");
            return Ok(());
        };
        let changed = match wish {
            Wish::Out => {
                let why: String = text.trim().chars().take(LONGEST_REASON).collect();
                self.limits.lists.add(&self.db, account.0, &number, &why, self.now)?
            }
            Wish::In => self.limits.lists.remove(&self.db, account.0, &number)?,
            Wish::Help => false,
        };
        if changed {
            if wish == Wish::Out {
                self.sweeps.lists.grow(&number, self.now);
            }
            let account = policy.account(account).map_or("", |account| &account.name);
            info!(account, number = %pdu.source.digits.to_text(), ?wish, "a phone said what it wishes");
        }
        Ok(())
    }
}

/// Characters of what a phone said that are kept beside its number.
const LONGEST_REASON: usize = 160;
