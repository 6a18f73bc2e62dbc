//! Messages from phones: to accounts and credentials by number and first word, with the guarantees of receipts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use smpp_proto::field::{COctets, DataCoding, EsmClass};
use smpp_proto::pdu::{BindKind, DeliverSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus};
use support::{Esme, Ways, within};
use tokio::net::TcpListener;
use tollgate::account::{InboundParts, Secret};
use tollgate::esme::Outbind;
use tollgate::store::{AccountDraft, MoRouteDraft, PolicyChange};

const PHONE: &str = "34600000001";

fn mo(number: &str, keyword: Option<&str>, account: &str, credential: Option<&str>) -> MoRouteDraft {
    MoRouteDraft {
        prefixes: vec![number.to_owned()],
        account: account.to_owned(),
        keyword: keyword.map(str::to_owned),
        credential: credential.map(str::to_owned),
    }
}

/// The account "beta" with a credential of its own, and "acme-mo" beside "acme"; passwords as that of "acme".
fn shaped(change: &mut PolicyChange) {
    let acme = change.accounts[0].clone();
    let mut other = acme.credentials[0].clone();
    other.system_id = "beta".to_owned();
    change.accounts.push(AccountDraft { name: "beta".to_owned(), credentials: vec![other], ..acme.clone() });
    let mut second = acme.credentials[0].clone();
    second.system_id = "acme-mo".to_owned();
    change.accounts[0].credentials.push(second);
    change.traffic.as_mut().unwrap().mo_routes = vec![
        mo("22", None, "acme", None),
        mo("22000", Some("win"), "beta", None),
        mo("33000", Some("BET"), "beta", None),
        mo("44000", None, "acme", Some("acme-mo")),
        mo("44000", Some("BETA"), "beta", None),
    ];
}

async fn opened(parts: InboundParts) -> (Ways<1>, Esme) {
    let ways = Ways::<1>::open(|plan| {
        plan.terms.inbound_parts = parts;
        plan.shape = shaped;
    })
    .await;
    let beta = bound(&ways, "beta").await;
    (ways, beta)
}

async fn bound(ways: &Ways<1>, system_id: &str) -> Esme {
    Esme::bound_as(BindKind::Receiver, ways.gate.address, system_id, "secret").await
}

/// The operator hands a message in; it is answered with this status.
async fn comes(ways: &mut Ways<1>, pdu: DeliverSm, status: CommandStatus) {
    let link = &mut ways.links[0];
    let sequence = link.send(Body::DeliverSm(pdu)).await;
    let answer = link.expect_status(CommandId::DELIVER_SM_RESP, status).await;
    assert_eq!(answer.header.sequence, sequence);
}

fn text(to: &str, text: &str) -> DeliverSm {
    DeliverSm {
        source: Address::international(PHONE),
        destination: Address::international(to),
        short_message: text.as_bytes().to_vec().into(),
        ..DeliverSm::default()
    }
}

fn part(to: &str, number: u8, words: &str) -> DeliverSm {
    DeliverSm {
        esm_class: EsmClass(0x40),
        short_message: [&[5, 0, 3, 0x2A, 3, number], words.as_bytes()].concat().into(),
        ..text(to, "")
    }
}

async fn gets(esme: &mut Esme, words: &str) {
    let came = esme.expect_deliver().await;
    assert_eq!(String::from_utf8_lossy(came.user_data()), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_word_decides_on_the_longest_number() {
    let (mut ways, mut beta) = opened(InboundParts::Forward).await;
    let ok = CommandStatus::ROK;
    comes(&mut ways, text("22000", "win 1"), ok).await;
    gets(&mut beta, "win 1").await;
    comes(&mut ways, text("22000", "winner"), ok).await;
    gets(&mut ways.esme, "winner").await;
    comes(&mut ways, text("22111", "WIN"), ok).await;
    gets(&mut ways.esme, "WIN").await;
    let wide = DeliverSm { data_coding: DataCoding::UCS2, ..text("22000", "\0W\0I\0N\0 \x04\x34") };
    comes(&mut ways, wide, ok).await;
    gets(&mut beta, "\0W\0I\0N\0 \x04\x34").await;
    // Without that word nobody ever takes what goes to this number.
    comes(&mut ways, text("33000", "hello"), CommandStatus::RX_R_APPN).await;
    comes(&mut ways, text("33000", "'Bet' 5"), ok).await;
    gets(&mut beta, "'Bet' 5").await;
    comes(&mut ways, text("55000", "WIN"), CommandStatus::RX_R_APPN).await;
    ways.gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_go_where_the_first_word_of_the_whole_leads_in_any_order() {
    for orders in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] {
        for how in [InboundParts::Forward, InboundParts::Join] {
            let (mut ways, mut beta) = opened(how).await;
            for number in orders {
                let words = ["win ", "win a ", "prize"][usize::from(number) - 1];
                comes(&mut ways, part("22000", number, words), CommandStatus::ROK).await;
            }
            match how {
                InboundParts::Join => gets(&mut beta, "win win a prize").await,
                InboundParts::Forward => {
                    for number in 1..=3_u8 {
                        assert_eq!(beta.expect_deliver().await.short_message[5], number);
                    }
                }
            }
            ways.esme.expect_quiet().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_wait_over_a_restart_and_go_on_when_the_last_never_comes() {
    let (mut ways, beta) = opened(InboundParts::Join).await;
    comes(&mut ways, part("22000", 2, "middle"), CommandStatus::ROK).await;
    comes(&mut ways, part("33000", 1, "bet it"), CommandStatus::ROK).await;
    // The first part says that nobody takes it; the others wait for one that does.
    comes(&mut ways, part("33000", 1, "hello"), CommandStatus::RX_R_APPN).await;
    drop(beta);
    let mut ways = ways.restart().await;
    let mut beta = bound(&ways, "beta").await;
    ways.esme.expect_quiet().await;
    ways.gate.clock.advance(Duration::from_secs(3_600));
    assert_eq!(beta.expect_deliver().await.short_message[6..], b"bet it"[..]);
    assert_eq!(ways.esme.expect_deliver().await.short_message[6..], b"middle"[..], "without a first word");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_one_credential_only_its_receivers_get_and_nobody_is_held_up() {
    let (mut ways, mut beta) = opened(InboundParts::Forward).await;
    let ok = CommandStatus::ROK;
    for number in 0..3 {
        comes(&mut ways, text("44000", &format!("own {number}")), ok).await;
        comes(&mut ways, text("22111", &format!("any {number}")), ok).await;
        gets(&mut ways.esme, &format!("any {number}")).await;
    }
    comes(&mut ways, text("44000", "beta now"), ok).await;
    gets(&mut beta, "beta now").await;
    ways.esme.expect_quiet().await;
    assert_eq!(ways.gate.owed(), 3);
    drop(beta);
    // Durable as receipts are: what nobody has taken is there after a start, and what is not answered comes again.
    let mut ways = ways.restart().await;
    let mut own = bound(&ways, "acme-mo").await;
    let (_, first) = own.expect_deliver_unanswered().await;
    assert_eq!(&first.short_message[..], b"own 0");
    own.reset();
    ways.esme.expect_quiet().await;
    let mut own = bound(&ways, "acme-mo").await;
    for number in 0..3 {
        gets(&mut own, &format!("own {number}")).await;
    }
    comes(&mut ways, text("22111", "any"), ok).await;
    let mut others = [&mut own, &mut ways.esme];
    let [own, any] = &mut others;
    within("whoever of both takes it", async {
        tokio::select! {
            came = own.expect_deliver() => came,
            came = any.expect_deliver() => came,
        }
    })
    .await;
    ways.gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_gives_an_address_up_does_so_for_itself() {
    let (mut ways, _beta) = opened(InboundParts::Forward).await;
    let ok = CommandStatus::ROK;
    ways.gate
        .change(|plan| {
            plan.shape = |change| {
                shaped(change);
                let routes = &mut change.traffic.as_mut().unwrap().mo_routes;
                routes.push(mo("44000", Some("ANY"), "acme", None));
            };
        })
        .await;
    comes(&mut ways, text("44000", "own"), ok).await;
    comes(&mut ways, text("44000", "any"), ok).await;
    let (sequence, came) = ways.esme.expect_deliver_unanswered().await;
    assert_eq!(&came.short_message[..], b"any");
    ways.esme.answer_deliver(sequence, CommandStatus::RX_P_APPN).await;
    ways.esme.expect_quiet().await;
    let mut own = bound(&ways, "acme-mo").await;
    gets(&mut own, "own").await;
}

/// The credential "acme-mo" is withdrawn, or is the other account's.
async fn loses_its_credential(ways: &mut Ways<1>, to: Option<usize>) {
    let shape: fn(&mut PolicyChange) = match to {
        None => |change| {
            shaped(change);
            change.accounts[0].credentials.pop();
            change.traffic.as_mut().unwrap().mo_routes[3].credential = None;
        },
        Some(_) => |change| {
            shaped(change);
            let moved = change.accounts[0].credentials.pop().unwrap();
            change.accounts[1].credentials.push(moved);
            change.traffic.as_mut().unwrap().mo_routes[3].credential = None;
        },
    };
    ways.gate.change(|plan| plan.shape = shape).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_for_a_credential_that_its_account_loses_anybody_of_the_account_gets() {
    for (to, restarts) in [(None, false), (None, true), (Some(1), false), (Some(1), true)] {
        let (mut ways, beta) = opened(InboundParts::Forward).await;
        for number in 0..3 {
            comes(&mut ways, text("44000", &format!("own {number}")), CommandStatus::ROK).await;
        }
        ways.esme.expect_quiet().await;
        drop(beta);
        if restarts {
            // Then it waits in the store alone.
            ways = ways.restart().await;
        }
        loses_its_credential(&mut ways, to).await;
        for number in 0..3 {
            gets(&mut ways.esme, &format!("own {number}")).await;
        }
        ways.esme.expect_quiet().await;
        assert_eq!(ways.gate.owed(), 0);
        ways.gate.books_hold();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_credential_had_and_did_not_answer_anybody_gets_later() {
    let (mut ways, _beta) = opened(InboundParts::Forward).await;
    let mut own = bound(&ways, "acme-mo").await;
    comes(&mut ways, text("44000", "own"), CommandStatus::ROK).await;
    own.expect_deliver_unanswered().await;
    loses_its_credential(&mut ways, None).await;
    own.reset();
    ways.gate.advance_until(Duration::from_secs(30), gets(&mut ways.esme, "own")).await;
    assert_eq!(ways.gate.owed(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_come_by_itself_is_called_for_what_is_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut ways = Ways::<1>::open(|plan| {
        plan.shape = shaped;
        plan.esme.outbinds = vec![Outbind {
            credential: "acme-mo".to_owned(),
            address,
            system_id: "gate".to_owned(),
            password: Secret::new("secret"),
            pause: Outbind::PAUSE,
            longest_pause: Outbind::LONGEST_PAUSE,
        }];
    })
    .await;
    comes(&mut ways, text("44000", "own"), CommandStatus::ROK).await;
    // Somebody of the account is bound; what is for the other credential does not wait for that one to go.
    let (mut own, outbind) = ways.gate.advance_until(Duration::from_secs(1), Esme::called(&listener)).await;
    assert_eq!(outbind.system_id, COctets::from("gate"));
    let answer = own.bind(BindKind::Receiver, "acme-mo", "secret").await;
    assert_eq!(answer.header.status, CommandStatus::ROK);
    gets(&mut own, "own").await;
}
