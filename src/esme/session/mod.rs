//! One session: a task that owns a link and waits for the socket, the store, the lane, orders and time at once.
//!
//! A turn takes what has come: answers of the store first, so that a receipt never stands before the response to its
//! submit in the write buffer; then PDUs, as many as the window lets in; then deliveries. After a turn it waits.

mod alarm;
mod answers;
mod batch;
mod dialect;
mod end;
mod requests;
mod timing;

pub(super) use batch::{Aside, Batch, Kind, Multi, Tag};
pub(super) use dialect::{Dialect, Digits, put_tlv};

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use smpp_proto::field::CommandId;
use smpp_proto::pdu::{BindKind, encode_empty};
use smpp_proto::session::{Moment, Role, Session as Rules, Timers};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info};

use self::alarm::Alarm;
use self::end::{Closing, Ended, Leaving};
use super::bind::Bound;
use super::deliver::Receiving;
use super::listen::Visitor;
use super::metrics::SessionMetrics;
use super::query::Lookup;
use super::roster::{Orders, Probe};
use super::{Shared, stopped};
use crate::account::credential::BindType;
use crate::link::{Io, Link, LinkError};
use crate::message::Delivery;
use crate::policy::Refusal;
use crate::store::{ClientAnswer, Lane, StoreError};

/// A connection and how far it has come.
pub(super) struct Session {
    shared: Arc<Shared>,
    link: Link,
    rules: Rules,
    timers: Timers,
    alarm: Alarm,
    /// Counts the connection; knows when it is bound.
    visitor: Visitor,
    /// PDUs before the bind, and binds that failed.
    unbound_pdus: u32,
    failed_binds: u32,
    stopping: watch::Receiver<bool>,
    binding: Option<Binding>,
    client: Option<Box<Client>>,
    /// A batch, and delivery answers, that wait for a place in the store's mailbox.
    batch_waits: Option<Errand>,
    answered_waits: Option<Errand>,
    /// The client has closed its side.
    all_read: bool,
    closing: Option<Closing>,
    leaving: Option<Leaving>,
    /// Others who wait for a sign of life, and until when.
    probes: Vec<Probe>,
    probe_until: Option<u64>,
    read_at: Instant,
    /// enquire_links in a second of monotonic time.
    enquired: (u64, u32),
}

/// A bind that is being checked; meanwhile nothing is read (conformance C-042).
struct Binding {
    kind: BindKind,
    sequence: u32,
    check: Pin<Box<dyn Future<Output = Result<Bound, Refusal>> + Send>>,
}

/// Something that waits for a place in the store's mailbox. It keeps its turn there, unlike one asked for again.
type Errand = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// What a bound session has.
pub(super) struct Client {
    pub(super) bound: Bound,
    pub(super) dialect: Dialect,
    pub(super) metrics: SessionMetrics,
    pub(super) asides: Asides,
    /// Questions for the history.
    pub(super) lookups: Vec<Lookup>,
    looking_up: bool,
    pub(super) receiving: Option<Receiving>,
    /// The last sequence number of a request of ours.
    pub(super) last_sequence: u32,
    /// Where texts of receipts are put together.
    pub(super) scratch: BytesMut,
    /// Faults not yet made up for.
    pub(super) faults: u32,
    /// Requests that the store has not answered.
    open: usize,
    /// When the batches under way were read.
    batches: VecDeque<Instant>,
    reply: mpsc::Sender<Vec<ClientAnswer>>,
    answers: mpsc::Receiver<Vec<ClientAnswer>>,
    accepted: u64,
}

use self::batch::Asides;

/// Batches that the store may have of one session at a time.
const BATCHES_MAX: usize = 8;
/// Answers on their way back: one for each batch, and one from the history.
const ANSWERS_MAX: usize = BATCHES_MAX + 1;

/// What was waited for.
enum Event {
    Io(Result<Io, LinkError>),
    Answers(Vec<ClientAnswer>),
    Checked(Result<Bound, Refusal>),
    BatchStored(Result<(), StoreError>),
    AnsweredStored(Result<(), StoreError>),
    Ordered(Orders),
    LinkLimit,
    Stopping,
    /// Time passed, or there is more to deliver.
    Turn,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, link: Link, visitor: Visitor) -> Self {
        let now = Moment(shared.clock.monotonic());
        Self {
            rules: Rules::new(Role::Mc, shared.settings.version),
            timers: Timers::new(shared.settings.timers(), now),
            alarm: Alarm::default(),
            stopping: shared.stopping.subscribe(),
            unbound_pdus: 0,
            failed_binds: 0,
            binding: None,
            client: None,
            batch_waits: None,
            answered_waits: None,
            all_read: false,
            closing: None,
            leaving: None,
            probes: Vec::new(),
            probe_until: None,
            read_at: Instant::now(),
            enquired: (0, 0),
            visitor,
            shared,
            link,
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) {
        let ended = loop {
            if let Err(ended) = self.turn() {
                break ended;
            }
            let event = self.wait().await;
            if let Err(ended) = self.heed(event) {
                break ended;
            }
        };
        self.end(ended).await;
    }

    /// Takes what has come.
    fn turn(&mut self) -> Result<(), Ended> {
        self.take_answers();
        self.take_frames()?;
        self.tick()?;
        self.flush_answered();
        self.finish()
    }

    /// Whether the socket may be read: everything that came before has found its place.
    fn reads(&self) -> bool {
        !self.all_read && self.binding.is_none() && self.closing.is_none() && self.has_room(0)
    }

    /// Whether one more request may be taken on top of `more` that are not counted yet.
    fn has_room(&self, more: usize) -> bool {
        self.batch_waits.is_none()
            && self.client.as_ref().is_none_or(|client| {
                client.open + more < client.bound.window && client.batches.len() < BATCHES_MAX
            })
    }

    async fn wait(&mut self) -> Event {
        let reads = self.reads();
        let lane = self.lane_to_pull();
        // Before the pull, so that nothing comes unnoticed between the two.
        let woken = lane.as_deref().map(Lane::woken);
        let more = self.pull();
        self.set_alarm();
        let limit = self
            .link
            .deadline()
            .map(|at| if reads { at } else { at.max(tokio::time::Instant::now() + HELD_BACK_LOOK) });
        let Self { link, alarm, client, binding, batch_waits, answered_waits, stopping, .. } = self;
        let (seat, answers) = match client.as_deref_mut() {
            Some(client) => (Some(&client.bound.place.seat), Some(&mut client.answers)),
            None => (None, None),
        };
        let unbound = seat.is_none();
        tokio::select! {
            biased;
            orders = when(seat.map(|seat| seat.orders())) => Event::Ordered(orders),
            () = stopped(stopping), if unbound => Event::Stopping,
            checked = when(binding.as_mut().map(|binding| &mut binding.check)) => Event::Checked(checked),
            stored = when(batch_waits.as_mut()) => Event::BatchStored(stored),
            stored = when(answered_waits.as_mut()) => Event::AnsweredStored(stored),
            io = link.io(reads) => Event::Io(io),
            Some(answers) = when(answers.map(mpsc::Receiver::recv)) => Event::Answers(answers),
            () = std::future::ready(()), if more => Event::Turn,
            () = when(woken) => Event::Turn,
            () = alarm.rings() => Event::Turn,
            () = when(limit.map(tokio::time::sleep_until)) => Event::LinkLimit,
        }
    }

    fn heed(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Io(Ok(Io::Moved { read, .. })) => {
                if read > 0 {
                    self.read_at = Instant::now();
                    if let Some(client) = &self.client {
                        client.bound.place.seat.heard(self.shared.clock.monotonic());
                    }
                }
            }
            Event::Io(Ok(Io::Closed)) => {
                // What came before is still asked and answered: some clients close only their side.
                self.all_read = true;
            }
            Event::Io(Err(error)) => return Err(Ended::Link(error)),
            Event::Answers(answers) => self.answered(answers),
            Event::Checked(checked) => self.bind_checked(checked),
            Event::BatchStored(stored) => {
                self.batch_waits = None;
                stored.map_err(|_| Ended::StoreClosed)?;
            }
            Event::AnsweredStored(stored) => {
                self.answered_waits = None;
                stored.map_err(|_| Ended::StoreClosed)?;
            }
            Event::Ordered(orders) => self.obey(orders),
            Event::LinkLimit => match self.link.check_limits(tokio::time::Instant::now()) {
                // Who is not read from cannot finish what he began.
                Err(LinkError::PartialPdu(_)) if !self.reads() => {}
                checked => checked.map_err(Ended::Link)?,
            },
            Event::Stopping => return Err(Ended::Stopping),
            Event::Turn => {}
        }
        Ok(())
    }

    /// The lane to take deliveries from, when there is room for one.
    fn lane_to_pull(&self) -> Option<Arc<Lane<Delivery>>> {
        let client = self.client.as_deref()?;
        let receiving = client.receiving.as_ref()?;
        let quiet = self.closing.is_some() || self.leaving.is_some() || self.link.is_backlogged();
        let room = receiving.room(client.bound.window, self.shared.clock.monotonic());
        (!quiet && room > 0).then(|| Arc::clone(&receiving.lane))
    }

    /// Takes deliveries from the lane into the write buffer; says whether there were any.
    fn pull(&mut self) -> bool {
        if self.lane_to_pull().is_none() {
            return false;
        }
        let Some(client) = self.client.as_deref_mut() else { return false };
        let clock = &self.shared.clock;
        let room = client.receiving.as_ref().map_or(0, |r| r.room(client.bound.window, clock.monotonic()));
        let pulled = client.deliver(room, clock, self.link.out());
        if pulled {
            self.sent(smpp_proto::session::Traffic::Transaction);
        }
        pulled
    }

    /// Nothing more is read; the session ends when what is open was answered.
    fn close(&mut self, ended: Ended) {
        if self.closing.is_none() {
            let until = self.after(self.shared.settings.response);
            self.closing = Some(Closing { ended, unbind: None, until });
        }
    }

    /// Says unbind; the session ends with the answer, or soon without one.
    fn leave(&mut self, ended: Ended, patience: Duration) {
        if self.leaving.is_some() || self.closing.is_some() || self.rules.unbind_sent().is_err() {
            return;
        }
        self.request(CommandId::UNBIND);
        self.leaving = Some(Leaving { ended, until: self.after(patience) });
    }

    /// Sends a request of ours that has no body and does not count against the window (conformance C-062).
    fn request(&mut self, command: CommandId) {
        let Some(client) = self.client.as_deref_mut() else { return };
        let sequence = client.next_sequence();
        encode_empty(self.link.out(), command, smpp_proto::field::CommandStatus::ROK, sequence);
    }

    fn after(&self, span: Duration) -> u64 {
        self.shared.clock.monotonic().saturating_add(super::deliver::millis(span))
    }

    /// Ends the session when nothing holds it any more.
    fn finish(&mut self) -> Result<(), Ended> {
        let open = self.client.as_ref().map_or(0, |client| client.open);
        if open > 0 || self.batch_waits.is_some() {
            return Ok(());
        }
        let Some(closing) = self.closing.take() else { return Ok(()) };
        if let Some(sequence) = closing.unbind {
            let ok = smpp_proto::field::CommandStatus::ROK;
            encode_empty(self.link.out(), CommandId::UNBIND_RESP, ok, sequence);
            // The session is over with this response, whatever its state was.
            let _ = self.rules.unbound();
        }
        Err(closing.ended)
    }

    /// Gives back what is not answered, frees the place, tells the store what was, and closes.
    async fn end(mut self, ended: Ended) {
        let peer = self.link.peer();
        if let Some(client) = self.client.take() {
            let facts = client.bound.facts();
            info!(account = facts.account_name, system_id = facts.system_id, kind = %facts.kind, %peer,
                accepted = client.accepted, reason = ended.word(), "unbound");
            let answered = client.leave();
            if let Some(errand) = self.answered_waits.take() {
                // A store that is closed keeps them owed: they go out again after a restart.
                let _ = errand.await;
            }
            if !answered.is_empty()
                && let Ok(room) = self.shared.store.room().await
            {
                room.answered(answered);
            }
        } else {
            debug!(%peer, reason = ended.word(), "closed without a bind");
        }
        self.probes.clear();
        match ended {
            Ended::Link(error) => debug!(%peer, %error, "the link is lost"),
            _ => self.link.close(self.shared.settings.linger).await,
        }
    }
}

impl Client {
    fn new(bound: Bound, shared: &Shared) -> Self {
        let facts = bound.facts();
        let receives = facts.kind != BindType::Transmitter;
        let receiving = receives.then(|| {
            let lane = shared.store.account_lane(facts.account);
            Receiving::new(lane, shared.settings.redelivery, shared.settings.response)
        });
        let (reply, answers) = mpsc::channel(ANSWERS_MAX);
        Self {
            dialect: Dialect { version: facts.version, detail: false },
            metrics: shared.metrics.session(facts),
            asides: Asides::default(),
            lookups: Vec::new(),
            looking_up: false,
            last_sequence: 0,
            scratch: BytesMut::new(),
            faults: 0,
            open: 0,
            batches: VecDeque::new(),
            accepted: 0,
            bound,
            receiving,
            reply,
            answers,
        }
    }

    fn next_sequence(&mut self) -> u32 {
        match &self.receiving {
            Some(receiving) => super::deliver::next_sequence(&mut self.last_sequence, &receiving.flights),
            None => {
                self.last_sequence =
                    if self.last_sequence >= 0x7FFF_FFFF { 1 } else { self.last_sequence + 1 };
                self.last_sequence
            }
        }
    }

    /// The session is over; what the client said to deliveries is still to be told.
    fn leave(mut self: Box<Self>) -> Vec<crate::store::Answered> {
        self.metrics.abandoned(self.open);
        let Some(mut receiving) = self.receiving.take() else { return Vec::new() };
        self.metrics.delivered(receiving.flights.len(), "given_back");
        std::mem::take(&mut receiving.answered)
    }
}

/// How often a link that is not read from is looked at.
const HELD_BACK_LOOK: Duration = Duration::from_millis(100);

/// The future, or for ever.
async fn when<F: Future>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
