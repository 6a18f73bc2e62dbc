//! How long a text of 160 characters takes in the GSM 7-bit alphabet: written, read, packed, unpacked.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use smpp_proto::text::gsm7::pack::{pack, unpack};
use smpp_proto::text::gsm7::{self, Tables};

fn alphabet(c: &mut Criterion) {
    let mut group = c.benchmark_group("160 characters");
    group.throughput(Throughput::Elements(160));
    for (name, pattern) in [("plain", "Prices go"), ("one in nine escaped", "Price: 5€")] {
        let text: String = pattern.chars().cycle().take(160).collect();
        let Ok(septets) = gsm7::encode(&text, Tables::default()) else { continue };
        group.bench_function(format!("encode, {name}"), |b| {
            b.iter(|| gsm7::encode(black_box(&text), Tables::default()));
        });
        group.bench_function(format!("decode, {name}"), |b| {
            b.iter(|| gsm7::decode(black_box(&septets), Tables::default()));
        });
    }
    let septets = [b'x'; 160];
    let octets = pack(&septets, 0);
    group.bench_function("pack", |b| b.iter(|| pack(black_box(&septets), 0)));
    group.bench_function("unpack", |b| b.iter(|| unpack(black_box(&octets), 0, 160)));
    group.finish();
}

criterion_group!(benches, alphabet);
criterion_main!(benches);
