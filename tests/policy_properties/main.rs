//! What holds of every policy, drawn by chance: children are never looser, what is counted is what is sent, prices are
//! those that a reader of the table would find, and days are those of the calendar.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod counted;
mod inheritance;
mod periods;
mod prices;

use smpp_proto::Address;
use smpp_proto::field::DataCoding;
use smpp_proto::pdu::SubmitSm;
use tollgate::account::{Account, AccountId, Origin, Terms};

fn account(id: u32, parent: Option<u32>) -> Account {
    Account {
        id: AccountId(id),
        name: format!("account {id}"),
        parent: parent.map(AccountId),
        suspended: false,
        origin: Origin::File,
        terms: Terms::default(),
    }
}

/// A text from "ACME" to a number in Spain.
fn message(data_coding: DataCoding, octets: Vec<u8>) -> SubmitSm {
    SubmitSm {
        source: Address::alphanumeric("ACME"),
        destination: Address::international("34600111222"),
        data_coding,
        short_message: octets.into(),
        ..SubmitSm::default()
    }
}
