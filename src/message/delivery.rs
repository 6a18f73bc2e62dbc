//! What we owe a client: receipts of its messages, and messages from phones (MO).

use bytes::Bytes;

use super::{MessageId, State};
use crate::account::{AccountId, CredentialId};
use crate::clock::Timestamp;

/// Names something owed, for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryKey {
    /// The final receipt of this message.
    Receipt(MessageId),
    /// A deliver_sm stored on its own: an MO message, an intermediate notification, the receipt of one part.
    Inbound(MessageId),
}

/// Something owed to an account, as its lane hands it out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its name.
    pub key: DeliveryKey,
    /// Whom it is owed to.
    pub account: AccountId,
    /// The one credential whose receivers may take it; absent for any of the account.
    pub receiver: Option<CredentialId>,
    /// Answers that said "later" or never came, so far.
    pub attempts: u16,
    /// When it is given up.
    pub expires: Timestamp,
    /// What is to be said.
    pub content: Owed,
}

/// What is to be said.
#[derive(Clone, Debug)]
pub enum Owed {
    /// A receipt, to be written in the dialect of the session that takes it.
    Receipt {
        /// The id that the client knows.
        shown: MessageId,
        /// When the message was accepted.
        accepted_at: Timestamp,
        /// Who sent the message.
        credential: CredentialId,
        /// The body of the message's submit_sm.
        pdu: Bytes,
        /// How it stands.
        state: State,
        /// The operator's error code.
        error: u32,
        /// When it came to stand so.
        done_at: Timestamp,
        /// `false` for an intermediate notification (SMPP 3.4 §5.2.12, esm_class 0x20).
        is_final: bool,
    },
    /// A message from a phone: the body of a deliver_sm (SMPP 3.4 §4.6.1).
    Mo {
        /// The body, as the operator sent it.
        pdu: Bytes,
    },
    /// The same as the body of a data_sm (SMPP 3.4 §4.7.1), because its addresses are too long for a deliver_sm.
    MoData {
        /// The body, as the operator sent it.
        pdu: Bytes,
    },
}
