//! How long a text of 160 characters takes in the GSM 7-bit alphabet: chosen, written, read, packed, counted.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use smpp_proto::field::DataCoding;
use smpp_proto::text::gsm7::pack::{pack, unpack};
use smpp_proto::text::gsm7::{self, Tables};
use smpp_proto::text::{UserData, Width, choose, count};

/// Characters of the default table, and one in eight that needs an escape.
fn text(escaped: bool) -> String {
    let pattern = if escaped { "Price: 5€" } else { "Prices go" };
    pattern.chars().cycle().take(160).collect()
}

fn alphabet(c: &mut Criterion) {
    let mut group = c.benchmark_group("160 characters");
    group.throughput(Throughput::Elements(160));
    for (name, escaped) in [("plain", false), ("one in nine escaped", true)] {
        let text = text(escaped);
        let Ok(septets) = gsm7::encode(&text, Tables::default()) else { return };
        group.bench_function(format!("encode, {name}"), |b| {
            b.iter(|| gsm7::encode(black_box(&text), Tables::default()));
        });
        group.bench_function(format!("decode, {name}"), |b| {
            b.iter(|| gsm7::decode(black_box(&septets), Tables::default()));
        });
        group.bench_function(format!("choose the alphabet, {name}"), |b| b.iter(|| choose(black_box(&text))));
    }
    let septets = text(false).into_bytes();
    let octets = pack(&septets, 0);
    group.bench_function("pack", |b| b.iter(|| pack(black_box(&septets), 0)));
    group.bench_function("unpack", |b| b.iter(|| unpack(black_box(&octets), 0, 160)));
    group.finish();
}

fn counting(c: &mut Criterion) {
    for (name, octets, coding) in [
        ("count the parts of 160 septets", text(false).into_bytes(), DataCoding(0)),
        (
            "count the parts of 400 septets",
            text(true).repeat(3).replace('€', "e").into_bytes(),
            DataCoding(0),
        ),
        ("count the parts of 140 units of UCS2", vec![0x04; 280], DataCoding::UCS2),
    ] {
        c.bench_function(name, |b| {
            b.iter(|| {
                let data = UserData::read(coding.alphabet(), false, black_box(&octets));
                data.map(|data| count(&data, Width::Eight))
            });
        });
    }
}

criterion_group!(benches, alphabet, counting);
criterion_main!(benches);
