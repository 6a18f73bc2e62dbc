//! Section F, close and failure: unbind from either side, broken connections, a stop and a kill, and the way back.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::BytesMut;
use smpp_proto::pdu::BindKind;
use smpp_proto::{Body, CommandId, CommandStatus};
use tollgate::smsc::{Phase, Upstream};
use tollgate::store::{HistorySettings, Reader, Search};

use crate::support::{
    Binds, Esme, Folder, Gate, Logs, Process, Smsc, SmscLink, submit, upstream, vector_numbered, within,
};

const TO: &str = "34600111222";
const SECOND: Duration = Duration::from_secs(1);

async fn with_operator(change: impl FnOnce(&mut Upstream)) -> (Smsc, Gate, SmscLink) {
    let smsc = Smsc::listen().await;
    let mut north = upstream("north", &smsc);
    change(&mut north);
    let gate = Gate::open(|plan| plan.upstreams = vec![north]).await;
    let link = smsc.bound().await;
    (smsc, gate, link)
}

#[tokio::test(flavor = "multi_thread")]
async fn c_080_behind_our_unbind_nothing_is_begun_and_everything_is_answered() {
    let (_smsc, mut gate, mut link) = with_operator(|_| ()).await;
    let (mut polite, mut mute) = (gate.bound().await, gate.bound().await);
    let id = polite.submit(TO, "before").await;
    let (sequence, pdu) = link.expect_submit().await;
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(&id, "sent").await;

    let clients = gate.running.take().unwrap();
    let drained = tokio::spawn(clients.drain(Duration::from_secs(300)));
    let unbind = polite.expect_command(CommandId::UNBIND).await;
    mute.expect_command(CommandId::UNBIND).await;
    // A receipt comes in: it is kept, and goes to neither of them.
    let receipt = link.send_receipt(&pdu, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(receipt).await;
    polite.expect_quiet().await;
    assert_eq!(gate.owed(), 1);
    // What the client still asks is answered.
    assert_eq!(polite.try_submit(submit(TO, "behind it")).await.0, CommandStatus::ROK);
    polite.send_empty(CommandId::UNBIND_RESP, CommandStatus::ROK, unbind.header.sequence).await;
    polite.expect_closed().await;
    // Who does not answer is closed after the response time, and not before.
    gate.clock.advance(Duration::from_secs(59));
    mute.expect_quiet().await;
    gate.advance_until(SECOND, mute.expect_closed()).await;
    within("the drain", drained).await.unwrap();

    // Towards the operator: a delivery behind our unbind is answered, a submit does not come.
    let (behind, _) = link.expect_submit().await;
    let operators = gate.binds.take().unwrap();
    let drained = tokio::spawn(operators.drain());
    link.expect_quiet().await;
    link.accept_submit(behind, "op-2").await;
    let unbind = link.expect_command(CommandId::UNBIND).await;
    let mo = link.send_mo("34699000111", "22000", "late").await;
    link.expect_delivered(mo).await;
    link.send_empty(CommandId::UNBIND_RESP, CommandStatus::ROK, unbind.header.sequence).await;
    link.expect_closed().await;
    within("the drain", drained).await.unwrap();
    gate.ends_with("999998", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_081_an_unbind_resp_with_an_error_ends_the_session_too() {
    let (_smsc, mut gate, mut link) = with_operator(|_| ()).await;
    let mut esme = gate.bound().await;
    let (clients, operators) = (gate.running.take().unwrap(), gate.binds.take().unwrap());
    let drained = tokio::spawn(async move {
        clients.drain(Duration::from_secs(300)).await;
        operators.drain().await;
    });
    for peer in [&mut *esme, &mut *link] {
        let unbind = peer.expect_command(CommandId::UNBIND).await;
        // V-024 says ESME_RSYSERR.
        peer.send_raw(&vector_numbered("V-024", unbind.header.sequence)).await;
        peer.expect_closed().await;
    }
    // The clock stands still: nobody waited for anything else.
    within("the drain", drained).await.unwrap();
    gate.ends_with("1000000", "0");
}

/// On one thread, so that the log can be read.
#[tokio::test]
async fn c_083_a_reset_leaves_whole_messages_and_the_log_says_which() {
    let logs = Logs::listen("info");
    let mut gate = Gate::open(|_| {}).await;
    let mut octets = BytesMut::new();
    for sequence in 1..=40 {
        submit(TO, "whole").encode(&mut octets, sequence).unwrap();
    }
    for cut in [octets.len(), octets.len() / 2 + 7, octets.len() - 1, 30] {
        let mut esme = gate.bound().await;
        esme.send_raw(&octets[..cut]).await;
        if cut > 1_000 {
            // The daemon is at it.
            esme.expect_readable().await;
        }
        esme.reset();
        gate.binds_are(0).await;
    }
    // A session whose client has gone still waits for what the store makes of its last batch.
    let running = gate.running.take().expect("it runs");
    within("the last sessions", running.drain(Duration::from_secs(60))).await;
    let reader = gate.store.reader().unwrap();
    let (mut stored, mut accepted) = (Vec::new(), BTreeSet::new());
    let told = within("a log that accounts for everything", async {
        loop {
            stored = reader.search(&Search { most: 1_000, ..Search::default() }).unwrap();
            accepted =
                logs.with("what the client no longer heard").iter().flat_map(|line| ids_in(line)).collect();
            if stored.len() == heard_in(&logs) + accepted.len() && gate.store.try_room().is_some() {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    told.await;
    for id in &accepted {
        assert!(stored.iter().any(|message| message.message_id == *id), "{id} is in the log and not stored");
    }
    assert!(stored.iter().all(|message| message.parts == 1 && message.state == "ready"));
    gate.ends_with(&(1_000_000 - stored.len()).to_string(), &stored.len().to_string());
}

/// How many submissions clients heard to be accepted.
fn heard_in(logs: &Logs) -> usize {
    let count = |line: &String| line.split("accepted=").nth(1)?.split(' ').next()?.parse::<usize>().ok();
    logs.with(": unbound ").iter().filter_map(count).sum()
}

/// The messages that a line names.
fn ids_in(line: &str) -> Vec<String> {
    let named = line.split("messages=").nth(1).expect("messages");
    named.trim_matches('"').split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// The same at random instants and under load is in `tests/crash.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn c_085_what_was_answered_before_a_kill_is_there_after_it() {
    let folder = Folder::new();
    folder.configure(CONFIG);
    let mut daemon = Process::serve(&folder);
    let mut esme = Esme::bound(daemon.ready().await, "acme", "secret").await;
    let mut octets = BytesMut::new();
    for sequence in 1..=200 {
        submit(TO, "answered or not").encode(&mut octets, sequence).unwrap();
    }
    esme.send_raw(&octets).await;
    let mut answered = Vec::new();
    for _ in 0..60 {
        let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
        let Body::SubmitSmResp(resp) = answer.body() else { panic!("{answer:?}") };
        answered.push(resp.message_id.expect("an id").to_text().into_owned());
    }
    daemon.kill();
    let mut daemon = Process::serve(&folder);
    let mut esme = Esme::bound(daemon.ready().await, "acme", "secret").await;
    let reader = Reader::open(&folder.path("gate.db"), &HistorySettings::default()).unwrap();
    for id in &answered {
        let trace = reader.trace(id.parse().unwrap()).expect("what was answered is stored");
        assert!(["ready", "queued"].contains(&trace.state) && trace.parts == 1, "{trace:?}");
    }
    let stored = reader.search(&Search { most: 1_000, ..Search::default() }).unwrap();
    assert!((60..=200).contains(&stored.len()), "{}", stored.len());
    let balance = reader.account("acme").unwrap().balance;
    assert_eq!(balance.held.to_string(), stored.len().to_string());
    esme.submit(TO, "and on").await;
    daemon.terminate().await;
    assert!(reader.audit().unwrap().iter().all(|line| line.holds));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_086_a_lost_operator_is_dialled_again_after_a_pause_that_grows_with_chance() {
    let smsc = Smsc::listen().await;
    let mut north = upstream("north", &smsc);
    north.redial.longest = Duration::from_secs(12);
    let gate = Binds::with(vec![north]).await;
    let mut link = smsc.bound().await;
    let id = gate.send("34600000001").await;
    link.expect_submit().await;
    let mut pauses = Vec::new();
    for _ in 0..5 {
        drop(link);
        gate.bind_is("north", Phase::Waiting).await;
        let lost = gate.clock.monotonic();
        link = dialled_again(&gate, &smsc).await;
        pauses.push(gate.clock.monotonic() - lost);
        let (sequence, kind, _) = link.expect_bind().await;
        link.accept_bind(sequence, kind).await;
        gate.bind_is("north", Phase::Bound).await;
        // What was not answered goes by the policy for doubts: here it comes again.
        link.expect_submit().await;
    }
    // Whole pauses of 4, 8, 12, 12 and 12 s, of which chance takes up to half; looked at every half second.
    for (pause, whole) in pauses.iter().zip([4_000, 8_000, 12_000, 12_000, 12_000]) {
        assert!((whole / 2..=whole + 1_000).contains(pause), "{pauses:?}");
    }
    gate.reaches(id, "ready").await;
    assert!(gate.store.reader().unwrap().trace(id).unwrap().in_doubt);

    // Many binds that are lost together do not come back together.
    let smsc = Smsc::listen().await;
    let mut south = upstream("south", &smsc);
    south.connections = 8;
    let gate = Binds::with(vec![south]).await;
    let mut links = Vec::new();
    for _ in 0..8 {
        links.push(smsc.bound().await);
    }
    drop(links);
    within("eight lost binds", async {
        while gate.view("south").binds.iter().any(|bind| bind.phase != Phase::Waiting) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut back = Vec::new();
    let mut links = Vec::new();
    while links.len() < 8 {
        links.push(dialled_again(&gate, &smsc).await);
        back.push(gate.clock.monotonic());
    }
    let different: BTreeSet<_> = back.iter().collect();
    assert!(different.len() > 1, "all at once: {back:?}");
    assert!(back.iter().all(|at| (2_000..=5_000).contains(at)), "{back:?}");
}

/// Moves the clock until the operator has a new connection.
async fn dialled_again(gate: &Binds, smsc: &Smsc) -> SmscLink {
    let step = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            gate.clock.advance(Duration::from_millis(500));
        }
    };
    tokio::select! {
        link = smsc.accept() => link,
        () = step => unreachable!("it steps for ever"),
    }
}

/// On one thread, so that the log can be read.
#[tokio::test]
async fn c_087_refused_credentials_are_an_alarm_and_no_reason_to_hurry() {
    let logs = Logs::listen("error");
    let smsc = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &smsc)]).await;
    let mut at = Vec::new();
    for status in [CommandStatus::RINVPASWD, CommandStatus::RBINDFAIL, CommandStatus::RINVSYSID] {
        let mut link = dialled_again(&gate, &smsc).await;
        at.push(gate.clock.monotonic());
        let (sequence, kind, _) = link.expect_bind().await;
        link.refuse_bind(sequence, kind, status).await;
        link.expect_closed().await;
        gate.bind_is("north", Phase::Waiting).await;
        let reason = gate.view("north").binds[0].reason.clone();
        assert!(reason.contains(&status.to_string()), "{reason}");
    }
    // 60 s, then 120 s, of which chance takes up to half.
    assert!((30_000..=62_000).contains(&(at[1] - at[0])), "{at:?}");
    assert!((60_000..=122_000).contains(&(at[2] - at[1])), "{at:?}");
    let alarms = logs.with("time alone will not mend it");
    assert_eq!(alarms.len(), 3, "{}", logs.text());
    assert!(alarms.iter().all(|line| line.contains("ERROR") && line.contains("north")));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_088_what_a_lost_session_asked_is_answered_on_no_other() {
    let (smsc, gate, mut link) = with_operator(|_| ()).await;
    let mut esme = gate.bound().await;
    esme.submit(TO, "answered").await;
    let (sequence, first) = link.expect_submit().await;
    link.accept_submit(sequence, "op-1").await;
    let mut octets = BytesMut::new();
    for sequence in 501..=540 {
        submit(TO, "x").encode(&mut octets, sequence).unwrap();
    }
    esme.send_raw(&octets).await;
    esme.reset();
    let mut other = gate.bound().await;
    gate.binds_are(1).await;
    // Nothing but its own answer comes to the next session, and its numbers begin where it wants.
    other.expect_quiet().await;
    assert_eq!(other.try_submit(submit(TO, "its own")).await.0, CommandStatus::ROK);
    other.expect_quiet().await;

    // A delivery of an operator whose link is lost at once is taken, and not answered on the next link.
    link.send_receipt(&first, "op-1", "DELIVRD", 2).await;
    drop(link);
    let mut link = gate.advance_until(SECOND, smsc.bound()).await;
    let enquiry = link.next_sequence();
    link.send_empty(CommandId::ENQUIRE_LINK, CommandStatus::ROK, enquiry).await;
    loop {
        let incoming = link.expect().await;
        match incoming.header.command {
            CommandId::SUBMIT_SM => {}
            CommandId::ENQUIRE_LINK_RESP => break,
            other => panic!("{other} on a link that asked nothing"),
        }
    }
    // An answer of a client on another session than the one that was asked counts for nothing.
    gate.advance_until(SECOND, async {
        let (sequence, _) = other.expect_deliver_unanswered().await;
        let mut third = gate.bound_as(BindKind::Transmitter).await;
        third.answer_deliver(sequence, CommandStatus::RX_R_APPN).await;
        third.expect_quiet().await;
        other.answer_deliver(sequence, CommandStatus::ROK).await;
    })
    .await;
    other.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    gate.books_hold();
}

const CONFIG: &str = r#"
[store]
path = "gate.db"
[smpp]
listen = ["127.0.0.1:0"]
[admin]
listen = []
[log]
filter = "warn"
[[upstream]]
name = "nobody"
address = "127.0.0.1:9"
system_id = "gate"
password = "secret"
[[route]]
name = "everywhere"
prefixes = [""]
upstreams = ["nobody"]
[[price]]
prefix = ""
credits = "1"
[[account]]
name = "acme"
opening_credit = "1000"
[[account.smpp]]
system_id = "acme"
password = "secret"
"#;
