//! How long money takes: a grant and a transfer (each a commit on the disk), a balance, and the audit of a full store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod stage;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::account::Credits;
use tollgate::store::{HistorySettings, Reader};

fn books(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let store = runtime.block_on(stage::store(folder.path()));
    let account = |name| store.policy().credential(name).expect("a credential").account;
    let (acme, other) = (account("acme"), account("other"));
    let one = Credits::from_micro(1_000_000);
    c.bench_function("grant", |b| {
        b.iter(|| runtime.block_on(store.credit(acme, one, String::new())).expect("a grant"));
    });
    c.bench_function("transfer there and back", |b| {
        b.iter(|| {
            runtime.block_on(store.transfer(acme, other, one, String::new())).expect("a transfer");
            runtime.block_on(store.transfer(other, acme, one, String::new())).expect("a transfer");
        });
    });
    let reader = Reader::open(&folder.path().join("gate.db"), &HistorySettings::default()).expect("a reader");
    c.bench_function("balance", |b| b.iter(|| reader.account(black_box("acme")).expect("an account")));
    // The entries that the grants left are part of what is audited.
    let mut group = c.benchmark_group("slow");
    group.sample_size(10);
    group.bench_function("audit", |b| b.iter(|| reader.audit().expect("an audit")));
    group.finish();
    runtime.block_on(store.close());
}

criterion_group!(benches, books);
criterion_main!(benches);
