//! Section L, receipts from operators. C-186 and C-187 are in `tests/smsc_flow.rs`.

use smpp_proto::field::{COctets, EsmClass};
use smpp_proto::pdu::DeliverSm;
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv};
use tollgate::message::{IdForm, MessageId, Owed, State};
use tollgate::smsc::Upstream;

use crate::support::{Binds, Smsc, SmscLink, upstream};

/// The number that the receipts of the vectors are about.
const TO: &str = "447700900123";

struct Talk {
    _operator: Smsc,
    gate: Binds,
    link: SmscLink,
}

impl Talk {
    async fn with(change: impl FnOnce(&mut Upstream)) -> Self {
        let operator = Smsc::listen().await;
        let mut north = upstream("north", &operator);
        change(&mut north);
        let gate = Binds::with(vec![north]).await;
        let link = operator.bound().await;
        Self { _operator: operator, gate, link }
    }

    /// A message that the operator has taken under this id.
    async fn sent_as(&mut self, id: &str) -> MessageId {
        let message = self.gate.send(TO).await;
        let (sequence, _) = self.link.expect_submit().await;
        self.link.accept_submit(sequence, id).await;
        self.gate.reaches(message, "sent").await;
        message
    }

    /// The operator sends a vector of deliver_sm, which is answered with ESME_ROK and one NUL.
    async fn told(&mut self, vector: &str) {
        let sequence = self.link.send_vector(vector).await;
        let answer = self.link.expect_status(CommandId::DELIVER_SM_RESP, CommandStatus::ROK).await;
        assert_eq!((answer.header.sequence, &answer.frame.body[..]), (sequence, &b"\0"[..]), "{vector}");
    }

    fn spent(&self, available: &str) {
        assert_eq!(self.gate.books(), (available.to_owned(), "0".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_182_each_of_the_states_ends_its_message_once() {
    let mut talk = Talk::with(|_| {}).await;
    let states = [
        ("V-165", "1234567800", "delivered", 0),
        ("V-166", "1234567801", "expired", 27),
        ("V-167", "1234567802", "deleted", 0),
        ("V-168", "1234567803", "undeliverable", 6),
        ("V-169", "1234567804", "accepted", 0),
        ("V-170", "1234567805", "unknown", 0),
        ("V-171", "1234567806", "rejected", 8),
    ];
    let mut messages = Vec::new();
    for (_, id, ..) in states {
        messages.push(talk.sent_as(id).await);
    }
    for ((vector, _, state, _), message) in states.iter().zip(&messages) {
        talk.told(vector).await;
        assert_eq!(
            (talk.gate.state(*message), talk.gate.reason(*message).0),
            (*state, "receipt"),
            "{vector}"
        );
        let Owed::Receipt { shown, is_final, .. } = talk.gate.owed().await.content else {
            panic!("{vector}")
        };
        assert_eq!((shown, is_final), (*message, true));
    }
    for (place, error) in [(0, 0), (1, 27), (3, 6)] {
        assert_eq!(talk.gate.reason(messages[place]).1, error, "{}", states[place].0);
    }
    // Final once: the same again changes nothing, and costs nothing.
    for (vector, ..) in states {
        talk.told(vector).await;
    }
    for ((vector, _, state, _), message) in states.iter().zip(&messages) {
        assert_eq!(talk.gate.state(*message), *state, "{vector}");
    }
    talk.spent("89.5");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_183_a_receipt_is_known_by_its_text_its_parameters_or_both() {
    let mut talk = Talk::with(|_| {}).await;
    let forms = [
        ("V-175", "7b3f1c20-aaaa-4bbb-8ccc-ddddeeeeffff"),
        ("V-178", "tlv-only"),
        ("V-180", "80000000"),
        ("V-182", "J-1"),
    ];
    for (vector, id) in forms {
        let message = talk.sent_as(id).await;
        talk.told(vector).await;
        assert_eq!(
            (talk.gate.state(message), talk.gate.reason(message)),
            ("delivered", ("receipt", 0)),
            "{vector}"
        );
    }
    talk.spent("94");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_184_odd_texts_are_read_and_what_stands_behind_text_is_no_field() {
    let mut talk = Talk::with(|_| {}).await;
    for (vector, id) in
        [("V-175", "7b3f1c20-aaaa-4bbb-8ccc-ddddeeeeffff"), ("V-176", "42"), ("V-177", "1A2B3C")]
    {
        // The id that the text of V-177 imitates.
        let decoy = talk.sent_as("evil").await;
        let message = talk.sent_as(id).await;
        talk.told(vector).await;
        assert_eq!(
            (talk.gate.state(message), talk.gate.reason(message)),
            ("delivered", ("receipt", 0)),
            "{vector}"
        );
        assert_eq!(talk.gate.state(decoy), "sent");
    }
    assert_eq!(talk.gate.books(), ("91".to_owned(), "4.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_185_ids_are_matched_by_the_rule_of_the_operator() {
    let rules = [
        (IdForm::Exact, "000000001234", "V-179", true),
        (IdForm::Exact, "1234", "V-179", false),
        (IdForm::StripZeros, "1234", "V-179", true),
        (IdForm::StripZeros, "01234", "V-179", true),
        (IdForm::Auto, "1234", "V-179", true),
        (IdForm::FoldCase, "1234", "V-179", false),
        (IdForm::FoldCase, "1a2b3c", "V-177", true),
        (IdForm::Exact, "1a2b3c", "V-177", false),
        (IdForm::HexToDecimal, "80000000", "V-180", true),
        (IdForm::DecimalToHex, "2147483648", "V-180", true),
        (IdForm::Auto, "2147483648", "V-180", true),
        (IdForm::Exact, "2147483648", "V-180", false),
    ];
    for (form, id, vector, matched) in rules {
        let mut talk = Talk::with(|north| north.id_form = form).await;
        let message = talk.sent_as(id).await;
        talk.told(vector).await;
        let state = if matched { "delivered" } else { "sent" };
        assert_eq!(talk.gate.state(message), state, "{form:?} {id} {vector}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_188_what_is_on_its_way_stays_so_and_skipped_is_an_end() {
    let mut talk = Talk::with(|_| {}).await;
    let on_its_way = talk.sent_as("0ABCDEF0").await;
    let scheduled = talk.sent_as("sch-1").await;
    let skipped = talk.sent_as("skp-1").await;
    for vector in ["V-172", "V-173", "V-174"] {
        talk.told(vector).await;
    }
    for (message, told) in [(on_its_way, "ENROUTE"), (scheduled, "SCHEDULED")] {
        let trace = talk.gate.store.reader().unwrap().trace(message).unwrap();
        assert_eq!(trace.state, "sent");
        let entry =
            trace.timeline.iter().find(|entry| entry.what == "intermediate").expect("the notification");
        assert_eq!(entry.detail, told);
    }
    assert_eq!((talk.gate.state(skipped), talk.gate.reason(skipped).0), ("skipped", "receipt"));
    assert_eq!(talk.gate.books(), ("95.5".to_owned(), "3".to_owned()));
    // The end comes all the same.
    let sequence = talk.link.send_receipt_text(&crate::support::hello(TO), "id:0ABCDEF0 stat:DELIVRD").await;
    talk.link.expect_delivered(sequence).await;
    assert_eq!(talk.gate.state(on_its_way), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_whose_accepted_is_no_end_sends_the_end_later() {
    for (ends, state) in [(true, "accepted"), (false, "sent")] {
        let mut talk = Talk::with(|north| north.accepted_ends = ends).await;
        let message = talk.sent_as("1234567804").await;
        talk.told("V-169").await;
        assert_eq!(talk.gate.state(message), state);
        let hello = crate::support::hello(TO);
        let sequence = talk.link.send_receipt_text(&hello, "id:1234567804 stat:UNDELIV err:027").await;
        talk.link.expect_delivered(sequence).await;
        assert_eq!(talk.gate.state(message), if ends { "accepted" } else { "undeliverable" });
        talk.spent("98.5");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_189_a_receipt_in_data_sm_is_one_like_any_other() {
    let mut talk = Talk::with(|_| {}).await;
    let message = talk.sent_as("ds-1").await;
    let sequence = talk.link.send_vector("V-181").await;
    let answer = talk.link.expect_status(CommandId::DATA_SM_RESP, CommandStatus::ROK).await;
    assert_eq!(answer.header.sequence, sequence);
    assert_eq!((talk.gate.state(message), talk.gate.reason(message)), ("undeliverable", ("receipt", 1)));
    talk.spent("98.5");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_190_a_broken_parameter_does_not_lose_the_receipt() {
    let mut talk = Talk::with(|_| {}).await;
    let message = talk.sent_as("1234567803").await;
    talk.told("V-318").await;
    assert_eq!((talk.gate.state(message), talk.gate.reason(message)), ("undeliverable", ("receipt", 6)));
    talk.link.expect_quiet().await;
    talk.spent("98.5");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_191_what_is_final_stays_so_whatever_comes_later() {
    let mut talk = Talk::with(|_| {}).await;
    let message = talk.sent_as("twice").await;
    let receipt = |stat: &str, state: u8| {
        Body::DeliverSm(DeliverSm {
            source: Address::international(TO),
            destination: Address::alphanumeric("ACME"),
            esm_class: EsmClass::DELIVERY_RECEIPT,
            short_message: format!("id:twice stat:{stat} err:000").into(),
            tlvs: vec![
                Tlv::c_octets(Tag::RECEIPTED_MESSAGE_ID, &COctets::from("twice")),
                Tlv::u8(Tag::MESSAGE_STATE, state),
            ]
            .into(),
            ..DeliverSm::default()
        })
    };
    for (stat, state) in [("UNDELIV", 5), ("DELIVRD", 2), ("UNDELIV", 5)] {
        let sequence = talk.link.send(receipt(stat, state)).await;
        talk.link.expect_delivered(sequence).await;
        assert_eq!(talk.gate.state(message), "undeliverable");
    }
    let Owed::Receipt { state, .. } = talk.gate.owed().await.content else { panic!("a receipt") };
    assert_eq!(state, State::Undeliverable);
    let account = talk.gate.store.policy().credential("acme").unwrap().account;
    assert_eq!(talk.gate.store.account_lane(account).depth().ready, 0, "one receipt, whatever came");
    talk.gate
        .counted(|counters| counters.receipts_repeated.load(std::sync::atomic::Ordering::Relaxed), 2)
        .await;
    talk.spent("98.5");
}
