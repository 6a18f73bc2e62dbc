//! One session: a task that owns a link and waits for the socket, the store, the lane, orders and time at once.
//!
//! A turn takes what has come: answers of the store first, so that a receipt never stands before the response to its
//! submit in the write buffer; then PDUs, as many as the window lets in; then deliveries. After a turn it waits.

mod alarm;
mod answers;
mod batch;
mod client;
mod dialect;
mod end;
mod requests;
mod spend;
mod timing;

pub(super) use batch::{Aside, Batch, Kind, Multi, Tag};
pub(super) use client::Client;
pub(super) use dialect::{Dialect, Digits, put_tlv, set_length};
pub(super) use spend::Levels;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smpp_proto::COctets;
use smpp_proto::pdu::{BindKind, Header, Quirks};
use smpp_proto::session::{Moment, Role, Session as Rules, Timers};
use tokio::sync::{mpsc, watch};

use self::alarm::Alarm;
use self::client::BATCHES_MAX;
use self::end::{Closing, Ended, Leaving};
use super::bind::Bound;
use super::listen::Visitor;
use super::roster::{Orders, Probe};
use super::{Shared, stopped};
use crate::link::{Io, Link, LinkError};
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
    header: Header,
    /// Whose bind it is to be, and what it was forgiven.
    system_id: COctets,
    met: Quirks,
    check: Pin<Box<dyn Future<Output = Result<Bound, Refusal>> + Send>>,
}

/// Something that waits for a place in the store's mailbox. It keeps its turn there, unlike one asked for again.
type Errand = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

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

    /// Runs it to its end; says whether it was ever bound.
    pub(super) async fn run(mut self) -> bool {
        let ended = loop {
            if let Err(ended) = self.turn() {
                break ended;
            }
            let event = self.wait().await;
            if let Err(ended) = self.heed(event) {
                break ended;
            }
        };
        let was_bound = self.client.is_some();
        self.end(ended).await;
        was_bound
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
        let limit = self.next_look(reads);
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

    /// When the limits of the link are to be looked at.
    fn next_look(&self, reads: bool) -> Option<tokio::time::Instant> {
        let now = tokio::time::Instant::now();
        match self.link.deadline() {
            Some(at) if reads => Some(at),
            Some(at) => Some(at.max(now + HELD_BACK_LOOK)),
            // The stall begins with a write that is only tried while we wait.
            None if self.link.wants_write() => Some(now + self.shared.settings.write_stall),
            None => None,
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
