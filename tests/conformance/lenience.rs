//! Section S, what is known to be needed, and the items about it in sections A and B: the default profile forgives, the
//! strict one refuses, and whatever was forgiven is counted a PDU and told once a session.

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{COctets, EsmClass, InterfaceVersion, Npi, Ton};
use smpp_proto::pdu::{BindKind, BindResp, DeliverSm, Header, Quirk, Quirks, SubmitSm, encode_empty};
use smpp_proto::{Address, Body, CommandId, CommandStatus};
use tollgate::account::{Manners, Profile};
use tollgate::message::State;

use super::fields::{TO, open, sent, strict, verdict};
use crate::support::{Esme, Gate, Logs, Smsc, SmscLink, submit, upstream, vector, vector_numbered};

/// A PDU of any octets.
fn pdu(command: CommandId, status: u32, sequence: u32, body: &[u8]) -> BytesMut {
    let length = u32::try_from(Header::LENGTH + body.len()).unwrap();
    let mut out = BytesMut::new();
    Header { length, command, status: CommandStatus(status), sequence }.write(&mut out);
    out.extend_from_slice(body);
    out
}

/// Sends a bind_transceiver with this body, and gives the status of its answer.
async fn bind_of(gate: &Gate, body: &[u8]) -> (Esme, u32) {
    let mut esme = Esme::connect(gate.address).await;
    esme.send_raw(&pdu(CommandId::BIND_TRANSCEIVER, 0, 5, body)).await;
    let answer = esme.expect_answer(5).await;
    (esme, answer.header.status.0)
}

/// A gate whose client is refused what the listener forgives.
async fn gates() -> [Gate; 2] {
    [open(|_| {}).await, strict().await]
}

#[tokio::test(flavor = "multi_thread")]
async fn c_015_sequence_numbers_outside_of_the_range_are_echoed_bit_for_bit() {
    for gate in gates().await {
        let mut esme = gate.bound().await;
        for (id, sequence) in [("V-232", 0), ("V-233", 0x8000_0001)] {
            esme.send_raw(&vector(id)).await;
            let answer = esme.expect_status(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK).await;
            assert_eq!(answer.header.sequence, sequence);
            esme.send_raw(&vector_numbered("V-032", sequence)).await;
            let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
            assert_eq!(answer.header.sequence, sequence);
        }
        assert_eq!(gate.forgiven("sequence_range"), 4);
        gate.ends_with("999998", "2");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_016_a_status_in_a_request_is_ignored() {
    for gate in gates().await {
        assert_eq!(verdict(&mut gate.bound().await, "V-234").await, 0);
        assert_eq!(gate.forgiven("status_in_request"), 1);
        gate.ends_with("999999", "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_017_octets_in_pdus_without_a_body_never_close() {
    for (gate, status) in gates().await.into_iter().zip([0, 0x02]) {
        let mut esme = gate.bound().await;
        assert_eq!(verdict(&mut esme, "V-309").await, status);
        assert_eq!(verdict(&mut esme, "V-310").await, 0, "an unknown parameter is none of them");
        esme.send_vector("V-311").await;
        esme.expect_quiet().await;
        esme.send_raw(&pdu(CommandId::UNBIND, 0, 900, b"\0")).await;
        let answer = esme.expect_answer(900).await;
        assert_eq!((answer.header.command, answer.header.status.0), (CommandId::UNBIND_RESP, status));
        if status == 0 {
            esme.expect_closed().await;
            assert_eq!(gate.forgiven("stray_octets"), 3);
        } else {
            esme.expect_quiet().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_028_a_long_password_is_compared_in_full_or_refused_strictly() {
    let long = "0123456789abcdef";
    let mut gate = open(|plan| plan.password = long).await;
    let mut esme = Esme::connect(gate.address).await;
    let near = esme.bind(BindKind::Transceiver, "acme", "0123456789abcdeX").await;
    assert_eq!(near.header.status, CommandStatus::RINVPASWD);
    let cut = esme.bind(BindKind::Transceiver, "acme", "01234567").await;
    assert_eq!(cut.header.status, CommandStatus::RINVPASWD);
    let whole = esme.bind(BindKind::Transceiver, "acme", long).await;
    assert_eq!(whole.header.status, CommandStatus::ROK);
    assert_eq!(gate.forgiven("long_password"), 1);
    gate.change(|plan| plan.bounds.lenience = Some(Manners::of(Profile::Strict))).await;
    let mut esme = Esme::connect(gate.address).await;
    let refused = esme.bind(BindKind::Transceiver, "acme", long).await;
    assert_eq!((refused.header.status, refused.header.length), (CommandStatus::RINVPASWD, 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_029_only_where_the_account_allows_it_the_first_8_octets_are_enough() {
    let passwords = ["01234567", "0123456789", "01234567XYZ", "0123456X"];
    for (first_8, statuses) in [(true, [0, 0, 0, 0x0E]), (false, [0x0E, 0, 0x0E, 0x0E])] {
        let gate = open(|plan| {
            plan.password = "0123456789";
            plan.bounds.first_8 = first_8;
        })
        .await;
        for (password, status) in passwords.into_iter().zip(statuses) {
            let mut esme = Esme::connect(gate.address).await;
            let answer = esme.bind(BindKind::Transceiver, "acme", password).await;
            assert_eq!(answer.header.status.0, status, "{password}, {first_8}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_030_a_bind_that_breaks_off_is_answered_and_one_without_its_last_field_may_pass() {
    for (gate, status) in gates().await.into_iter().zip([0, 0x02]) {
        let mut esme = Esme::connect(gate.address).await;
        assert_eq!(verdict(&mut esme, "V-239").await, 0x0F);
        assert_eq!(verdict(&mut esme, "V-241").await, 0x02);
        // V-240 with a name and a password that are ours.
        let (_, answer) = bind_of(&gate, b"acme\0secret\0\0\x34\0\0").await;
        assert_eq!(answer, status);
        assert_eq!(gate.forgiven("missing_address_range"), u64::from(status == 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_032_what_stands_behind_a_bind_is_ignored() {
    let gate = open(|_| {}).await;
    for tail in [&b"\x14\0\0\x02\x01\x02"[..], b"\0", b"\0\0", b"\0\0\0"] {
        let (_esme, status) = bind_of(&gate, &[b"acme\0secret\0\0\x34\x01\x01\0", tail].concat()).await;
        assert_eq!(status, 0, "{tail:?}");
    }
    assert_eq!(gate.forgiven("stray_octets"), 3);
    let gate = open(|plan| plan.esme.lenience = Manners::of(Profile::Strict)).await;
    let (_esme, status) = bind_of(&gate, b"acme\0secret\0\0\x34\x01\x01\0\0").await;
    assert_eq!(status, 0xC0);
    let (_esme, status) = bind_of(&gate, b"acme\0secret\0\0\x34\x01\x01\0\x14\0\0\x02\x01\x02").await;
    assert_eq!(status, 0, "a parameter that nobody knows is no fault");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_033_the_addresses_that_a_client_says_it_serves_may_be_of_any_kind() {
    for gate in gates().await {
        let (mut esme, status) = bind_of(&gate, b"acme\0secret\0OTA\0\x34\xFF\xFF\0").await;
        assert_eq!(status, 0);
        esme.submit(TO, "hello").await;
    }
}

/// What the default profile forgives in a submission and the strict one refuses.
const FORGIVEN: [(&str, &str, u32); 12] = [
    ("V-276", "nul_after_message", 0xC0),
    ("V-252", "ton_npi", 0x49),
    ("V-062", "destination_spelling", 0x0B),
    ("V-265", "registered_bits", 0x07),
    ("V-087", "gsm_coding", 0x45),
    ("V-089", "gsm_coding", 0x45),
    ("V-283", "tlv_width", 0xC2),
    ("V-129", "foreign_tlv", 0xC1),
    ("V-072", "relative_tenths", 0x62),
    ("V-333", "short_time", 0x62),
    ("V-120", "alert_octet", 0xC2),
    ("V-274", "full_message", 0x01),
];

#[tokio::test]
async fn l_06_to_l_45_each_is_forgiven_counted_and_told_once_a_session_or_refused() {
    let logs = Logs::listen("info");
    for (id, quirk, refused) in FORGIVEN {
        let gate = open(|_| {}).await;
        let mut esme = gate.bound_as(BindKind::Transmitter).await;
        for _ in 0..2 {
            assert_eq!(verdict(&mut esme, id).await, 0, "{id}");
        }
        assert_eq!(gate.forgiven(quirk), 2, "{id}");
        let named = format!("quirk={quirk}");
        let told = logs.with(&named).len();
        let mut other = gate.bound_as(BindKind::Transmitter).await;
        assert_eq!(verdict(&mut other, id).await, 0, "{id}");
        let lines = logs.with(&named);
        assert_eq!(lines.len(), told + 1, "once more for another session: {id}");
        assert!(lines.iter().all(|line| line.contains("account=\"acme\"") && line.contains("submit_sm")));
        let gate = strict().await;
        assert_eq!(verdict(&mut gate.bound().await, id).await, refused, "{id}");
        assert_eq!(gate.forgiven(quirk), 0);
        gate.ends_with("1000000", "0");
    }
    assert_eq!(logs.with("quirk=nul_after_message").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn l_13_an_alphanumeric_sender_with_npi_1_is_taken_or_refused() {
    let message =
        || SubmitSm { source: Address::new(Ton::ALPHANUMERIC, Npi::ISDN, "ACME"), ..submit(TO, "hello") };
    for (gate, status) in gates().await.into_iter().zip([0, 0x49]) {
        assert_eq!(gate.bound().await.try_submit(message()).await.0.0, status);
        assert_eq!(gate.forgiven("alphanumeric_npi"), u64::from(status == 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l_14_the_mode_stated_outright_is_no_departure() {
    for gate in gates().await {
        assert_eq!(verdict(&mut gate.bound().await, "V-054").await, 0);
        assert_eq!(sent(&gate).await.esm_class.0, 0x03);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l_21_a_string_one_octet_over_is_read_where_that_is_named_and_still_not_written() {
    let accept = Quirks::NONE.with(Quirk::OneOver);
    let gate = open(|plan| plan.bounds.lenience = Some(Manners { accept, ..Manners::default() })).await;
    let mut esme = gate.bound().await;
    // A query may name an id that is too long; what cannot be written cannot be a message.
    assert_eq!(verdict(&mut esme, "V-299").await, 0x0C);
    assert_eq!(verdict(&mut esme, "V-256").await, 0x15);
    assert_eq!(gate.forgiven("one_over"), 2);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn l_44_a_telematics_id_of_two_octets_is_taken_or_refused() {
    let body = b"\0\x01\x01447700900000\0\x01\x01447700900123\0\0\0\0\x00\x10\0\x02\0\0\x04\x24\0\x02hi";
    for (gate, status) in gates().await.into_iter().zip([0, 0xC2]) {
        let mut esme = gate.bound().await;
        esme.send_raw(&pdu(CommandId::DATA_SM, 0, 70, body)).await;
        assert_eq!(esme.expect_answer(70).await.header.status.0, status);
        assert_eq!(gate.forgiven("telematics_width"), u64::from(status == 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l_02_to_l_04_a_delivery_counts_by_its_status_whatever_else_the_answer_has() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    let answers =
        [(&b"4F2A\0"[..], "id_in_delivery_response"), (b"", "short_response"), (b"x", "open_response")];
    for (body, quirk) in answers {
        esme.submit(TO, "hello").await;
        gate.operate(State::Delivered, 0).await;
        let (sequence, _) = esme.expect_deliver_unanswered().await;
        esme.send_raw(&pdu(CommandId::DELIVER_SM_RESP, 0, sequence, body)).await;
        esme.expect_quiet().await;
        assert_eq!(gate.forgiven(quirk), 1, "{body:?}");
    }
    assert_eq!(gate.owed(), 0);
    gate.ends_with("999997", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_bind_the_listener_forgives_and_a_credential_of_its_own_mind_after() {
    let gate = open(|plan| {
        plan.esme.lenience = Manners::of(Profile::Strict);
        plan.bounds.lenience = Some(Manners::default());
    })
    .await;
    assert_eq!(verdict(&mut gate.bound().await, "V-276").await, 0);
    let gate = open(|plan| plan.esme.lenience = Manners::of(Profile::Strict)).await;
    assert_eq!(verdict(&mut gate.bound().await, "V-276").await, 0xC0);
    let refuse = Quirks::NONE.with(Quirk::NulAfterMessage);
    let gate = open(|plan| plan.bounds.lenience = Some(Manners { refuse, ..Manners::default() })).await;
    assert_eq!(verdict(&mut gate.bound().await, "V-276").await, 0xC0);
    assert_eq!(verdict(&mut gate.bound_at(InterfaceVersion::V5_0).await, "V-062").await, 0);
}

/// A gate that is bound to a scripted operator with this profile.
async fn with_north(profile: Profile, smsc: &Smsc) -> Gate {
    let mut north = upstream("north", smsc);
    north.lenience = Manners::of(profile);
    open(|plan| plan.upstreams = vec![north]).await
}

async fn answer_bind(link: &mut SmscLink, name: &str) {
    let (sequence, kind, _) = link.expect_bind().await;
    let mut out = BytesMut::new();
    // One octet over the limit has no place in what we write: by hand.
    encode_empty(&mut out, kind.command().response(), CommandStatus::ROK, sequence);
    let resp = BindResp { system_id: Some(COctets::from(name)), ..BindResp::default() };
    if resp.encode(&mut BytesMut::new(), kind, CommandStatus::ROK, sequence).is_err() {
        out = pdu(kind.command().response(), 0, sequence, &[name.as_bytes(), b"\0"].concat());
    }
    link.send_raw(&out).await;
}

#[tokio::test]
async fn l_03_and_l_46_an_operators_answers_are_read_as_far_as_they_go() {
    let logs = Logs::listen("info");
    let smsc = Smsc::listen().await;
    let gate = with_north(Profile::Default, &smsc).await;
    let mut operator = smsc.accept().await;
    answer_bind(&mut operator, "a system_id far over its limit").await;
    let mut esme = gate.bound_as(BindKind::Transmitter).await;
    for _ in 0..2 {
        esme.submit(TO, "hello").await;
        let (sequence, _) = operator.expect_submit().await;
        operator.send_raw(&vector_numbered("V-313", sequence)).await;
        operator.expect_quiet().await;
    }
    assert_eq!((gate.forgiven_north("long_system_id"), gate.forgiven_north("short_response")), (1, 2));
    assert_eq!((logs.with("quirk=long_system_id").len(), logs.with("quirk=short_response").len()), (1, 1));
    assert!(logs.with("quirk=short_response")[0].contains("upstream=north"));
}

#[tokio::test(flavor = "multi_thread")]
async fn l_23_and_l_37_odd_deliveries_are_taken_or_refused_as_the_operator_is_treated() {
    let extras = || DeliverSm {
        source: Address::international("34600000001"),
        destination: Address::international("22000"),
        validity_period: COctets::from("000001000000000R"),
        short_message: Bytes::from_static(b"hello"),
        ..DeliverSm::default()
    };
    for (profile, statuses) in [(Profile::Default, [0, 0]), (Profile::Strict, [0xC0, 0x62])] {
        let smsc = Smsc::listen().await;
        let gate = with_north(profile, &smsc).await;
        let mut operator = smsc.bound().await;
        let sequence = operator.send_vector("V-318").await;
        assert_eq!(operator.expect_answer(sequence).await.header.status.0, statuses[0]);
        let sequence = operator.send(Body::DeliverSm(extras())).await;
        assert_eq!(operator.expect_answer(sequence).await.header.status.0, statuses[1]);
        let forgiven = u64::from(profile == Profile::Default);
        assert_eq!(
            (gate.forgiven_north("half_tlv"), gate.forgiven_north("delivery_extras")),
            (forgiven, forgiven)
        );
        if profile == Profile::Default {
            let came = gate.bound().await.expect_deliver().await;
            assert_eq!((came.esm_class, &came.short_message[..]), (EsmClass::DEFAULT, &b"hello"[..]));
            assert!(came.validity_period.is_empty(), "mended before it goes on");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l_05_and_l_20_an_operators_octets_too_many_and_numbers_too_wide_do_no_harm() {
    let smsc = Smsc::listen().await;
    let gate = with_north(Profile::Default, &smsc).await;
    let mut operator = smsc.accept().await;
    let (sequence, _, _) = operator.expect_bind().await;
    operator.answer_vector("V-317", sequence).await;
    operator.send_vector("V-311").await;
    assert_eq!(verdict_of(&mut operator, "V-309").await, 0);
    assert_eq!(gate.forgiven_north("stray_octets"), 2);
    gate.bound().await.submit(TO, "hello").await;
    operator.expect_submit().await;
}

async fn verdict_of(operator: &mut SmscLink, id: &str) -> u32 {
    let sequence = operator.send_vector(id).await;
    operator.expect_answer(sequence).await.header.status.0
}
