//! What a refused client is answered, where its account chose that.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use bytes::Bytes;
use smpp_proto::field::Tag;
use smpp_proto::pdu::{BindKind, Destination, SubmitMulti, SubmitSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus};
use support::{Esme, House, submit};

const TO: &str = "34600111222";

async fn refused(esme: &mut Esme, pdu: SubmitSm, status: u32) {
    let shown = format!("{pdu:?}");
    let (answer, _) = esme.try_submit(pdu).await;
    assert_eq!(answer, CommandStatus(status), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_the_account_s_own() {
    let policy = "[[account]]\nname = \"acme\"\nopening_credit = \"0\"\nstatus_codes = \"vendor\"\nstatus_detail = true\n\
        [account.statuses]\nsender_not_allowed = 0x66\n[account.filters]\ncountries = [\"ES\"]\nsenders = [\"ACME\"]\n\
        [[account.smpp]]\nsystem_id = \"acme\"\npassword = \"secret\"\n";
    let house = House::open(policy).await;
    let mut esme = house.bound("acme").await;
    let ours = |number| SubmitSm { source: Address::alphanumeric("ACME"), ..submit(number, "x") };
    refused(&mut esme, ours(TO), 0x403).await;
    refused(&mut esme, ours("573001234567"), 0x402).await;
    refused(&mut esme, submit(TO, "from somebody else"), 0x66).await;
    let sequence = esme.send(Body::SubmitSm(ours("573001234567"))).await;
    let answer = esme.expect_answer(sequence).await;
    match answer.body() {
        Body::SubmitSmResp(resp) => {
            let text = resp.tlvs.get(Tag::ADDITIONAL_STATUS_INFO_TEXT).expect("a reason");
            assert_eq!(&text[..], b"country_blocked\0");
        }
        other => panic!("{other:?}"),
    }
    // Of a submit_multi that the store refuses whole the first reason is told.
    let (number, other) = (Address::international(TO), Address::international("573001234567"));
    let multi = SubmitMulti {
        source: Address::alphanumeric("ACME"),
        destinations: vec![Destination::Address(number), Destination::Address(other)],
        short_message: Bytes::from_static(b"x"),
        ..SubmitMulti::default()
    };
    let sequence = esme.send(Body::SubmitMulti(multi)).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(answer.header.status, CommandStatus(0x403));
    // No id, nobody unsuccessful, and the parameter.
    assert_eq!(&answer.frame.body[..], b"\0\0\0\x1D\0\x14insufficient_credit\0");
    assert_eq!(house.books("acme"), ("0".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_of_binds_are_the_account_s_own_but_for_a_wrong_password() {
    let credential = |name: &str, keys: &str| {
        format!("[[account.smpp]]\nsystem_id = \"{name}\"\npassword = \"secret\"\n{keys}\n")
    };
    let statuses = "[account.statuses]\naccount_suspended = 0x0F\nip_not_allowed = 0x0A\ntls_required = 0x65\n\
        bind_type_not_allowed = 0x61\ntoo_many_binds = 0x0D\nalready_bound = 0x40D\nwrong_bind_state = 0x45\n\
        rate_limited = 0x14\n";
    let house = House::open(&format!(
        "[[account]]\nname = \"acme\"\n{statuses}{}{}{}{}[[account]]\nname = \"stopped\"\nsuspended = true\n\
         [[account]]\nname = \"branch\"\nparent = \"stopped\"\n{statuses}{}",
        credential("away", "allowed_ips = [\"192.0.2.1\"]"),
        credential("bare", "tls_required = true"),
        credential("hears", "bind_types = [\"receiver\"]"),
        credential("one", "max_binds = 1"),
        credential("branch", "")
    ))
    .await;
    let bind = async |name: &str, password: &str| {
        let mut esme = Esme::connect(house.address).await;
        esme.bind(BindKind::Transceiver, name, password).await.header.status.0
    };
    let given = [("away", 0x0A), ("bare", 0x65), ("hears", 0x61), ("branch", 0x0F)];
    for (name, status) in given {
        assert_eq!(bind(name, "secret").await, status, "{name}");
    }
    assert_eq!((bind("hears", "wrong").await, bind("nobody", "wrong").await), (0x0E, 0x0E));
    let mut hears = Esme::bound_as(BindKind::Receiver, house.address, "hears", "secret").await;
    refused(&mut hears, submit(TO, "on a receiver"), 0x45).await;
    let again = hears.bind(BindKind::Receiver, "hears", "secret").await;
    assert_eq!(again.header.status, CommandStatus(0x40D));
    let mut first = house.bound("one").await;
    let (status, ()) = tokio::join!(bind("one", "secret"), async {
        let probe = first.next_raw().await;
        first.send_empty(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, probe.header.sequence).await;
    });
    assert_eq!(status, 0x0D);
}
