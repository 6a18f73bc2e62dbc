//! Every misbehaviour of `tollgate sim --hostile` in front of the daemon: once the operator behaves again, each message
//! comes to its end.

use std::time::Duration;

use smpp_proto::pdu::BindKind;
use tollgate::sim::hostile::{Hostile, Mode};

use super::good::Good;
use super::house::House;

async fn all_of(share: usize) {
    let house = House::open(1, |_| ()).await;
    for mode in Mode::ALL.iter().copied().skip(share).step_by(SHARES) {
        house.all_bound().await;
        let mut hostile = vec![Hostile { mode, after: 2 }];
        if matches!(mode, Mode::AlreadyBound | Mode::CloseAfterBind | Mode::SilentBind) {
            // Who is bound is thrown out first.
            hostile = vec![Hostile { mode, after: 0 }, Hostile { mode: Mode::Drop, after: 0 }];
        }
        let before = house.operators[0].stats();
        house.behave(&hostile);
        let good = Good::start(house.gate.address, BindKind::Transceiver, 20, 5);
        let served = house.gate.advance_until(Duration::from_millis(500), good.done()).await;
        assert_eq!((served.accepted, served.refused), (20, 0), "{mode:?}");
        // Time for timers of every kind, while it misbehaves.
        for _ in 0..30 {
            house.gate.clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        house.settle(mode.word()).await;
        let after = house.operators[0].stats();
        println!(
            "{}: {} submits for 20 messages, {} accepted, {} binds",
            mode.word(),
            after.submits - before.submits,
            after.accepted - before.accepted,
            after.binds - before.binds
        );
        assert!(after.submits >= before.submits + 20, "{mode:?}: the operator saw all of them");
    }
}

const SHARES: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_an_operator_does_every_message_ends() {
    all_of(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_else_it_does_every_message_ends() {
    all_of(1).await;
}
