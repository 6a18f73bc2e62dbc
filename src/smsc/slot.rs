//! The one owner of a place for a bind: dials, holds, waits, dials again, until it is told to leave.

use std::sync::Arc;
use std::time::Duration;

use smpp_proto::pdu::BindKind;
use smpp_proto::session::Moment;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::bind::{Bound, Lost};
use super::dial::{Backoff, DialError, Dialled, dial, wait_for_call};
use super::roster::{Bind, Phase};
use super::{Order, Shared};

/// Keeps one bind standing. Ends when it is ordered to leave or the store is closed.
pub(super) async fn keep(shared: Arc<Shared>, place: Arc<Bind>, mut orders: watch::Receiver<Order>) {
    let mut backoff = Backoff::new(shared.settings.redial);
    while *orders.borrow_and_update() == Order::Run {
        let is_called = shared.settings.outbind.is_some();
        match is_called {
            true => {
                note(&shared, &place, Phase::Waiting, Some("waits for the operator's outbind".to_owned()));
            }
            false => note(&shared, &place, Phase::Dialling, None),
        }
        let dialled = tokio::select! {
            dialled = reach(&shared, place.kind) => dialled,
            _ = orders.changed() => continue,
        };
        let (pause, reason) = match dialled {
            Ok(dialled) => match hold(&shared, &place, dialled, &orders, &mut backoff).await {
                Some(pause) => pause,
                None => break,
            },
            Err(failure) => {
                let pause = backoff.after_failure(&failure, rand::random());
                complain(&shared, &place, &failure, pause);
                (pause, failure.to_string())
            }
        };
        // The next call may be there already, and its caller does not wait long.
        let pause = if is_called { Duration::ZERO } else { pause };
        let until = Moment(shared.clock.monotonic()) + pause;
        note(&shared, &place, Phase::Waiting, Some(reason));
        tokio::select! {
            () = shared.clock.sleep_until_monotonic(until.0) => {}
            _ = orders.changed() => {}
        }
    }
    note(&shared, &place, Phase::Ended, None);
}

async fn reach(shared: &Shared, kind: BindKind) -> Result<Dialled, DialError> {
    match shared.settings.outbind {
        Some(_) => wait_for_call(&shared.doorbell, &shared.settings, kind, &shared.clock).await,
        None => dial(&shared.settings, kind, &shared.clock).await,
    }
}

/// Works on a bind until it is lost; the pause before the next dial and why, or nothing when there is to be none.
async fn hold(
    shared: &Arc<Shared>,
    place: &Arc<Bind>,
    dialled: Dialled,
    orders: &watch::Receiver<Order>,
    backoff: &mut Backoff,
) -> Option<(Duration, String)> {
    let upstream = &shared.settings.name;
    let (peer, since) = (dialled.link.peer(), shared.clock.monotonic());
    info!(%upstream, bind = %place, %peer, version = %dialled.session.version(), name = %dialled.peer_name, "bound");
    place.connected(peer);
    let figures = shared.metrics.of_bind(&place.to_string());
    figures.bound.set(1);
    let bound = Bound::new(shared, place, dialled, orders.clone());
    note(shared, place, Phase::Bound, None);
    let lost = bound.run().await;
    figures.bound.set(0);
    shared.metrics.lost(lost.word());
    let lived = Duration::from_millis(shared.clock.monotonic().saturating_sub(since));
    match lost {
        Lost::Left | Lost::StoreClosed => {
            info!(%upstream, bind = %place, reason = %lost, "left");
            None
        }
        lost => {
            let pause = backoff.after_loss(lived, rand::random());
            warn!(%upstream, bind = %place, reason = %lost, ?lived, again_in = ?pause, "lost");
            Some((pause, lost.to_string()))
        }
    }
}

fn complain(shared: &Shared, place: &Bind, failure: &DialError, pause: Duration) {
    let upstream = &shared.settings.name;
    shared.metrics.lost(failure.word());
    if failure.needs_a_person() {
        error!(%upstream, bind = %place, reason = %failure, again_in = ?pause, "not bound, and time alone will not mend it");
    } else {
        warn!(%upstream, bind = %place, reason = %failure, again_in = ?pause, "not bound");
    }
}

fn note(shared: &Shared, place: &Bind, phase: Phase, reason: Option<String>) {
    shared.roster.note(&shared.operator, place, phase, reason, shared.clock.now());
}
