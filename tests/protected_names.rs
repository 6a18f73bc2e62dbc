//! Names that are somebody's: who else sends as one, or as what looks like it, is refused.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use bytes::Bytes;
use smpp_proto::pdu::SubmitSm;
use smpp_proto::{Address, CommandStatus};
use support::{Esme, House, submit};
use tollgate::policy::filter::RuleKind;

const TO: &str = "34600111222";

fn account(name: &str, parent: &str) -> String {
    format!(
        "[[account]]\nname = \"{name}\"\n{parent}opening_credit = \"10\"\n[[account.smpp]]\n\
         system_id = \"{name}\"\npassword = \"secret\"\n"
    )
}

async fn refused(esme: &mut Esme, pdu: SubmitSm, status: u32) {
    let shown = format!("{pdu:?}");
    let (answer, _) = esme.try_submit(pdu).await;
    assert_eq!(answer, CommandStatus(status), "{shown}");
}

async fn accepted(esme: &mut Esme, pdu: SubmitSm) {
    refused(esme, pdu, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f_226_a_protected_name_is_its_owner_s_however_it_is_spelt() {
    let names = "[[protected_name]]\nname = \"ACME Bank\"\naccounts = [\"acme\"]\n\
        [[protected_name]]\nname = \"ACME\"\naccounts = [\"acme\"]\n\
        [[protected_name]]\nname = \"Post\"\naccounts = [\"acme\"]\nmatch = \"contained\"\n\
        [[protected_name]]\nname = \"22000\"\naccounts = [\"acme\"]\n";
    let branch = account("branch", "parent = \"acme\"\n");
    let house = House::open(&format!("{}{branch}{}{names}", account("acme", ""), account("other", ""))).await;
    let from = |name: &str| SubmitSm { source: Address::alphanumeric(name.to_owned()), ..submit(TO, name) };
    let mut other = house.bound("other").await;
    for look_alike in ["ACME Bank", "acme-bank", "ACM3 BANK", "A C M E 8ank", "My Post", "P0ST24"] {
        refused(&mut other, from(look_alike), 0x0A).await;
    }
    refused(&mut other, SubmitSm { source: Address::international("22000"), ..submit(TO, "n") }, 0x0A).await;
    // Octets do not say their alphabet: UTF-8, also half Latin; the GSM alphabet (É, Δ, Λ); ISO 8859-1.
    let octets: [&[u8]; 7] = [
        b"\xD0\x90\xD0\xA1\xD0\x9C\xD0\x95",
        b"\xD0\x90\xD0\xA1ME Bank",
        b"ACM\x1F",
        b"ACM\x1F Bank",
        b"\x10CME Bank",
        b"\x14CME Bank",
        b"\xC0CM\xC9 Bank",
    ];
    for look_alike in octets {
        let source = Address::alphanumeric(Bytes::copy_from_slice(look_alike));
        refused(&mut other, SubmitSm { source, ..submit(TO, "x") }, 0x0A).await;
    }
    let source = Address::alphanumeric(&b"\x14C\xD0\x95"[..]);
    accepted(&mut other, SubmitSm { source, ..submit(TO, "nobody's") }).await;
    accepted(&mut other, from("Bank")).await;
    let mut acme = house.bound("acme").await;
    accepted(&mut acme, from("ACME Bank")).await;
    let mut branch = house.bound("branch").await;
    accepted(&mut branch, from("acme bank")).await;
    assert_eq!((house.books("other").1, house.books("branch").1), ("2".to_owned(), "1".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_name_in_shadow_opens_none_that_is_enforced() {
    let other = account("acme", "");
    let zebra = "[[account]]\nname = \"zebra\"\n[[protected_name]]\nname = \"Zebra\"\naccounts = [\"zebra\"]\n\
        match = \"contained\"\n";
    let tried = "[[protected_name]]\nname = \"Zebra Bank\"\naccounts = [\"zebra\"]\nenforce = false\n\
        [[protected_name]]\nname = \"Giraffe\"\naccounts = [\"zebra\"]\nenforce = false\n";
    let mut house = House::open(&format!("{other}{zebra}")).await;
    let mut esme = house.bound("acme").await;
    let from = |name: &str| SubmitSm { source: Address::alphanumeric(name.to_owned()), ..submit(TO, name) };
    refused(&mut esme, from("Zebra Bank"), 0x0A).await;
    house.reload(&format!("{other}{zebra}{tried}")).await;
    refused(&mut esme, from("Zebra Bank"), 0x0A).await;
    accepted(&mut esme, from("Giraffe")).await;
    let account = tollgate::account::AccountId(house.account("acme").id);
    assert_eq!(house.store().counters().shadowed.of(account, RuleKind::Registry), 1);
}
