//! What the small benches stand on: a policy with thousands of prefixes, messages to admit, a store with an account.

#![allow(dead_code, unreachable_pub, reason = "each bench takes what it needs")]

pub mod full;
pub mod rules;

use std::path::Path;

use bytes::{Bytes, BytesMut};
use smpp_proto::Header;
use smpp_proto::field::{Address, DataCoding, RegisteredDelivery, Tag, Tlv};
use smpp_proto::pdu::SubmitSm;
use tollgate::account::{Account, AccountId, Credits, Origin, Terms};
use tollgate::clock::{Clock, Timestamp};
use tollgate::config;
use tollgate::message::{RouteId, UpstreamId};
use tollgate::policy::{Price, Route, Snapshot, SnapshotParts, Submission, WayTo};
use tollgate::store::{Settings, Store};

/// A moment for everything that is told the time.
pub const NOW: Timestamp = Timestamp::from_millis(1_763_650_000_000);

/// A price and a route for each of so many prefixes of three to seven digits, and one of each for every number.
pub fn policy(prefixes: u32) -> Snapshot {
    let digits = (0..prefixes).map(|n| (100 + n * 7919 % 9_999_900).to_string());
    let prefixes: Vec<String> = std::iter::once(String::new()).chain(digits).collect();
    let prices =
        prefixes.iter().zip(1..).map(|(prefix, micro)| Price::of(prefix, Credits::from_micro(micro)));
    let routes = prefixes.chunks(100).zip(1..).map(|(prefixes, number)| Route {
        id: RouteId(number),
        name: format!("route {number}"),
        prefixes: prefixes.to_vec(),
        ways: vec![WayTo { upstream: UpstreamId(number), weight: 1, cost: None }],
        ..Route::default()
    });
    let parts = SnapshotParts {
        // Whoever is not in the policy counts as suspended.
        accounts: vec![account()],
        prices: prices.collect(),
        routes: routes.collect(),
        ..Default::default()
    };
    Snapshot::compile(parts).expect("prefixes are digits")
}

/// Who sends.
pub fn account() -> Account {
    Account {
        id: AccountId(1),
        name: "acme".to_owned(),
        parent: None,
        suspended: false,
        origin: Origin::File,
        terms: Terms::default(),
    }
}

/// A message of 160 characters in one part.
pub fn plain() -> Submission {
    submission(SubmitSm { short_message: Bytes::from(vec![b'x'; 160]), ..message() })
}

/// A message of 400 characters in message_payload: three parts.
pub fn long() -> Submission {
    let payload = Tlv::new(Tag::MESSAGE_PAYLOAD, Bytes::from(vec![b'x'; 400]));
    submission(SubmitSm { tlvs: vec![payload].into(), ..message() })
}

/// A message of 70 UTF-16 units in one part.
pub fn ucs2() -> Submission {
    let short_message = Bytes::from([0x04, 0x16].repeat(70));
    submission(SubmitSm { data_coding: DataCoding::UCS2, short_message, ..message() })
}

/// The same submission once more, as if it were read from a socket again.
pub fn again(submission: &Submission) -> Submission {
    Submission { pdu: submission.pdu.clone(), body: submission.body.clone() }
}

/// The octets of a submit_sm behind its header.
pub fn body(pdu: &SubmitSm) -> Bytes {
    let mut out = BytesMut::new();
    pdu.encode(&mut out, 1).expect("fields that fit");
    out.split_off(Header::LENGTH).freeze()
}

fn message() -> SubmitSm {
    SubmitSm {
        source: Address::alphanumeric("Tollgate"),
        destination: Address::international("447700900123"),
        registered_delivery: RegisteredDelivery::RECEIPT,
        ..SubmitSm::default()
    }
}

fn submission(pdu: SubmitSm) -> Submission {
    let body = Some(body(&pdu));
    Submission { pdu, body }
}

/// Opens a store in `folder` with the account and credential `acme` and the operator `north`.
pub async fn store(folder: &Path) -> Store {
    let file = folder.join("tollgate.toml");
    std::fs::write(&file, CONFIG).expect("a file");
    let config =
        config::load(&file, &config::process_environment).unwrap_or_else(|problems| panic!("{problems}"));
    let store = Store::open(Settings::at(folder.join("gate.db")), Clock::system()).expect("a store");
    let change = config::policy_change(&config.policy, &store.policy()).await.expect("a policy");
    store.apply(change).await.expect("a policy that suits the store");
    store
}

const CONFIG: &str = r#"
[store]
path = "gate.db"
[smpp]
listen = ["127.0.0.1:0"]
[[upstream]]
name = "north"
address = "127.0.0.1:1"
system_id = "gate"
password = "secret"
[[route]]
name = "everywhere"
prefixes = [""]
upstreams = ["north"]
[[price]]
prefix = ""
credits = "1"
[[account]]
name = "acme"
opening_credit = "1000000000"
max_queued = 100000000
[[account.smpp]]
system_id = "acme"
password = "secret"
[[account]]
name = "other"
opening_credit = "1000000000"
[[account.smpp]]
system_id = "other"
password = "secret"
"#;
