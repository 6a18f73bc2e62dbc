//! What an operator's deliver_sm or data_sm is: a receipt, a notification, a message from a phone (SMPP 3.4 §4.6, §4.7).

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use smpp_proto::error::BodyError;
use smpp_proto::field::{EsmClass, InterfaceVersion, MessageState, MessageType, Tag, Tlvs};
use smpp_proto::pdu::{DataSm, DeliverSm, Frame, Header, Reading as Forgiving};
use smpp_proto::rules::{self, Breach};
use smpp_proto::session::Moment;
use smpp_proto::text::receipt::{Receipt, Report as Told, ReportTlvs, plain};
use smpp_proto::text::{Allowed, Charset, Udh};
use smpp_proto::{CommandId, CommandStatus};

use super::settings::Upstream;
use crate::clock::Timestamp;
use crate::message::{InboundPart, State, Wording};
use crate::store::Report;

/// How one operator's deliveries are to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    sniffs: bool,
    accepted_ends: bool,
    /// Minutes that the clock in receipts is ahead of UTC.
    zone: i16,
    /// What it means by data_coding 0.
    charset: Charset,
}

/// What came.
#[derive(Debug, PartialEq)]
pub(super) enum Arrival {
    /// A receipt or an intermediate notification. `delay` is what lies between its two dates, in milliseconds.
    Receipt { report: Report, delay: Option<u64> },
    /// A receipt that names no message.
    Nameless,
    /// A message from a phone: whom it is for, the body of the deliver_sm, and which part of one it is.
    Mo { to: Bytes, body: Bytes, part: Option<Box<InboundPart>> },
    /// The same with the body of the data_sm, because an address is too long for a deliver_sm.
    MoData { to: Bytes, body: Bytes },
}

/// Either operation, as far as both have the same.
struct Delivery<'a> {
    source: &'a [u8],
    esm_class: EsmClass,
    octets: &'a [u8],
    tlvs: &'a Tlvs,
}

impl Reading {
    pub(super) fn new(settings: &Upstream) -> Self {
        Self {
            sniffs: settings.sniff_receipts,
            accepted_ends: settings.accepted_ends,
            zone: settings.receipt_zone,
            charset: settings.alphabet,
        }
    }

    /// Reads a frame of either operation with what its operator is forgiven, which `reading` notes.
    ///
    /// # Errors
    /// When its body cannot be read, or has a value that is not forgiven; the error knows the answer.
    pub(super) fn read(
        self,
        frame: &Frame,
        now: Timestamp,
        version: InterfaceVersion,
        reading: &mut Forgiving,
    ) -> Result<Arrival, Unread> {
        let header = frame.header;
        let fault = |problem| Unread::Body(BodyError { header, problem });
        if header.command == CommandId::DATA_SM {
            let pdu = DataSm::decode_with(frame.body.clone(), reading).map_err(fault)?;
            let octets = pdu.user_data().map_or(&[][..], |octets| octets);
            let delivery = Delivery {
                source: pdu.source.digits.as_bytes(),
                esm_class: pdu.esm_class,
                octets,
                tlvs: &pdu.tlvs,
            };
            if let Some(receipt) = self.receipt(&delivery, now) {
                return Ok(receipt);
            }
            let to = pdu.destination.digits.bytes();
            let deliver = as_deliver_sm(pdu);
            let part = InboundPart::of(&deliver).map(Box::new);
            return Ok(match self.reworded(&deliver).or_else(|| written(&deliver)) {
                Some(body) => Arrival::Mo { to, body, part },
                None => Arrival::MoData { to, body: Bytes::copy_from_slice(&frame.body) },
            });
        }
        let mut pdu = DeliverSm::decode_with(frame.body.clone(), reading).map_err(fault)?;
        rules::deliver_sm(&mut pdu, version, reading).map_err(Unread::Value)?;
        let delivery = Delivery {
            source: pdu.source.digits.as_bytes(),
            esm_class: pdu.esm_class,
            octets: pdu.user_data(),
            tlvs: &pdu.tlvs,
        };
        Ok(match self.receipt(&delivery, now) {
            Some(receipt) => receipt,
            None => Arrival::Mo {
                to: pdu.destination.digits.bytes(),
                // A copy, because the message may wait for its client much longer than the buffer it was read into. It is
                // mended where something was forgiven.
                body: self
                    .reworded(&pdu)
                    .or_else(|| Some(&pdu).filter(|_| !reading.met.is_empty()).and_then(written))
                    .unwrap_or_else(|| Bytes::copy_from_slice(&frame.body)),
                part: InboundPart::of(&pdu).map(Box::new),
            },
        })
    }

    /// The body of a message from a phone as the store keeps it, where that is not how the operator wrote it: it may mean
    /// something else by data_coding 0.
    fn reworded(self, pdu: &DeliverSm) -> Option<Bytes> {
        let wording = Wording::of_deliver(pdu).from_peer(self.charset, Allowed::default()).ok()??;
        let mut pdu = pdu.clone();
        wording.put_into_deliver(&mut pdu);
        written(&pdu)
    }

    /// The receipt that a delivery is, if it is one. The type in esm_class decides (SMPP 3.4 §5.2.12); the text does
    /// only where the operator is known to leave the type out.
    fn receipt(self, delivery: &Delivery<'_>, now: Timestamp) -> Option<Arrival> {
        let notification = match delivery.esm_class.message_type() {
            MessageType::DeliveryReceipt => false,
            MessageType::IntermediateNotification => true,
            MessageType::Normal if self.sniffs && begins_with_id(delivery) => false,
            _ => return None,
        };
        let text = text_of(delivery);
        let tlvs = ReportTlvs {
            receipted_message_id: delivery.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).map(|value| &value[..]),
            message_state: delivery.tlvs.u8(Tag::MESSAGE_STATE).map(MessageState),
            network_error_code: delivery.tlvs.get(Tag::NETWORK_ERROR_CODE).map(|value| &value[..]),
        };
        let told = Told::merge(&Receipt::read(&text), &tlvs);
        let Some(id) = told.id else { return Some(Arrival::Nameless) };
        let report = Report {
            // Copies: a receipt that comes too early is kept.
            id: Bytes::copy_from_slice(id),
            about: Bytes::copy_from_slice(delivery.source),
            state: self.state(&told, notification),
            error: told.err.and_then(|err| err.number()).unwrap_or(0),
            done_at: self.done_at(&told, now),
        };
        Some(Arrival::Receipt { report, delay: delay_of(&told) })
    }

    /// How the message stands. What is no end, and what a notification says, leaves it on its way.
    fn state(self, told: &Told<'_>, notification: bool) -> State {
        let end = told.state.and_then(State::from_receipt).filter(|_| !notification);
        match end {
            Some(State::Accepted) if !self.accepted_ends => State::Sent,
            Some(end) => end,
            None if told.state == Some(MessageState::SCHEDULED) => State::Deferred,
            None => State::Sent,
        }
    }

    /// When the operator says that it was done, if that can be true; else now.
    fn done_at(self, told: &Told<'_>, now: Timestamp) -> Timestamp {
        let told = told.done_date.map(|date| Timestamp::from_millis(date.unix_ms(self.zone)));
        told.filter(|at| *at <= now && now.since(*at) <= OLDEST).unwrap_or(now)
    }
}

/// A done date further back than this is a clock that was never set: 30 days.
const OLDEST: std::time::Duration = std::time::Duration::from_secs(30 * 86_400);

/// Both dates are of the same clock, so their difference needs no zone.
fn delay_of(told: &Told<'_>) -> Option<u64> {
    let (submitted, done) = (told.submit_date?.unix_ms(0), told.done_date?.unix_ms(0));
    u64::try_from(done - submitted).ok()
}

/// Why a delivery is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// Its body cannot be read.
    #[error(transparent)]
    Body(BodyError),
    /// It has a value that may not stand where it does.
    #[error(transparent)]
    Value(Breach),
}

impl Unread {
    /// The status with which it is answered.
    pub(super) fn status(&self) -> CommandStatus {
        match self {
            Self::Body(error) => error.answer().map_or(CommandStatus::RX_R_APPN, |(_, status)| status),
            Self::Value(breach) => breach.status,
        }
    }
}

fn begins_with_id(delivery: &Delivery<'_>) -> bool {
    let text = text_of(delivery);
    let start = text.trim_ascii_start().get(..3);
    start.is_some_and(|start| start.eq_ignore_ascii_case(b"id:")) && Receipt::read(&text).stat.is_some()
}

/// The text behind a header, if there is one, as ASCII.
fn text_of<'a>(delivery: &Delivery<'a>) -> Cow<'a, [u8]> {
    let behind =
        delivery.esm_class.udhi().then(|| Udh::cut(delivery.octets).ok().map(|(_, text)| text)).flatten();
    plain(behind.unwrap_or(delivery.octets))
}

/// Clients get a message from a phone as deliver_sm, however it came; but an address of data_sm may have 64 octets, one
/// of deliver_sm 20 (SMPP 3.4 §4.7.1, §4.6.1).
fn as_deliver_sm(pdu: DataSm) -> DeliverSm {
    DeliverSm {
        service_type: pdu.service_type,
        source: pdu.source,
        destination: pdu.destination,
        esm_class: pdu.esm_class,
        registered_delivery: pdu.registered_delivery,
        data_coding: pdu.data_coding,
        tlvs: pdu.tlvs,
        ..DeliverSm::default()
    }
}

/// The body of a deliver_sm as the specification writes it.
fn written(deliver: &DeliverSm) -> Option<Bytes> {
    let mut out = BytesMut::new();
    deliver.encode(&mut out, 0).ok()?;
    Some(out.split_off(Header::LENGTH).freeze())
}

/// What an operator is complained about in the log, each thing at most once a minute.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    nobody: Quiet,
    nameless: Quiet,
}

/// When a complaint may be made again, in monotonic milliseconds, and how many were swallowed until then.
#[derive(Debug, Default)]
struct Quiet {
    until: AtomicU64,
    swallowed: AtomicU64,
}

const QUIET_MS: u64 = 60_000;

impl Complaints {
    /// A message from a phone went to a number that nobody has.
    pub(super) fn nobody(&self, upstream: &str, to: &[u8], now: Moment) {
        if let Some(others) = self.nobody.speak(now) {
            let to = to.escape_ascii();
            tracing::warn!(upstream, %to, others, "no account takes messages from phones to this number; refused");
        }
    }

    /// A receipt named no message.
    pub(super) fn nameless(&self, upstream: &str, now: Moment) {
        if let Some(others) = self.nameless.speak(now) {
            tracing::warn!(upstream, others, "a receipt names no message; acknowledged and dropped");
        }
    }
}

impl Quiet {
    /// Whether to speak, and how often that was not done since the last time.
    fn speak(&self, now: Moment) -> Option<u64> {
        let until = self.until.load(Ordering::Relaxed);
        let next = now.0.saturating_add(QUIET_MS);
        let speaks = now.0 >= until
            && self.until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if speaks {
            return Some(self.swallowed.swap(0, Ordering::Relaxed));
        }
        self.swallowed.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Secret;
    use smpp_proto::field::{Address, Tlv};

    const NOW: Timestamp = Timestamp::from_millis(1_763_650_000_000); // 2025-11-20T14:46:40Z

    fn frame(command: CommandId, pdu: &BytesMut) -> Frame {
        let body = Bytes::copy_from_slice(&pdu[Header::LENGTH..]);
        Frame { header: Header { length: 0, command, status: CommandStatus::ROK, sequence: 7 }, body }
    }

    fn deliver(esm_class: u8, text: &'static str, tlvs: Vec<Tlv>) -> Frame {
        let pdu = DeliverSm {
            source: Address::international("34600000001"),
            destination: Address::international("22000"),
            esm_class: EsmClass(esm_class),
            short_message: text.into(),
            tlvs: tlvs.into(),
            ..DeliverSm::default()
        };
        let mut out = BytesMut::new();
        pdu.encode(&mut out, 7).unwrap();
        frame(CommandId::DELIVER_SM, &out)
    }

    fn reading(sniffs: bool) -> Reading {
        let mut upstream = Upstream::new("north", "x:1", "gate", Secret::new("x"));
        upstream.sniff_receipts = sniffs;
        Reading::new(&upstream)
    }

    fn read(frame: &Frame) -> Arrival {
        read_by(reading(false), frame)
    }

    fn read_by(reading: Reading, frame: &Frame) -> Arrival {
        let mut forgiving = Forgiving::new(smpp_proto::Lenience::STRICT);
        reading.read(frame, NOW, InterfaceVersion::V3_4, &mut forgiving).unwrap()
    }

    fn report(arrival: Arrival) -> Report {
        match arrival {
            Arrival::Receipt { report, .. } => report,
            other => panic!("{other:?}"),
        }
    }

    const TEXT: &str =
        "id:AB12 sub:001 dlvrd:001 submit date:2511201440 done date:2511201445 stat:DELIVRD err:000 text:hi";

    #[test]
    fn a_receipt_is_read_from_text_and_tlvs() {
        let arrival = read(&deliver(0x04, TEXT, Vec::new()));
        assert!(matches!(arrival, Arrival::Receipt { delay: Some(300_000), .. }));
        let expected = Report {
            id: "AB12".into(),
            about: "34600000001".into(),
            state: State::Delivered,
            error: 0,
            done_at: Timestamp::from_millis(1_763_649_900_000),
        };
        assert_eq!(report(arrival), expected);
        let tlvs = vec![
            Tlv::new(Tag::RECEIPTED_MESSAGE_ID, &b"99\0"[..]),
            Tlv::u8(Tag::MESSAGE_STATE, 5),
            Tlv::new(Tag::NETWORK_ERROR_CODE, &[3_u8, 0, 27][..]),
        ];
        let bare = report(read(&deliver(0x04, "", tlvs)));
        assert_eq!(
            (&bare.id[..], bare.state, bare.error, bare.done_at),
            (&b"99"[..], State::Undeliverable, 27, NOW)
        );
    }

    #[test]
    fn notifications_and_states_on_the_way_are_no_ends() {
        assert_eq!(report(read(&deliver(0x20, TEXT, Vec::new()))).state, State::Sent);
        assert_eq!(report(read(&deliver(0x04, "id:1 stat:ENROUTE", Vec::new()))).state, State::Sent);
        assert_eq!(report(read(&deliver(0x04, "id:1 stat:WHATEVER", Vec::new()))).state, State::Unknown);
        assert_eq!(read(&deliver(0x04, "stat:DELIVRD err:000", Vec::new())), Arrival::Nameless);
    }

    #[test]
    fn the_text_makes_a_receipt_only_where_that_is_switched_on() {
        assert!(matches!(read(&deliver(0, TEXT, Vec::new())), Arrival::Mo { .. }));
        let sniffed = read_by(reading(true), &deliver(0, TEXT, Vec::new()));
        assert_eq!(&report(sniffed).id[..], b"AB12");
        let talk = read_by(reading(true), &deliver(0, "id: see my passport", Vec::new()));
        assert!(matches!(talk, Arrival::Mo { .. }));
    }

    #[test]
    fn a_message_from_a_phone_is_kept_octet_for_octet() {
        let came = deliver(0x40, "\u{5}\0\u{3}\u{1}\u{2}\u{1}hi", vec![Tlv::new(Tag(0x1400), &b"x"[..])]);
        let body = came.body.clone();
        let Arrival::Mo { to, body: kept, part } = read(&came) else { panic!("an MO") };
        assert_eq!((&to[..], kept), (&b"22000"[..], body));
        assert_eq!(part.map(|part| (part.reference, part.total, part.part)), Some((1, 2, 1)));
        assert!(
            matches!(read(&deliver(0x08, "yes", Vec::new())), Arrival::Mo { .. }),
            "a handset's acknowledgement"
        );
    }

    #[test]
    fn data_sm_is_read_alike() {
        let pdu = |esm_class, text: &'static str| {
            let pdu = DataSm {
                source: Address::international("34600000001"),
                destination: Address::international("22000"),
                esm_class: EsmClass(esm_class),
                tlvs: vec![Tlv::new(Tag::MESSAGE_PAYLOAD, text)].into(),
                ..DataSm::default()
            };
            let mut out = BytesMut::new();
            pdu.encode(&mut out, 7).unwrap();
            frame(CommandId::DATA_SM, &out)
        };
        assert_eq!(report(read(&pdu(0x04, TEXT))).state, State::Delivered);
        let Arrival::Mo { to, body, .. } = read(&pdu(0, "hello")) else { panic!("an MO") };
        let deliver = DeliverSm::decode(body).unwrap();
        assert_eq!((&to[..], &deliver.user_data()[..]), (&b"22000"[..], &b"hello"[..]));
    }

    #[test]
    fn dates_that_cannot_be_true_are_not_believed() {
        let far = "id:1 submit date:2511201440 done date:2512311445 stat:DELIVRD";
        assert_eq!(report(read(&deliver(0x04, far, Vec::new()))).done_at, NOW);
        let never = "id:1 submit date:7001010000 done date:0001010000 stat:DELIVRD";
        assert_eq!(report(read(&deliver(0x04, never, Vec::new()))).done_at, NOW);
    }
}
