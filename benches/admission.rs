//! How long one message takes at the gate of policy: fields, text, price and way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod stage;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tollgate::policy::filter::Desk;
use tollgate::policy::{Submission, admit};

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
        admit(&policy, policy.sender(&account), stage::again(&submission), stage::NOW, &mut Desk::default())
            .expect("admitted");
        group.bench_function(name, |b| {
            b.iter_batched(
                || stage::again(&submission),
                |submission| {
                    admit(black_box(&policy), policy.sender(&account), submission, stage::NOW, &mut desk)
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, admission);
criterion_main!(benches);
