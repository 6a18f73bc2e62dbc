//! Section Q, limits and abuse: slow senders, and what a log may never show.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use smpp_proto::pdu::BindKind;
use smpp_proto::{CommandId, CommandStatus};

use crate::support::{Esme, Folder, Gate, Process, Smsc, bind, submit};

const TO: &str = "34600111222";

#[tokio::test(flavor = "multi_thread")]
async fn c_213_octet_by_octet_is_no_way_around_the_time_for_a_pdu() {
    let limit = Duration::from_millis(400);
    let gate = Gate::open(|plan| plan.esme.partial_pdu = limit).await;
    let mut good = gate.bound().await;
    for bound in [false, true] {
        let mut slow = if bound { gate.bound().await } else { Esme::connect(gate.address).await };
        let mut octets = BytesMut::new();
        match bound {
            true => submit(TO, "slowly").encode(&mut octets, 2).unwrap(),
            false => bind("acme", "secret").encode(&mut octets, BindKind::Transceiver, 1).unwrap(),
        }
        let (begun, mut sent) = (Instant::now(), 0);
        // Each octet comes long before the limit; it counts from the first one. The last never comes.
        for octet in octets.iter().take(octets.len() - 1).cycle() {
            if !slow.try_send_raw(&[*octet]).await || begun.elapsed() > limit * 10 {
                break;
            }
            sent += 1;
            tokio::time::sleep(limit / 20).await;
        }
        let took = begun.elapsed();
        assert!(took >= limit && took < limit * 10, "after {took:?} and {sent} octets");
        slow.expect_end().await;
    }
    good.submit(TO, "unharmed").await;
    gate.ends_with("999999", "1");
}

/// What is never to be seen in a log, whatever its level.
const SECRETS: [&str; 5] =
    ["cl1ent-s3cret", "wr0ng-s3cret", "0perator-s3cret", "t00-long-s3cret", "cut-0ff-s3c"];

#[tokio::test(flavor = "multi_thread")]
async fn c_216_no_log_shows_a_password() {
    let log = everything_at("trace").await;
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} is in the log");
        let hex: String = secret.bytes().map(|octet| format!("{octet:02x}")).collect();
        assert!(!log.to_lowercase().contains(&hex), "{secret} is in the log in hexadecimal");
        let list = secret.bytes().map(|octet| octet.to_string()).collect::<Vec<_>>().join(", ");
        assert!(!log.contains(&list), "{secret} is in the log as a list of numbers");
    }
    assert!(log.contains("TRACE"), "there was something to see");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_217_the_dump_shows_octets_and_fields_and_masks_the_password() {
    let log = everything_at("info,tollgate::link::trace=trace").await;
    let line = |what: &[&str]| {
        let found = log.lines().find(|line| what.iter().all(|word| line.contains(word)));
        found.unwrap_or_else(|| panic!("no line with {what:?} in\n{log}")).to_owned()
    };
    // bind_transceiver "acme": 61 63 6d 65 00, then as many stars as octets, and the NUL.
    let masked = |name: &str, secret: &str| format!("{name}00{}00", "**".repeat(secret.len()));
    let bound = line(&["way=\"in\"", "bind_transceiver", &masked("61636d65", SECRETS[0])]);
    assert!(bound.contains("system_id: \"acme\"") && bound.contains("interface_version: 3.4"), "{bound}");
    line(&["way=\"out\"", "bind_transceiver_resp"]);
    // "dumped" in hexadecimal, and its destination as a field.
    line(&["way=\"in\"", "submit_sm", "64756d706564", TO]);
    line(&["way=\"out\"", "bind_transceiver", &format!("6761746500{}00", "**".repeat(SECRETS[2].len()))]);
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} is in the dump");
    }
    let quiet = everything_at("info").await;
    assert!(!quiet.contains("61636d65"), "without the setting nothing is dumped");
}

/// The log of a daemon that was told secrets in every way: right, wrong, too long, cut off, and its own to an operator.
async fn everything_at(filter: &str) -> String {
    let smsc = Smsc::listen().await;
    let folder = Folder::new();
    folder.configure(&config(&smsc.address.to_string(), filter));
    let mut daemon = Process::serve(&folder);
    let address = daemon.ready().await;
    let _link = smsc.bound().await;
    let mut esme = Esme::connect(address).await;
    let answer = esme.bind(BindKind::Transceiver, "acme", SECRETS[1]).await;
    assert_eq!(answer.header.status, CommandStatus::RINVPASWD);
    let answer = esme.bind(BindKind::Transceiver, "acme", SECRETS[0]).await;
    assert_eq!(answer.header.status, CommandStatus::ROK);
    assert_eq!(esme.try_submit(submit(TO, "dumped")).await.0, CommandStatus::ROK);

    let mut odd = Esme::connect(address).await;
    let long = format!("{}{}", SECRETS[3], "x".repeat(300));
    let octets = raw_bind(&[b"acme", long.as_bytes(), b"", b"\x34\0", b""]);
    odd.send_raw(&octets).await;
    odd.expect_command(CommandId::BIND_TRANSCEIVER_RESP).await;
    // A bind that ends within its password.
    let mut octets = raw_bind(&[b"acme", SECRETS[4].as_bytes()]);
    octets.pop();
    let length = u32::try_from(octets.len()).unwrap().to_be_bytes();
    octets[..4].copy_from_slice(&length);
    odd.send_raw(&octets).await;
    odd.expect_command(CommandId::BIND_TRANSCEIVER_RESP).await;
    // An outbind has a password too, and is never in its place.
    let mut octets = raw_bind(&[b"acme", SECRETS[0].as_bytes()]);
    octets[4..8].copy_from_slice(&CommandId::OUTBIND.0.to_be_bytes());
    odd.send_raw(&octets).await;
    odd.expect().await;
    esme.unbind().await;
    daemon.terminate().await;
    std::fs::read_to_string(folder.path("serve.log")).unwrap()
}

/// A bind_transceiver of these C-strings.
fn raw_bind(fields: &[&[u8]]) -> Vec<u8> {
    let mut octets = vec![0; 16];
    octets[7] = 9;
    octets[15] = 77;
    for field in fields {
        octets.extend_from_slice(field);
        octets.push(0);
    }
    let length = u32::try_from(octets.len()).unwrap().to_be_bytes();
    octets[..4].copy_from_slice(&length);
    octets
}

fn config(operator: &str, filter: &str) -> String {
    format!(
        r#"
[store]
path = "gate.db"
[smpp]
listen = ["127.0.0.1:0"]
[admin]
listen = []
[log]
filter = "{filter}"
[[upstream]]
name = "north"
address = "{operator}"
system_id = "gate"
password = "{}"
[[route]]
name = "everywhere"
prefixes = [""]
upstreams = ["north"]
[[price]]
prefix = ""
credits = "1"
[[account]]
name = "acme"
opening_credit = "1000"
[[account.smpp]]
system_id = "acme"
password = "{}"
"#,
        SECRETS[2], SECRETS[0]
    )
}
