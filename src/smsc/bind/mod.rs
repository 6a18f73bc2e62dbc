//! One bind while it stands: a single task that owns its link and does everything on it.
//!
//! It does not know how it was dialled and what comes after it. Per turn of its loop it cuts all PDUs that one read
//! brought, hands what they mean to the store as one batch, pulls as many messages as window and rate allow, and
//! leaves all answers and submits to one write.

mod alarm;
mod answer;
mod arrival;
mod forgive;
pub(super) mod known;
mod leave;
pub(super) mod objections;
pub(super) mod pace;
mod pull;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use smpp_proto::pdu::{Quirks, encode_empty};
use smpp_proto::session::{Event, Moment, Session, Timers, TimersSettings, Traffic, Window, WindowSettings};
use smpp_proto::{CommandId, CommandStatus};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use self::alarm::Alarm;
pub(super) use self::leave::Lost;
use self::leave::{Leave, Overdue};
use self::pace::Pace;
use super::deliver::Reading;
use super::dial::Dialled;
use super::metrics::BindMetrics;
use super::roster;
use super::submit::Dialect;
use super::{Order, Shared, detour};
use crate::clock::Timestamp;
use crate::link::{Io, Link};
use crate::message::Message;
use crate::store::{Kept, Note, OperatorBatch, Store};

/// A bind that stands.
pub(super) struct Bound {
    shared: Arc<Shared>,
    place: Arc<roster::Bind>,
    figures: BindMetrics,
    link: Link,
    session: Session,
    timers: Timers,
    dialect: Dialect,
    reading: Reading,
    /// What was forgiven the operator on this bind, and is known to the log.
    told: Quirks,
    pace: Pace,
    window: Window<Flight>,
    /// Requests whose response time is over and whose answer would still count.
    overdue: VecDeque<Overdue>,
    /// Messages that wait here for room in the window or the rate, oldest first.
    held: VecDeque<Message>,
    /// Messages that wait until it is durable that they are about to be written.
    marking: VecDeque<Message>,
    /// Messages on their way back to the lane.
    returned: Vec<Message>,
    pulled: Vec<Message>,
    /// What the store must hear, in the order in which it happened.
    notes: Vec<Note>,
    /// Whether one of them has a tag.
    tagged: bool,
    keep: mpsc::Sender<Kept>,
    kept: mpsc::Receiver<Kept>,
    /// Batches under way whose tags will come back.
    awaited: usize,
    /// No pull before this: the store could not write.
    not_before: Moment,
    /// Segments that the first of `held` needs of the rate; 0 when nothing waits for it.
    needs: u32,
    leave: Leave,
    /// The peer has closed its side.
    closed: bool,
    orders: watch::Receiver<Order>,
}

/// A request without its answer.
#[derive(Debug)]
struct Flight {
    message: Message,
    /// Which part, from 1; 0 when it carries all of them.
    part: u8,
    receipt_expected: bool,
    sent: Moment,
    /// A query_sm that asks whether the message arrived before.
    question: bool,
}

/// The present, on both clocks.
#[derive(Clone, Copy, Debug)]
struct Now {
    moment: Moment,
    at: Timestamp,
}

/// Batches with tags that may be under way; then the bind stops reading.
const KEPT_ROOM: usize = 64;
/// How long after a write was begun its link is looked at.
const STALL_LOOK: Duration = Duration::from_secs(5);

impl Bound {
    pub(super) fn new(
        shared: &Arc<Shared>,
        place: &Arc<roster::Bind>,
        dialled: Dialled,
        mut orders: watch::Receiver<Order>,
    ) -> Self {
        // An order that came while it was dialled is heard at once.
        orders.mark_changed();
        let settings = &shared.settings;
        let moment = Moment(shared.clock.monotonic());
        let timers = TimersSettings {
            enquire_link: settings.patience.enquire_link,
            response: settings.patience.response,
            ..TimersSettings::default()
        };
        let mut timers = Timers::new(timers, moment);
        timers.on_bound(moment);
        let (keep, kept) = mpsc::channel(KEPT_ROOM);
        let window = WindowSettings { size: settings.window, response: settings.patience.response };
        let mut bound = Self {
            figures: shared.metrics.of_bind(&place.to_string()),
            dialect: Dialect::new(settings, dialled.session.version()),
            reading: Reading::new(settings),
            told: Quirks::NONE,
            pace: Pace::new(shared.agreed.clone()),
            shared: Arc::clone(shared),
            place: Arc::clone(place),
            link: dialled.link,
            session: dialled.session,
            timers,
            window: Window::new(window),
            overdue: VecDeque::new(),
            held: VecDeque::new(),
            marking: VecDeque::new(),
            returned: Vec::new(),
            pulled: Vec::new(),
            notes: Vec::new(),
            tagged: false,
            keep,
            kept,
            awaited: 0,
            not_before: Moment(0),
            needs: 0,
            leave: Leave::No,
            closed: false,
            orders,
        };
        let (header, met) = dialled.told;
        bound.forgave(met, &header);
        bound
    }

    /// Works until the bind is lost or left, puts everything in its place, and says why.
    pub(super) async fn run(mut self) -> Lost {
        let store = self.shared.store.clone();
        let lost = self.work(&store).await;
        self.finish(&lost, &store).await;
        lost
    }

    async fn work(&mut self, store: &Store) -> Lost {
        let lane = Arc::clone(&self.shared.lane);
        let mut alarm = Alarm::new(self.shared.clock.clone());
        loop {
            let woken = lane.woken();
            let now = self.now();
            if let Err(lost) = self.turn(now, store) {
                return lost;
            }
            let (reads, pulls) = (self.wants_input(), self.wants_messages(now));
            alarm.set(self.next_due(now));
            // A stall begins with a write that is only tried while we wait.
            let stalls = || self.link.wants_write().then(|| Instant::now() + STALL_LOOK);
            let limit = self.link.deadline().or_else(stalls);
            tokio::select! {
                io = self.link.io(reads) => match io {
                    Ok(Io::Moved { .. }) => {}
                    Ok(Io::Closed) => self.closed = true,
                    Err(error) => return Lost::Link(error),
                },
                Some(kept) = self.kept.recv() => self.durable(kept),
                room = store.room(), if !self.notes.is_empty() => match room {
                    Ok(room) => room.operator(self.batch()),
                    Err(_) => return Lost::StoreClosed,
                },
                () = woken, if pulls => {}
                () = alarm.ring() => {}
                ordered = self.orders.changed(), if self.leave.is_no() => {
                    if ordered.is_err() || *self.orders.borrow() != Order::Run {
                        self.begin_drain();
                    }
                }
                () = sleep_until(limit.unwrap_or_else(Instant::now)), if limit.is_some() => {
                    if let Err(error) = self.link.check_limits(Instant::now()) {
                        return Lost::Link(error);
                    }
                }
            }
        }
    }

    /// Everything that can be done now.
    fn turn(&mut self, now: Now, store: &Store) -> Result<(), Lost> {
        let read = self.read(now);
        self.give_back();
        read?;
        if self.closed {
            return Err(Lost::Closed);
        }
        self.ring(now)?;
        self.hand_in(store);
        self.send(now);
        self.step_out(now)?;
        self.hand_in(store);
        let adapted = self.pace.adapted();
        self.place.show(self.window.len(), adapted);
        self.figures.in_flight.set(i64::try_from(self.window.len()).unwrap_or(i64::MAX));
        self.figures.adapted_rate.set(adapted.map_or(0, i64::from));
        Ok(())
    }

    fn now(&self) -> Now {
        Now { moment: Moment(self.shared.clock.monotonic()), at: self.shared.clock.now() }
    }

    /// What fell due.
    fn ring(&mut self, now: Now) -> Result<(), Lost> {
        while let Some(event) = self.timers.due(now.moment) {
            match event {
                Event::EnquireLink => {
                    let sequence = self.window.number();
                    encode_empty(self.link.out(), CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence);
                    self.timers.on_sent(Traffic::Link, now.moment);
                }
                Event::LinkDead => return Err(Lost::Silent),
                Event::SessionInit | Event::Inactive => {}
            }
        }
        self.expire_requests(now);
        Ok(())
    }

    fn next_due(&mut self, now: Now) -> Option<Moment> {
        let pace = self.pace_due(now);
        let overdue = self.overdue.front().map(|overdue| overdue.until);
        let rows = [self.timers.next(), self.window.deadline(), overdue, self.leave.until(), pace];
        rows.into_iter().flatten().min()
    }

    fn wants_input(&self) -> bool {
        self.notes.is_empty() && self.awaited < KEPT_ROOM && !self.closed
    }

    /// Hands the notes in, if the store has room; else the loop waits for it and reads nothing meanwhile.
    fn hand_in(&mut self, store: &Store) {
        if self.notes.is_empty() {
            return;
        }
        if let Some(room) = store.try_room() {
            room.operator(self.batch());
        }
    }

    fn batch(&mut self) -> OperatorBatch {
        let tagged = std::mem::take(&mut self.tagged);
        self.awaited += usize::from(tagged);
        OperatorBatch {
            upstream: self.shared.id,
            notes: std::mem::take(&mut self.notes),
            reply: tagged.then(|| self.keep.clone()),
        }
    }

    /// Puts what cannot be sent here and now back to the front of the lane, in its order.
    fn give_back(&mut self) {
        while let Some(message) = self.returned.pop() {
            if self.shared.settings.in_doubt.is_noted() {
                // It stands as about to be written; that must not outlive this bind.
                self.notes.push(Note::Move { message: message.id, upstream: self.shared.id });
            } else {
                detour::give_back(&self.shared, message, &mut self.notes);
            }
        }
    }
}
