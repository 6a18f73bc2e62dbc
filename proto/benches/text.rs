//! How long a text of three parts takes: chosen an alphabet for, counted, cut.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use smpp_proto::field::Alphabet;
use smpp_proto::text::gsm7::{Language, Languages};
use smpp_proto::text::{Allowed, Reference, UserData, Width, choose, count, split, ucs2};

/// Three parts each: 400 letters of GSM 7-bit, 160 and some characters that need a table or UCS2.
fn texts() -> [(&'static str, String); 3] {
    let plain = "the quick brown fox ".repeat(20);
    let turkish = "düş gücü için çağrı ".repeat(9);
    let emoji = "🙂👍🏽 ça va? ".repeat(14);
    [("plain", plain), ("turkish", turkish), ("emoji", emoji)]
}

fn choosing(c: &mut Criterion) {
    let languages: Languages =
        [Language::Turkish, Language::Spanish, Language::Portuguese].into_iter().collect();
    for (name, text) in texts() {
        for (how, allowed) in
            [("", Allowed::default()), (" of 3 languages", Allowed { languages, ucs2: true })]
        {
            c.bench_function(&format!("choose{how}, {name}"), |b| {
                b.iter(|| choose(black_box(&text), allowed, Width::Eight));
            });
        }
    }
}

fn cutting(c: &mut Criterion) {
    let texts = texts();
    let septets = texts[0].1.as_bytes();
    let units = ucs2::encode(&texts[2].1);
    for (name, alphabet, octets) in [("gsm7", Alphabet::Gsm7, septets), ("ucs2", Alphabet::Ucs2, &units[..])]
    {
        let Ok(data) = UserData::read(alphabet, false, octets) else { continue };
        c.bench_function(&format!("count 3 parts, {name}"), |b| {
            b.iter(|| count(black_box(&data), Width::Eight));
        });
        let mut out = Vec::with_capacity(1024);
        c.bench_function(&format!("split 3 parts, {name}"), |b| {
            b.iter(|| {
                out.clear();
                if let Ok(parts) = split(black_box(&data), Reference::Eight(7)) {
                    parts.for_each(|part| part.write(&mut out));
                }
            });
        });
    }
}

criterion_group!(benches, choosing, cutting);
criterion_main!(benches);
