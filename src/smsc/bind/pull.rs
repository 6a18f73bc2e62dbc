//! From the lane to the wire: as many messages as window and rate allow, each part after the one before it.

use smpp_proto::pdu::QuerySm;
use smpp_proto::session::{Moment, Traffic};

use super::{Bound, Flight, KEPT_ROOM, Now};
use crate::message::{End, Message, Reason, State};
use crate::policy::{Hindrance, Snapshot};
use crate::smsc::detour;
use crate::smsc::settings::InDoubt;
use crate::smsc::submit::{Submit, Unsendable};
use crate::store::Note;

/// Tags of [`Note::Sending`]; those of deliveries are below.
pub(super) const SENDING: u64 = 1 << 33;

/// A message in doubt is asked about up to so many attempts, then it is sent again: an operator may close the link
/// whenever it sees a query_sm.
const ATTEMPTS_TO_ASK: u16 = 4;

/// What became of an attempt to write.
enum Wrote {
    /// It is on its way.
    Yes,
    /// It ended, or there was nothing to write.
    Over,
    /// There is no room for it yet.
    NotYet(Message),
}

impl Bound {
    /// Writes what waits here, then what waits in the lane.
    pub(super) fn send(&mut self, now: Now) {
        if !self.may_submit(now) {
            return;
        }
        self.needs = 0;
        let policy = self.shared.store.policy();
        let gate = policy.hinders().then_some(&*policy);
        while self.window.room() > 0
            && let Some(message) = self.held.pop_front()
        {
            if self.keeps_back(gate, &message, now) {
                continue;
            }
            if let Wrote::NotYet(message) = self.write(message, now) {
                self.held.push_front(message);
                return;
            }
        }
        let mut pulled = std::mem::take(&mut self.pulled);
        // Again, because what was pulled may have ended instead of taking its place in the window.
        while self.held.is_empty() {
            let room = self.room(now);
            if self.shared.lane.pull(room, &mut pulled) == 0 {
                break;
            }
            for message in pulled.drain(..) {
                if !self.keeps_back(gate, &message, now) {
                    self.place_pulled(message, now);
                }
            }
        }
        self.pulled = pulled;
    }

    /// Whether a message may not leave now; then the store keeps it back.
    fn keeps_back(&mut self, gate: Option<&Snapshot>, message: &Message, now: Now) -> bool {
        let hindrance = gate.and_then(|policy| policy.hindrance(message, now.at));
        let Some(hindrance) = hindrance else { return false };
        let until = match hindrance {
            Hindrance::Suspended => None,
            Hindrance::Closed(until) => Some(until),
        };
        self.notes.push(Note::Held { message: message.id, until });
        true
    }

    /// Whether the loop should wake when the lane does.
    pub(super) fn wants_messages(&mut self, now: Now) -> bool {
        self.may_submit(now) && self.held.is_empty() && self.room(now) > 0
    }

    /// When the rate lets something through again, if it is the rate that holds it up.
    pub(super) fn pace_due(&mut self, now: Now) -> Option<Moment> {
        if !self.place.submits() || !self.leave.is_no() {
            return None;
        }
        if now.moment < self.not_before {
            return Some(self.not_before);
        }
        let waits = self.window.room() > 0 && (self.needs > 0 || self.pace.room(now.moment) == 0);
        let waits = waits.then(|| self.pace.next(self.needs.max(1), now.moment));
        // An adapted rate changes with time; whoever looks at it should see that.
        let shown = self.pace.adapted().map(|_| Moment(now.moment.0 + 1000));
        waits.into_iter().chain(shown).min()
    }

    fn may_submit(&self, now: Now) -> bool {
        self.place.submits()
            && self.leave.is_no()
            && self.notes.is_empty()
            && now.moment >= self.not_before
            && self.awaited < KEPT_ROOM
            && !self.link.is_backlogged()
    }

    /// Messages that may be pulled now.
    fn room(&mut self, now: Now) -> usize {
        let taken = self.marking.len() + self.held.len();
        let window = self.window.room().saturating_sub(taken);
        if window == 0 {
            return 0;
        }
        window.min(usize::try_from(self.pace.room(now.moment)).unwrap_or(usize::MAX).saturating_sub(taken))
    }

    fn place_pulled(&mut self, message: Message, now: Now) {
        let policy = self.shared.settings.in_doubt;
        if message.in_doubt && policy == InDoubt::Fail {
            // Only a restart, or an operator with another policy, can have brought it here in doubt.
            self.end_rest(&message, State::Rejected, Reason::InDoubt, 0, now);
        } else if policy.is_noted() {
            self.mark(message);
        } else if let Wrote::NotYet(message) = self.write(message, now) {
            self.held.push_back(message);
        }
    }

    /// Has it written down that the message is about to go out.
    pub(super) fn mark(&mut self, message: Message) {
        self.notes.push(Note::Sending { message: message.id, tag: SENDING });
        self.tagged = true;
        self.marking.push_back(message);
    }

    /// A mark is durable, or cannot become so. They come back in the order in which they were asked for.
    pub(super) fn marked(&mut self, durable: bool) {
        let Some(message) = self.marking.pop_front() else { return };
        if durable && self.leave.is_no() {
            self.held.push_back(message);
        } else if durable {
            self.returned.push(message);
        } else {
            detour::give_back(&self.shared, message, &mut self.notes);
        }
    }

    fn write(&mut self, message: Message, now: Now) -> Wrote {
        if message.expires <= now.at {
            self.end_rest(&message, State::Expired, Reason::ExpiredInQueue, 0, now);
            return Wrote::Over;
        }
        if message.parts_sent >= message.parts {
            // Its parts are all decided; it waits for receipts only.
            return Wrote::Over;
        }
        let asks = self.shared.settings.in_doubt == InDoubt::Query && message.attempts < ATTEMPTS_TO_ASK;
        if message.in_doubt && asks {
            return self.ask(message, now);
        }
        let submit = match self.dialect.submit(&message, now.at) {
            Ok(submit) => submit,
            Err(why) => return self.unsendable(&message, why, now),
        };
        if !self.pace.take(u32::from(submit.segments), now.moment) {
            self.needs = u32::from(submit.segments);
            return Wrote::NotYet(message);
        }
        let Submit { pdu, part, receipt_expected, .. } = submit;
        let flight = Flight { message, part, receipt_expected, sent: now.moment, question: false };
        let sequence = match self.window.open(flight, now.moment) {
            Ok(sequence) => sequence,
            Err(full) => return Wrote::NotYet(full.0.message),
        };
        if let Err(why) = pdu.encode(self.link.out(), sequence)
            && let Some(flight) = self.window.complete(sequence)
        {
            return self.unsendable(&flight.message, Unsendable::Encode(why), now);
        }
        self.timers.on_sent(Traffic::Transaction, now.moment);
        Wrote::Yes
    }

    /// Asks whether a message in doubt arrived: query_sm without an id, by its source address (SMPP 3.4 §4.8).
    fn ask(&mut self, message: Message, now: Now) -> Wrote {
        let source = match self.dialect.submit(&message, now.at) {
            Ok(submit) => submit.pdu.source,
            Err(why) => return self.unsendable(&message, why, now),
        };
        let part = message.parts_sent + 1;
        let flight = Flight { message, part, receipt_expected: true, sent: now.moment, question: true };
        let sequence = match self.window.open(flight, now.moment) {
            Ok(sequence) => sequence,
            Err(full) => return Wrote::NotYet(full.0.message),
        };
        let query = QuerySm { source, ..QuerySm::default() };
        if query.encode(self.link.out(), sequence).is_err()
            && let Some(flight) = self.window.complete(sequence)
        {
            self.believe_lost(flight.message);
            return Wrote::Over;
        }
        self.timers.on_sent(Traffic::Transaction, now.moment);
        Wrote::Yes
    }

    /// The operator does not know the message: it is sent again from here, without asking twice.
    pub(super) fn believe_lost(&mut self, mut message: Message) {
        message.in_doubt = false;
        self.held.push_front(message);
    }

    fn unsendable(&mut self, message: &Message, why: Unsendable, now: Now) -> Wrote {
        tracing::error!(upstream = %self.shared.settings.name, message = %message.id, %why, "a message cannot be sent");
        self.end_rest(message, State::Rejected, Reason::Unsendable, 0, now);
        Wrote::Over
    }

    /// Ends what of a message no operator has.
    pub(super) fn end_rest(&mut self, message: &Message, state: State, reason: Reason, error: u32, now: Now) {
        detour::end_rest(message, End { state, reason, error, at: now.at }, &mut self.notes);
    }
}
