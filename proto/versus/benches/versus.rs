//! A hundred PDUs from one buffer, and a hundred into one, by both codecs through the same traits of tokio-util.
//!
//! Figures are for the hundred: 10 µs are 100 ns a PDU.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rusmpp::tokio_codec::CommandCodec;
use smpp_proto::field::MessageState;
use smpp_proto::text::receipt::{Receipt, Report, ReportTlvs};
use smpp_proto::{Body, FrameCodec, Pdu, Tag};
use smpp_proto_versus::{receipt, submit_sm, submit_sm_resp};
use tokio_util::codec::{Decoder, Encoder};

const PDUS: u64 = 100;

fn each_pdu(c: &mut Criterion) {
    let pdus = [
        ("submit_sm of 140 octets", submit_sm()),
        ("submit_sm_resp", submit_sm_resp()),
        ("deliver_sm, a receipt", receipt()),
    ];
    for (name, octets) in pdus {
        reading(c, name, &octets);
        writing(c, name, &octets);
    }
}

fn reading(c: &mut Criterion, name: &str, octets: &[u8]) {
    let stream = octets.repeat(PDUS as usize);
    let mut group = c.benchmark_group(format!("decode 100 x {name}"));
    group.throughput(Throughput::Elements(PDUS));
    group.bench_function("smpp-proto", |b| {
        b.iter_batched_ref(
            || BytesMut::from(&stream[..]),
            |buffer| {
                let mut codec = FrameCodec::default();
                while let Ok(Some(frame)) = codec.decode(buffer) {
                    black_box(Pdu::decode(frame)).ok();
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("rusmpp", |b| {
        b.iter_batched_ref(
            || BytesMut::from(&stream[..]),
            |buffer| {
                let mut codec = CommandCodec::new();
                while let Ok(Some(command)) = codec.decode(buffer) {
                    black_box(command);
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn writing(c: &mut Criterion, name: &str, octets: &[u8]) {
    let mut buffer = BytesMut::from(octets);
    let Ok(Some(Ok(pdu))) = FrameCodec::default().decode(&mut buffer).map(|frame| frame.map(Pdu::decode))
    else {
        return;
    };
    let Ok(Some(command)) = CommandCodec::new().decode(&mut BytesMut::from(octets)) else { return };
    let mut out = BytesMut::with_capacity(64 * 1024);
    let mut group = c.benchmark_group(format!("encode 100 x {name}"));
    group.throughput(Throughput::Elements(PDUS));
    group.bench_function("smpp-proto", |b| {
        b.iter(|| {
            out.clear();
            for _ in 0..PDUS {
                FrameCodec::default().encode(black_box(&pdu), &mut out).ok();
            }
        });
    });
    group.bench_function("rusmpp", |b| {
        b.iter(|| {
            out.clear();
            for _ in 0..PDUS {
                CommandCodec::new().encode(black_box(&command), &mut out).ok();
            }
        });
    });
    group.finish();
}

/// What the other codec does not do: the text of one receipt, alone and put together with its TLVs.
fn receipt_text(c: &mut Criterion) {
    let Ok(Some(Ok(pdu))) =
        FrameCodec::default().decode(&mut BytesMut::from(&receipt()[..])).map(|frame| frame.map(Pdu::decode))
    else {
        return;
    };
    let Body::DeliverSm(deliver) = pdu.body else { return };
    c.bench_function("read 1 receipt, text", |b| b.iter(|| Receipt::read(black_box(deliver.user_data()))));
    c.bench_function("read 1 receipt, text, dates and TLVs", |b| {
        b.iter(|| {
            let tlvs = ReportTlvs {
                receipted_message_id: deliver.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).map(|id| &id[..]),
                message_state: deliver.tlvs.u8(Tag::MESSAGE_STATE).map(MessageState),
                network_error_code: deliver.tlvs.get(Tag::NETWORK_ERROR_CODE).map(|code| &code[..]),
            };
            Report::merge(&Receipt::read(black_box(deliver.user_data())), &tlvs).state
        });
    });
}

criterion_group!(benches, each_pdu, receipt_text);
criterion_main!(benches);
