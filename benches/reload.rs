//! A reload of ten thousand accounts: reading the file, comparing with the store, writing, compiling. Goal: under 1 s.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot run fails by panicking")]

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::sync::Mutex;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::account::{PasswordHash, Secret};
use tollgate::clock::Clock;
use tollgate::config::{self, Config};
use tollgate::store::{Settings, Store};

/// That of the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ACCOUNTS: usize = 10_000;
const PRICES: usize = 5_000;

/// A configuration with so many accounts, each with filters and a credential; `changed` gives the last one another limit.
fn text(hash: &str, changed: usize) -> String {
    let mut out = "[store]\npath = \"gate.db\"\n[smpp]\nlisten = [\"127.0.0.1:0\"]\n[admin]\nlisten = []\n\
         [[upstream]]\nname = \"north\"\naddress = \"127.0.0.1:9\"\nsystem_id = \"g\"\npassword = \"s\"\n\
         [[route]]\nname = \"all\"\nprefixes = [\"\"]\nupstreams = [\"north\"]\n\
         [[price]]\nprefix = \"\"\ncredits = \"1\"\n"
        .to_owned();
    for n in 1..PRICES {
        write!(out, "[[price]]\nprefix = \"{}\"\ncredits = \"0.{:04}\"\n", 10_000 + n, n).unwrap();
    }
    for n in 0..ACCOUNTS {
        let most = if n + 1 == ACCOUNTS { 1_000 + changed } else { 1_000 };
        write!(
            out,
            "[[account]]\nname = \"account-{n}\"\nopening_credit = \"100\"\n[account.filters]\n\
             duplicate = {{ window = \"60m\" }}\nmax_per_day = {most}\nsenders = [\"ACME\", \"34600{n}\"]\n\
             countries = [\"ES\", \"GB\", \"FR\"]\n[[account.smpp]]\nsystem_id = \"a{n}\"\n\
             password_hash = \"{hash}\"\nallowed_ips = [\"127.0.0.0/8\"]\n",
        )
        .unwrap();
    }
    out
}

fn load(file: &Path) -> Config {
    config::load(file, &|_| None).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn reload(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tollgate.toml");
    let hash = PasswordHash::of(&Secret::new("secret")).unwrap();
    let write = |changed| std::fs::write(&file, text(hash.as_str(), changed)).unwrap();
    write(0);
    let config = load(&file);
    let store = Store::open(Settings::at(folder.path().join("gate.db")), Clock::system()).unwrap();
    let proofs = Mutex::default();
    let apply = |config: &Config| runtime.block_on(config::apply(&store, &config.policy, &proofs)).unwrap();
    let begun = std::time::Instant::now();
    apply(&config);
    eprintln!("the first time: {:?}", begun.elapsed());

    let mut group = c.benchmark_group("reload/10000");
    group.sample_size(10);
    group.bench_function("read the file", |b| b.iter(|| black_box(load(&file))));
    let read = || store.reader().unwrap().stored_policy().unwrap();
    group.bench_function("read the store", |b| b.iter(|| black_box(read())));
    let stored = read();
    let wanted =
        runtime.block_on(config::policy_change_knowing(&config.policy, &stored.passwords(), &proofs));
    let wanted = wanted.unwrap();
    group.bench_function("compare", |b| b.iter(|| black_box(config::compare(&stored, &wanted).unwrap())));
    group.bench_function("write and compile", |b| {
        b.iter(|| runtime.block_on(store.apply(wanted.clone())).unwrap());
    });
    group.bench_function("apply, nothing changed", |b| b.iter(|| assert!(apply(&config).changes.is_empty())));
    let mut changed = 0;
    group.bench_function("all of it, one changed", |b| {
        b.iter_batched(
            || {
                changed += 1;
                write(changed);
            },
            |()| assert_eq!(apply(&load(&file)).changes.len(), 1),
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
    runtime.block_on(store.close());
}

criterion_group!(benches, reload);
criterion_main!(benches);
