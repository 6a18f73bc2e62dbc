//! Section J, times, validity, replace. C-162 is in `tests/esme_submit.rs`.

use std::time::Duration;

use smpp_proto::field::{COctets, InterfaceVersion, MessageState};
use smpp_proto::pdu::{Header, QuerySm, QuerySmResp, SubmitSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus};
use tollgate::clock::Timestamp;
use tollgate::policy::{PastSchedule, TextLimits};
use tollgate::smsc::ValidityForm;

use crate::support::{Esme, Gate, NOON, Plan, Smsc, submit, upstream};

const TO: &str = "34600111222";
const DAY: Duration = Duration::from_secs(86_400);

/// Limits that let the times of the vectors pass, which lie years ahead.
fn far(plan: &mut Plan) {
    plan.limits =
        TextLimits { max_validity: 9_000 * DAY, max_schedule: 9_000 * DAY, ..TextLimits::default() };
    plan.esme.enquire_link = None;
    // Many vectors have no source address.
    plan.terms.default_source = Some("TEST".to_owned());
}

/// A moment, read by a library that has nothing to do with SMPP.
fn at(rfc_3339: &str) -> Timestamp {
    let moment: jiff::Timestamp = rfc_3339.parse().expect("a time");
    Timestamp::from_millis(moment.as_millisecond())
}

/// The time as sixteen characters, for markers of the test.
fn absolute(at: Timestamp) -> COctets {
    let moment = jiff::Timestamp::from_millisecond(at.millis()).expect("a time");
    let tenth = at.millis().rem_euclid(1_000) / 100;
    COctets::from(format!("{}{tenth}00+", moment.strftime("%y%m%d%H%M%S")).as_str())
}

async fn advance_to(gate: &Gate, to: Timestamp) {
    gate.clock.advance(to.since(gate.clock.now()));
}

/// Octets of a submit_sm whose times are these, whatever they are.
fn with_times(schedule: &str, validity: &str, sequence: u32) -> Vec<u8> {
    let mut body = b"\0\x05\0TEST\0\x01\x01".to_vec();
    body.extend_from_slice(TO.as_bytes());
    body.extend_from_slice(b"\0\0\0\0");
    for time in [schedule, validity] {
        body.extend_from_slice(time.as_bytes());
        body.push(0);
    }
    body.extend_from_slice(b"\x01\0\0\0\x02hi");
    let length = u32::try_from(Header::LENGTH + body.len()).expect("a length");
    let head = [length, CommandId::SUBMIT_SM.0, 0, sequence];
    [head.iter().flat_map(|field| field.to_be_bytes()).collect(), body].concat()
}

async fn status_of(esme: &mut Esme, octets: Vec<u8>) -> CommandStatus {
    esme.send_raw(&octets).await;
    esme.expect_command(CommandId::SUBMIT_SM_RESP).await.header.status
}

async fn query(esme: &mut Esme, id: &str) -> QuerySmResp {
    let source = Address::alphanumeric("TEST");
    let question = QuerySm { message_id: COctets::from(id), source, ..QuerySm::default() };
    let sequence = esme.send(Body::QuerySm(question)).await;
    match esme.expect_answer(sequence).await.body() {
        Body::QuerySmResp(resp) => resp,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_153_good_times_are_kept_to_the_second_with_their_offset() {
    let gate = Gate::open(far).await;
    let mut esme = gate.bound().await;
    // When each vector is sent and what it means, counted by hand. The validity of V-066 is two days from then on.
    let noon = "2025-11-20T12:00:00Z";
    let due = [
        ("V-068", noon, "2027-01-23T16:05:06Z"),
        ("V-067", noon, "2030-01-01T05:00:00.7Z"),
        ("V-066", "2030-02-27T12:00:00Z", "2030-02-28T11:00:00Z"),
        ("V-070", noon, "2030-06-15T00:00:00Z"),
        ("V-065", noon, "2030-12-31T23:59:59Z"),
        ("V-071", noon, "2032-02-29T00:00:00Z"),
    ];
    for (vector, ..) in due.iter().filter(|(_, sent, _)| *sent == noon) {
        let sequence = esme.send_vector(vector).await;
        assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::ROK, "{vector}");
    }
    for (vector, sent, due) in due {
        if sent != noon {
            advance_to(&gate, at(sent)).await;
            let sequence = esme.send_vector(vector).await;
            assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::ROK, "{vector}");
        }
        // A marker a second earlier is sent, the vector is not; then the vector is.
        let early = at(due) - Duration::from_secs(1);
        let marker = SubmitSm { schedule_delivery_time: absolute(early), ..submit(TO, "marker") };
        assert_eq!(esme.try_submit(marker).await.0, CommandStatus::ROK, "the marker before {vector}");
        advance_to(&gate, early).await;
        assert!(gate.sent().await.pdu.ends_with(b"marker"), "{vector} came too early");
        let north = gate.store.upstreams().id("north").expect("an upstream");
        assert_eq!(gate.store.upstream_lane(north).depth().ready, 0, "{vector} came too early");
        advance_to(&gate, at(due)).await;
        assert!(gate.sent().await.pdu.ends_with(b"later"), "{vector}");
    }
    // The validity of V-069 is ten minutes; a minute before its end it is still alive.
    let sequence = esme.send_vector("V-069").await;
    let id = match esme.expect_answer(sequence).await.body() {
        Body::SubmitSmResp(resp) => resp.message_id.expect("an id").to_text().into_owned(),
        other => panic!("{other:?}"),
    };
    let mut marker = submit(TO, "marker");
    marker.validity_period = COctets::from("000000000959000R");
    let (_, marker) = esme.try_submit(marker).await;
    gate.clock.advance(Duration::from_secs(599));
    let expired = esme.expect_deliver().await;
    assert!(String::from_utf8_lossy(&expired.short_message).contains(&marker));
    assert_eq!(gate.state(&id), "ready");
    gate.clock.advance(Duration::from_secs(1));
    let ends = async {
        while gate.state(&id) != "expired" {
            tokio::task::yield_now().await;
        }
    };
    crate::support::within("the end of its validity", ends).await;
    gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn c_154_digits_that_a_relative_time_should_not_have_are_ignored() {
    let gate = Gate::open(far).await;
    let mut esme = gate.bound().await;
    // The tenths and the offset of V-072 are not zero; its validity is 7 years, 6 months and more.
    let sequence = esme.send_vector("V-072").await;
    assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::ROK);
    let expires = gate.sent().await.expires;
    assert_eq!(expires, at("2033-05-25T16:03:02Z"));
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_154_the_twelve_digits_of_older_stacks_are_a_time() {
    let gate = Gate::open(|plan| {
        far(plan);
        plan.terms.default_source = Some("ACME".to_owned());
    })
    .await;
    let mut esme = gate.bound().await;
    // V-333 has no source address and is valid until 301231235959.
    let sequence = esme.send_vector("V-333").await;
    assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::ROK);
    assert_eq!(gate.sent().await.expires, at("2030-12-31T23:59:59Z"));
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_155_a_malformed_schedule_is_refused_as_such() {
    let gate = Gate::open(far).await;
    let mut esme = gate.bound().await;
    for number in 319..=328 {
        let sequence = esme.send_vector(&format!("V-{number}")).await;
        let answer = esme.expect_answer(sequence).await;
        assert_eq!(
            (answer.header.status, answer.header.length),
            (CommandStatus::RINVSCHED, 16),
            "V-{number}"
        );
    }
    esme.submit(TO, "the session stays").await;
    gate.ends_with("999999", "1");
}

/// Sixteen characters, or nearly, that are no time.
const MALFORMED: [&str; 10] = [
    "30123123595900+",
    "3012312359590000+",
    "301231235959000Z",
    "301301000000000+",
    "300230000000000+",
    "310229000000000+",
    "300101240000000+",
    "300101006000000+",
    "300101000000049+",
    "3001010000A0000+",
];

#[tokio::test(flavor = "multi_thread")]
async fn c_156_a_malformed_validity_is_refused_as_such() {
    let gate = Gate::open(far).await;
    let mut esme = gate.bound().await;
    for (validity, sequence) in MALFORMED.into_iter().zip(1..) {
        let status = status_of(&mut esme, with_times("", validity, sequence)).await;
        assert_eq!(status, CommandStatus::RINVEXPIRY, "{validity}");
    }
    assert_eq!(status_of(&mut esme, with_times("", "301231235959000+", 99)).await, CommandStatus::ROK);
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_157_a_schedule_in_the_past_is_refused_or_means_now() {
    for (setting, status, held) in
        [(PastSchedule::Refuse, CommandStatus::RINVSCHED, "0"), (PastSchedule::Now, CommandStatus::ROK, "1")]
    {
        let gate = Gate::open(|plan| {
            plan.limits.past_schedule = setting;
            plan.terms.default_source = Some("TEST".to_owned());
        })
        .await;
        let mut esme = gate.bound().await;
        let sequence = esme.send_vector("V-329").await;
        assert_eq!(esme.expect_answer(sequence).await.header.status, status, "{setting:?}");
        if status.is_ok() {
            assert!(gate.sent().await.pdu.ends_with(b"Hello world"), "at once");
        }
        gate.ends_with(if held == "1" { "999999" } else { "1000000" }, held);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_158_a_validity_that_is_over_is_refused() {
    let gate = Gate::open(far).await;
    let mut esme = gate.bound().await;
    for vector in ["V-330", "V-331", "V-332"] {
        let sequence = esme.send_vector(vector).await;
        let answer = esme.expect_answer(sequence).await;
        assert_eq!(answer.header.status, CommandStatus::RINVEXPIRY, "{vector}");
    }
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_159_a_validity_beyond_the_longest_is_shortened_and_such_a_schedule_refused() {
    let operator = Smsc::listen().await;
    let north = upstream("north", &operator);
    let gate = Gate::open(|plan| plan.upstreams = vec![north]).await;
    let mut link = operator.bound().await;
    let mut esme = gate.bound().await;
    // Seven days are the longest; the operator hears what is left of them.
    for (asked, told) in [
        ("000006235959000R", "000006235959000R"),
        ("000008000000000R", "000007000000000R"),
        ("990000000000000R", "000007000000000R"),
    ] {
        let message = SubmitSm { validity_period: COctets::from(asked), ..submit(TO, "x") };
        assert_eq!(esme.try_submit(message).await.0, CommandStatus::ROK, "{asked}");
        let (sequence, sent) = link.expect_submit().await;
        assert_eq!(sent.validity_period.to_text(), told);
        link.accept_submit(sequence, asked).await;
        link.expect_quiet().await;
    }
    // Fourteen days are the farthest.
    for (asked, status) in
        [("000014000000000R", CommandStatus::ROK), ("000014000001000R", CommandStatus::RINVSCHED)]
    {
        let message = SubmitSm { schedule_delivery_time: COctets::from(asked), ..submit(TO, "x") };
        assert_eq!(esme.try_submit(message).await.0, status, "{asked}");
    }
    gate.ends_with("999996", "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_160_what_expires_here_is_told_given_back_and_never_sent() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let hour = SubmitSm { validity_period: COctets::from("000000010000000R"), ..submit(TO, "an hour") };
    let (_, hour) = esme.try_submit(hour).await;
    let day = esme.submit(TO, "a day").await;
    gate.clock.advance(Duration::from_secs(3_600));
    let receipt = esme.expect_deliver().await;
    let said = String::from_utf8_lossy(&receipt.short_message).into_owned();
    assert!(said.starts_with(&format!("id:{hour} ")) && said.contains("stat:EXPIRED"), "{said}");
    assert_eq!(gate.state(&hour), "expired");
    assert_eq!(query(&mut esme, &hour).await.message_state, MessageState::EXPIRED);
    assert!(gate.sent().await.pdu.ends_with(b"a day"), "the one that lives");
    let north = gate.store.upstreams().id("north").expect("an upstream");
    assert_eq!(gate.store.upstream_lane(north).depth().ready, 0);
    assert_eq!(gate.state(&day), "ready");
    esme.expect_quiet().await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_161_what_waits_for_its_time_is_scheduled_to_5_0_and_en_route_to_3_4() {
    let gate = Gate::open(|plan| plan.esme.enquire_link = None).await;
    let mut old = gate.bound_at(InterfaceVersion::V3_4).await;
    let mut new = gate.bound_at(InterfaceVersion::V5_0).await;
    let later = SubmitSm { schedule_delivery_time: COctets::from("000001000000000R"), ..submit(TO, "later") };
    let (_, later) = old.try_submit(later).await;
    let now = old.submit(TO, "now").await;
    let states = |old: QuerySmResp, new: QuerySmResp| {
        assert!(old.final_date.is_empty() && new.final_date.is_empty());
        (old.message_state.0, new.message_state.0)
    };
    assert_eq!(states(query(&mut old, &later).await, query(&mut new, &later).await), (1, 0));
    assert_eq!(states(query(&mut old, &now).await, query(&mut new, &now).await), (1, 1));
    // One that was tried and put off waits too, and is en route.
    let message = gate.sent().await;
    assert_eq!(message.id.to_string(), now);
    gate.put_off(&message, Duration::from_secs(600)).await;
    assert_eq!(states(query(&mut old, &now).await, query(&mut new, &now).await), (1, 1));
    gate.clock.advance(Duration::from_secs(600));
    assert_eq!(gate.sent().await.id.to_string(), now);
    gate.clock.advance(DAY - Duration::from_secs(600));
    assert_eq!(gate.sent().await.id.to_string(), later);
    assert_eq!(states(query(&mut old, &later).await, query(&mut new, &later).await), (1, 1));
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_163_the_times_that_we_write_have_sixteen_characters() {
    for (form, told) in [
        (ValidityForm::Pass, "000000235830000R"),
        (ValidityForm::Absolute, "251121120000000+"),
        (ValidityForm::Omit, ""),
    ] {
        let operator = Smsc::listen().await;
        let mut north = upstream("north", &operator);
        north.validity = form;
        // The operator takes its time to let us in.
        north.patience.bind = Duration::from_secs(600);
        let gate = Gate::open(|plan| plan.upstreams = vec![north]).await;
        let mut esme = gate.bound().await;
        let id = esme.submit(TO, "x").await;
        gate.clock.advance(Duration::from_secs(90));
        let mut link = operator.bound().await;
        let (sequence, sent) = link.expect_submit().await;
        assert_eq!(
            (sent.validity_period.to_text(), sent.schedule_delivery_time.is_empty()),
            (told.into(), true)
        );
        link.accept_submit(sequence, "op-1").await;
        let receipt = link.send_receipt(&sent, "op-1", "DELIVRD", 2).await;
        link.expect_delivered(receipt).await;
        esme.expect_deliver().await;
        let done = query(&mut esme, &id).await;
        assert_eq!(
            (done.message_state, done.final_date.to_text()),
            (MessageState::DELIVERED, "251120120130000+".into())
        );
    }
    assert_eq!(NOON, at("2025-11-20T12:00:00Z"));
}
