//! How long one message takes at the gate of policy: fields, text, price and way; and with every filter on, the counters
//! of the store included.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod stage;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use smpp_proto::field::Address;
use smpp_proto::pdu::SubmitSm;
use stage::full;
use stage::rules::{Draw, texts};
use tollgate::policy::filter::Desk;
use tollgate::policy::{Submission, admit};
use tollgate::store::Limits;

/// As many messages as a few reads of a socket bring: what went before is still in the caches, as in the daemon.
const AT_ONCE: BatchSize = BatchSize::NumIterations(256);

/// The allocator of the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn admission(c: &mut Criterion) {
    let (policy, account) = (stage::policy(5_000), stage::account());
    let mut desk = Desk::default();
    let mut group = c.benchmark_group("admit");
    let rewritten = Submission { body: None, ..stage::plain() };
    for (name, submission) in [
        ("160 characters", stage::plain()),
        ("160 characters, written anew", rewritten),
        ("400 characters, 3 parts", stage::long()),
        ("70 units of UCS2", stage::ucs2()),
    ] {
        admit(&policy, policy.sender(&account), stage::again(&submission), stage::NOW, &mut desk)
            .expect("admitted");
        group.bench_function(name, |b| {
            b.iter_batched(
                || stage::again(&submission),
                |submission| {
                    admit(black_box(&policy), policy.sender(&account), submission, stage::NOW, &mut desk)
                },
                AT_ONCE,
            );
        });
    }
    group.finish();
}

/// A million numbers that want nothing, a million first sendings, and messages that are all different.
fn filtered(c: &mut Criterion) {
    let mut group = c.benchmark_group("every filter");
    let texts = texts(&mut Draw(3), false);
    for (name, is_filtered) in [("off", false), ("on", true)] {
        let policy = full::policy(is_filtered);
        let account = policy.account(full::SENDER).expect("the sender").clone();
        let mut limits = Limits::empty(4_000_000);
        let mut desk = Desk::default();
        let submission = |n: u64| {
            let text = &texts[(n % texts.len() as u64) as usize];
            let pdu = SubmitSm {
                source: Address::alphanumeric("Tollgate"),
                destination: Address::international(format!("34{:09}", 600_000_000 + n * 7_919 % 99_999_999)),
                short_message: Bytes::copy_from_slice(text.as_bytes()),
                ..SubmitSm::default()
            };
            let body = Some(stage::body(&pdu));
            Submission { pdu, body }
        };
        if is_filtered {
            for n in 0..1_000_000_u64 {
                limits.list(if n % 2 == 0 { full::SENDER.0 } else { 0 }, format!("44{n:010}").as_bytes());
            }
            for n in 0..1_000_000 {
                desk.begin(stage::NOW);
                let admitted = admit(&policy, policy.sender(&account), submission(n), stage::NOW, &mut desk)
                    .expect("admitted");
                limits.take(admitted.claims(), stage::NOW);
            }
        }
        let mut next = 1_000_000;
        // One look at the clock of the zone in a batch of messages, as sessions read them.
        for (batch, size) in [("batches of 16", 16), ("one at a time", 1)] {
            let mut seen = 0_u32;
            group.bench_function(format!("{name}, {batch}"), |b| {
                b.iter_batched(
                    || {
                        next += 1;
                        submission(next)
                    },
                    |submission| {
                        if seen.is_multiple_of(size) {
                            desk.begin(stage::NOW);
                        }
                        seen += 1;
                        let sender = policy.sender(&account);
                        let admitted =
                            admit(&policy, sender, submission, stage::NOW, &mut desk).expect("admitted");
                        limits.check(&admitted, stage::NOW, |_| ()).expect("within the limits");
                        limits.take(admitted.claims(), stage::NOW);
                        admitted
                    },
                    AT_ONCE,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, admission, filtered);
criterion_main!(benches);
