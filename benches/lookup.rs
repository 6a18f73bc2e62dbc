//! How long price, route and numbering plan of a number take to find among prefixes, and a policy to compile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod stage;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::account::AccountId;
use tollgate::policy::Asked;
use tollgate::policy::number::Glance;
use tollgate::policy::number::Plan;

/// Numbers of many beginnings, so that the walk is not always the same.
fn numbers() -> Vec<Vec<u8>> {
    (0..1024_u64).map(|n| (100_000_000_000 + n * 876_543_217).to_string().into_bytes()).collect()
}

fn lookup(c: &mut Criterion) {
    let numbers = numbers();
    for prefixes in [1, 100, 5_000] {
        let policy = stage::policy(prefixes);
        let mut group = c.benchmark_group(format!("{prefixes} prefixes"));
        let mut next = numbers.iter().cycle();
        group.bench_function("price", |b| {
            b.iter(|| {
                let number = black_box(next.next().expect("endless"));
                policy.price(AccountId(1), number, &Glance::default(), stage::NOW)
            });
        });
        group.bench_function("route", |b| {
            b.iter(|| {
                let destination = black_box(next.next().expect("endless"));
                policy
                    .route_to(&Asked { destination, at: stage::NOW, ..Asked::default() })
                    .map(|route| route.id)
            });
        });
        group.bench_function("compile the policy", |b| b.iter(|| stage::policy(black_box(prefixes))));
        group.finish();
    }
}

fn numbering(c: &mut Criterion) {
    let numbers = numbers();
    let mut group = c.benchmark_group("numbering plans");
    let mut next = numbers.iter().cycle();
    let plan = Plan::known();
    group.bench_function("look", |b| b.iter(|| plan.look(black_box(next.next().expect("endless")))));
    let table = include_str!("../src/policy/number/plan.txt");
    group.bench_function("compile", |b| b.iter(|| Plan::parse(black_box(table))));
    group.finish();
}

criterion_group!(benches, lookup, numbering);
criterion_main!(benches);
