//! Section O, data_sm. C-202 is in `tests/esme_submit.rs`.

use smpp_proto::field::{COctets, InterfaceVersion, RegisteredDelivery};
use smpp_proto::pdu::{DataSm, DeliverSm, SubmitSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv};

use crate::support::{Gate, Incoming, Smsc, upstream, vector};

const TO: &str = "34600111222";

fn without_text(tlv: Tlv) -> DataSm {
    DataSm {
        source: Address::alphanumeric("TEST"),
        destination: Address::international(TO),
        registered_delivery: RegisteredDelivery::RECEIPT,
        tlvs: vec![tlv].into(),
        ..DataSm::default()
    }
}

fn status(answer: &Incoming) -> (CommandId, CommandStatus) {
    (answer.header.command, answer.header.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn c_203_data_sm_without_a_text_is_refused_unless_it_controls_a_ussd_session() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let sequence = esme.send_vector("V-303").await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!((status(&answer), answer.header.length), ((CommandId::DATA_SM_RESP, CommandStatus(0xC3)), 16));
    gate.ends_with("1000000", "0");
    for tlv in [Tlv::u8(Tag::USSD_SERVICE_OP, 2), Tlv::new(Tag::ITS_SESSION_INFO, &b"\x01\x02"[..])] {
        let sequence = esme.send(Body::DataSm(without_text(tlv.clone()))).await;
        let answer = esme.expect_answer(sequence).await;
        assert_eq!(status(&answer), (CommandId::DATA_SM_RESP, CommandStatus::ROK), "{tlv:?}");
        // It goes on as an empty message with its control.
        let sent = SubmitSm::decode(gate.sent().await.pdu).expect("a submit_sm");
        assert_eq!((sent.short_message.len(), sent.tlvs.len()), (0, 1));
        assert_eq!(sent.tlvs.get(tlv.tag), Some(&tlv.value));
    }
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_204_addresses_have_up_to_64_characters_where_they_need_not_be_those_of_phones() {
    let operator = Smsc::listen().await;
    let north = upstream("north", &operator);
    let gate = Gate::open(|plan| plan.upstreams = vec![north]).await;
    let mut link = operator.bound().await;
    let mut esme = gate.bound().await;
    // From a client: 65 are too many; 64 can be read, and no phone has them.
    for (vector, refusal) in [("V-304", CommandStatus::RINVSRCADR), ("V-185", CommandStatus::RINVDSTADR)] {
        let sequence = esme.send_vector(vector).await;
        let answer = esme.expect_answer(sequence).await;
        assert_eq!(
            (status(&answer), answer.header.length),
            ((CommandId::DATA_SM_RESP, refusal), 16),
            "{vector}"
        );
    }
    // From the centre: the sender may be anything, and the client gets it as it came.
    let from = |length: usize| {
        Body::DataSm(DataSm {
            source: Address {
                digits: COctets::from("a".repeat(length).as_str()),
                ..Address::international("")
            },
            destination: Address::international("22000"),
            tlvs: vec![Tlv::new(Tag::MESSAGE_PAYLOAD, &b"from afar"[..])].into(),
            ..DataSm::default()
        })
    };
    let sequence = link.send(from(64)).await;
    let answer = link.expect_command(CommandId::DATA_SM_RESP).await;
    assert_eq!((answer.header.status, answer.header.sequence), (CommandStatus::ROK, sequence));
    let came = esme.expect_command(CommandId::DATA_SM).await;
    assert_eq!(came.body(), from(64));
    esme.send_empty(CommandId::DATA_SM_RESP, CommandStatus::ROK, came.header.sequence).await;
    esme.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    let mut octets = vector("V-304");
    octets[12..16].copy_from_slice(&77_u32.to_be_bytes());
    link.send_raw(&octets).await;
    link.expect_status(CommandId::DATA_SM_RESP, CommandStatus::RINVSRCADR).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_205_data_sm_from_the_centre_is_a_message_from_a_phone() {
    for (version, in_payload) in [(InterfaceVersion::V3_4, true), (InterfaceVersion::V3_3, false)] {
        let operator = Smsc::listen().await;
        let north = upstream("north", &operator);
        let gate = Gate::open(|plan| {
            plan.upstreams = vec![north];
            plan.numbers = vec!["62442"];
        })
        .await;
        let mut link = operator.bound().await;
        let sequence = link.send_vector("V-187").await;
        let answer = link.expect_command(CommandId::DATA_SM_RESP).await;
        assert_eq!((answer.header.status, answer.header.sequence), (CommandStatus::ROK, sequence));
        assert_eq!(answer.frame.body[..], b"\0"[..], "an empty message_id");
        assert_eq!(gate.owed(), 1, "answered when it is durable");
        // The client gets it as any other, in the form that its version knows.
        let mut esme = gate.bound_at(version).await;
        let message: DeliverSm = esme.expect_deliver().await;
        assert_eq!((message.source.clone(), message.destination.clone()), addresses());
        assert_eq!((message.esm_class.0, message.data_coding.0), (0, 0));
        assert_eq!(&message.user_data()[..], b"mo data");
        assert_eq!(message.tlvs.has(Tag::MESSAGE_PAYLOAD), in_payload);
        esme.expect_quiet().await;
        gate.books_hold();
    }
}

fn addresses() -> (Address, Address) {
    (Address::international("447700900123"), Address::international("62442"))
}
