//! How a bind ends: requests that time out, unbind from either side, a lost link; and what becomes of what was open.

use std::time::Duration;

use smpp_proto::Pdu;
use smpp_proto::pdu::encode_empty;
use smpp_proto::session::Moment;
use smpp_proto::{CommandId, CommandStatus};

use super::{Bound, Flight, Now};
use crate::link::LinkError;
use crate::message::{Reason, State};
use crate::smsc::roster::Phase;
use crate::smsc::settings::InDoubt;
use crate::store::{Note, Store};

/// A request whose response time is over.
#[derive(Debug)]
pub(super) struct Overdue {
    pub(super) sequence: u32,
    pub(super) until: Moment,
    pub(super) flight: Flight,
}

/// Why a bind stands no more.
#[derive(Debug, thiserror::Error)]
pub(in crate::smsc) enum Lost {
    #[error("we unbound")]
    Left,
    #[error("the operator unbound")]
    Unbound,
    #[error("the operator closed the connection")]
    Closed,
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("enquire_link was not answered")]
    Silent,
    #[error("the operator says that we are not bound (ESME_RINVBNDSTS)")]
    NotBound,
    #[error("the operator could not follow (generic_nack ESME_RINVCMDLEN)")]
    OutOfStep,
    #[error("the store is closed")]
    StoreClosed,
}

impl Lost {
    /// The word in metrics.
    pub(in crate::smsc) const fn word(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Unbound => "unbound",
            Self::Closed => "closed",
            Self::Link(_) => "link",
            Self::Silent => "silent",
            Self::NotBound => "not_bound",
            Self::OutOfStep => "out_of_step",
            Self::StoreClosed => "store_closed",
        }
    }
}

/// How far a bind is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// It is not.
    No,
    /// Nothing is begun any more.
    Finishing { until: Moment, then: Then },
    /// Our unbind is written.
    Unbinding { until: Moment },
}

/// What comes when nothing is open any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Our unbind.
    Unbind,
    /// The answer to the operator's unbind, by its sequence number.
    Answer(u32),
    /// A new bind: the operator does not take us for bound.
    Anew,
}

impl Leave {
    pub(super) fn is_no(self) -> bool {
        self == Self::No
    }

    pub(super) fn is_unbinding(self) -> bool {
        matches!(self, Self::Unbinding { .. })
    }

    pub(super) fn until(self) -> Option<Moment> {
        match self {
            Self::No => None,
            Self::Finishing { until, .. } | Self::Unbinding { until } => Some(until),
        }
    }
}

/// How long the peer may take to close after all was said.
const FAREWELL: Duration = Duration::from_secs(1);

impl Bound {
    /// We are told to leave.
    pub(super) fn begin_drain(&mut self) {
        let until = self.now().moment + self.shared.drain_within;
        self.begin_leaving(until, Then::Unbind);
    }

    /// The operator does not take us for bound: the answers that are under way are awaited, because they say the same.
    pub(super) fn begin_anew(&mut self, now: Now) {
        if self.leave.is_no() {
            self.begin_leaving(now.moment + self.shared.settings.patience.unbind, Then::Anew);
        }
    }

    /// The operator's unbind: what is open is finished first (conformance C-079).
    pub(super) fn asked_to_leave(&mut self, sequence: u32, now: Now) {
        // Behind its own unbind the session lets nothing more pass, so this comes once.
        let _ = self.session.unbind_received();
        if self.leave.is_unbinding() {
            encode_empty(self.link.out(), CommandId::UNBIND_RESP, CommandStatus::ROK, sequence);
            return;
        }
        let until = now.moment + self.shared.settings.patience.unbind;
        self.begin_leaving(until, Then::Answer(sequence));
    }

    fn begin_leaving(&mut self, until: Moment, then: Then) {
        self.leave = Leave::Finishing { until, then };
        let operator = &self.shared.operator;
        self.shared.roster.note(operator, &self.place, Phase::Draining, None, self.shared.clock.now());
        self.returned.extend(self.held.drain(..));
        self.give_back();
    }

    /// Takes the next step out when nothing is open any more, or it has taken too long.
    pub(super) fn step_out(&mut self, now: Now) -> Result<(), Lost> {
        match self.leave {
            Leave::No => Ok(()),
            Leave::Finishing { until, then } => {
                let open = !self.window.is_empty() || !self.overdue.is_empty();
                let owed = self.awaited > 0 || !self.notes.is_empty();
                if (open || owed) && now.moment < until {
                    return Ok(());
                }
                match then {
                    Then::Anew => return Err(Lost::NotBound),
                    Then::Answer(sequence) => {
                        encode_empty(self.link.out(), CommandId::UNBIND_RESP, CommandStatus::ROK, sequence);
                        return Err(Lost::Unbound);
                    }
                    Then::Unbind => self.unbind(),
                }
                self.leave = Leave::Unbinding { until: now.moment + self.shared.settings.patience.unbind };
                Ok(())
            }
            Leave::Unbinding { until } if now.moment >= until => Err(Lost::Left),
            Leave::Unbinding { .. } => Ok(()),
        }
    }

    fn unbind(&mut self) {
        let sequence = self.window.number();
        // An unbind without parameters can always be written; a session that is not bound needs none.
        if self.session.unbind_sent().is_ok() {
            let _ = Pdu::unbind(sequence).encode(self.link.out());
        }
    }

    /// Requests whose response time is over fail alone (conformance C-063): for a while their answer still counts,
    /// then they are in doubt.
    pub(super) fn expire_requests(&mut self, now: Now) {
        let until = now.moment + self.shared.settings.patience.late;
        while let Some((sequence, flight)) = self.window.expire(now.moment) {
            self.overdue.push_back(Overdue { sequence, until, flight });
        }
        let most = usize::from(self.shared.settings.window);
        while self.overdue.front().is_some_and(|overdue| overdue.until <= now.moment)
            || self.overdue.len() > most
        {
            let Some(Overdue { flight, .. }) = self.overdue.pop_front() else { break };
            tracing::warn!(
                upstream = %self.shared.settings.name, bind = %self.place, message = %flight.message.id,
                question = flight.question, "a request was not answered in time"
            );
            self.timers.on_unanswered(now.moment);
            if flight.question {
                // An operator that says nothing to a query knows nothing.
                self.believe_lost(flight.message);
            } else {
                self.doubt(flight, now);
            }
        }
    }

    /// Written, and nobody knows whether it arrived.
    fn doubt(&mut self, flight: Flight, now: Now) {
        let Flight { message, question, .. } = flight;
        if !question {
            self.shared.metrics.in_doubt.inc();
        }
        let policy = self.shared.settings.in_doubt;
        match policy {
            InDoubt::Fail => self.end_rest(&message, State::Rejected, Reason::InDoubt, 0, now),
            InDoubt::Wait => {
                let until = now.at + self.shared.settings.in_doubt_wait;
                self.notes.push(Note::Doubt { message: message.id, until });
            }
            // In the lane it stands as in doubt: whichever bind pulls it next asks before it sends.
            InDoubt::Resend | InDoubt::Query => self.notes.push(Note::Later {
                message: message.id,
                due: now.at,
                upstream: self.shared.id,
                error: 0,
                in_doubt: true,
            }),
        }
    }

    /// Puts everything in its place, tells the store and closes.
    pub(super) async fn finish(mut self, lost: &Lost, store: &Store) {
        let now = self.now();
        while let Some(overdue) = self.overdue.pop_front() {
            self.doubt(overdue.flight, now);
        }
        let open: Vec<Flight> = self.window.drain().map(|(_, flight)| flight).collect();
        for flight in open {
            self.doubt(flight, now);
        }
        self.returned.extend(self.held.drain(..));
        self.returned.extend(self.marking.drain(..));
        self.give_back();
        if !self.notes.is_empty()
            && let Ok(room) = store.room().await
        {
            room.operator(self.batch());
        }
        self.place.show(0, None);
        self.figures.in_flight.set(0);
        self.figures.adapted_rate.set(0);
        match lost {
            Lost::Link(LinkError::Socket(_)) => {}
            Lost::Left | Lost::Unbound | Lost::Closed | Lost::Link(_) => self.link.close(FAREWELL).await,
            Lost::Silent | Lost::NotBound | Lost::OutOfStep | Lost::StoreClosed => {
                self.unbind();
                self.link.close(FAREWELL).await;
            }
        }
    }
}
