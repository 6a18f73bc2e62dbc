//! How long one PDU takes: cut, read and write, without a socket.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use smpp_proto::field::{Address, CommandStatus, InterfaceVersion, RegisteredDelivery, Tag, Tlv};
use smpp_proto::pdu::{Lenience, Pdu, Reading, SubmitSm, deliver, submit};
use smpp_proto::rules;
use smpp_proto::text::receipt::{Receipt, Report, ReportTlvs};
use smpp_proto::{COctets, FrameCodec, Header};

fn message() -> SubmitSm {
    SubmitSm {
        source: Address::alphanumeric("Tollgate"),
        destination: Address::international("447700900123"),
        registered_delivery: RegisteredDelivery::RECEIPT,
        short_message: Bytes::from_static(&[b'x'; 140]),
        ..SubmitSm::default()
    }
}

fn with_tlvs() -> SubmitSm {
    let mut message = message();
    message.tlvs.push(Tlv::u16(Tag::USER_MESSAGE_REFERENCE, 7));
    message.tlvs.push(Tlv::c_octets(Tag(0x1400), &COctets::from_static("110100001352")));
    message.tlvs.push(Tlv::c_octets(Tag(0x1401), &COctets::from_static("1107161513271584221")));
    message
}

fn octets(message: &SubmitSm) -> BytesMut {
    let mut out = BytesMut::new();
    assert_eq!(message.encode(&mut out, 1), Ok(()));
    out
}

fn reading(c: &mut Criterion) {
    for (name, message) in
        [("decode submit_sm, 140 octets", message()), ("decode submit_sm, 3 TLVs", with_tlvs())]
    {
        let mut buffer = octets(&message);
        let body = buffer.split_off(Header::LENGTH).freeze();
        c.bench_function(name, |b| b.iter(|| SubmitSm::decode(black_box(body.clone()))));
    }
    for (name, mut message) in
        [("judge submit_sm, 140 octets", message()), ("judge submit_sm, 3 TLVs", with_tlvs())]
    {
        c.bench_function(name, |b| {
            b.iter(|| {
                let mut reading = Reading::new(Lenience::DEFAULT);
                rules::submit_sm(black_box(&mut message), InterfaceVersion::V3_4, &mut reading)
            });
        });
    }
    let stream = octets(&message()).repeat(100);
    c.bench_function("cut and decode 100 submit_sm", |b| {
        b.iter_batched_ref(
            || BytesMut::from(&stream[..]),
            |buffer| {
                let codec = FrameCodec::default();
                while let Ok(Some(frame)) = codec.cut(buffer) {
                    black_box(Pdu::decode(frame)).ok();
                }
            },
            BatchSize::SmallInput,
        );
    });
}

fn writing(c: &mut Criterion) {
    let mut out = BytesMut::with_capacity(64 * 1024);
    for (name, message) in
        [("encode submit_sm, 140 octets", message()), ("encode submit_sm, 3 TLVs", with_tlvs())]
    {
        c.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                black_box(&message).encode(&mut out, 7)
            });
        });
    }
    c.bench_function("encode submit_sm_resp", |b| {
        b.iter(|| {
            out.clear();
            submit::encode_resp(&mut out, 7, CommandStatus::ROK, black_box(b"1234567890123456789"))
        });
    });
    c.bench_function("encode deliver_sm_resp", |b| {
        b.iter(|| {
            out.clear();
            deliver::encode_resp(&mut out, black_box(7), CommandStatus::ROK);
        });
    });
}

fn receipts(c: &mut Criterion) {
    let text =
        b"id:1234567801 sub:001 dlvrd:001 submit date:2506011200 done date:2506011201 stat:DELIVRD err:000 \
        text:Hello world";
    c.bench_function("read a receipt", |b| b.iter(|| Receipt::read(black_box(text))));
    let tlvs = ReportTlvs::default();
    c.bench_function("read a receipt, id and dates and all", |b| {
        b.iter(|| Report::merge(&Receipt::read(black_box(text)), &tlvs));
    });
}

criterion_group!(benches, reading, writing, receipts);
criterion_main!(benches);
