//! What a session has once it is bound, and what it may take from the lane.

use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use smpp_proto::field::InterfaceVersion;
use smpp_proto::pdu::{Header, Lenience, Quirks, Reading};
use smpp_proto::session::Traffic;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::info;

use super::batch::{Asides, Batch};
use super::spend::Levels;
use super::{Dialect, Session};
use crate::account::credential::BindType;
use crate::account::{Account, Manners};
use crate::esme::Shared;
use crate::esme::bind::Bound;
use crate::esme::deliver::{self, Receiving};
use crate::esme::metrics::SessionMetrics;
use crate::esme::query::Lookup;
use crate::message::Delivery;
use crate::policy::filter::{Desk, RuleId};
use crate::policy::{Cause, Denied, Refusal, Snapshot};
use crate::store::{Answered, Backlog, ClientAnswer, ClientOutcome, Lane, Store, Up};

/// What a bound session has.
pub(in crate::esme) struct Client {
    pub(in crate::esme) bound: Bound,
    pub(in crate::esme) dialect: Dialect,
    /// What of its departures from the protocol is forgiven, as its credential or else the listener has it.
    lenience: Lenience,
    by_default: Lenience,
    /// Departures that the log knows already.
    told: Quirks,
    pub(in crate::esme) metrics: SessionMetrics,
    pub(in crate::esme) asides: Asides,
    /// Room for judging messages.
    pub(in crate::esme) desk: Desk,
    /// By what the last messages were judged.
    pub(super) policy: Arc<Snapshot>,
    /// Refusals that the log knows already: one of each reason, and of each rule and list.
    told_refusals: HashSet<(Refusal, Option<Source>)>,
    /// The buckets of accounts and the platform.
    pub(super) levels: Arc<Levels>,
    /// Which operators can be sent to.
    pub(in crate::esme) up: Arc<Up>,
    /// Questions for the history.
    pub(in crate::esme) lookups: Vec<Lookup>,
    pub(super) looking_up: bool,
    pub(in crate::esme) receiving: Option<Receiving>,
    /// The last sequence number of a request of ours.
    pub(in crate::esme) last_sequence: u32,
    /// Where texts of receipts are put together.
    pub(in crate::esme) scratch: BytesMut,
    /// Faults not yet made up for.
    pub(in crate::esme) faults: u32,
    /// Requests that the store has not answered.
    pub(super) open: usize,
    /// When the batches under way were read.
    pub(super) batches: VecDeque<Instant>,
    pub(super) reply: mpsc::Sender<Vec<ClientAnswer>>,
    pub(super) answers: mpsc::Receiver<Vec<ClientAnswer>>,
    pub(super) accepted: u64,
    /// What congestion_state is made of, on a session that is told it.
    pub(super) pressure: Option<Pressure>,
}

/// What fills up with what a client sends.
pub(super) struct Pressure {
    backlog: Backlog,
    /// What may wait of the account's.
    pub(super) most: u64,
}

/// Whose a limit is, where several have the same reason.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Rule(RuleId),
    List(u32),
}

/// Refusals that one session remembers to have told.
const REFUSALS_TOLD: usize = 1_000;
/// Batches that the store may have of one session at a time.
pub(super) const BATCHES_MAX: usize = 8;
/// Answers on their way back: one for each batch, and one from the history.
const ANSWERS_MAX: usize = BATCHES_MAX + 1;

impl Client {
    pub(super) fn new(bound: Bound, shared: &Shared) -> Self {
        let facts = bound.facts();
        let receives = facts.kind != BindType::Transmitter;
        let receiving = receives.then(|| {
            let lane = shared.store.account_lane(facts.account);
            let settings = &shared.settings;
            Receiving::new(lane, facts.credential, settings.redelivery, settings.response)
        });
        let (reply, answers) = mpsc::channel(ANSWERS_MAX);
        Self {
            dialect: Dialect::of(facts.version, &shared.settings),
            pressure: (facts.version >= InterfaceVersion::V5_0 && shared.settings.congestion_state)
                .then(|| Pressure { backlog: shared.store.backlog(facts.account), most: u64::MAX }),
            lenience: Lenience::DEFAULT,
            by_default: shared.settings.lenience.lenience(),
            told: Quirks::NONE,
            metrics: shared.metrics.session(facts),
            asides: Asides::default(),
            desk: Desk::default(),
            policy: shared.store.policy(),
            told_refusals: HashSet::new(),
            levels: Arc::clone(&shared.levels),
            up: Arc::clone(shared.store.up()),
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

    /// Looks how near to its limits the gateway is: the fuller of the store's mailbox and the account's queue. A batch
    /// of answers is told the same.
    pub(super) fn feel_pressure(&mut self, store: &Store) {
        let Some(Pressure { backlog, most }) = &self.pressure else { return };
        let waiting = u128::from(backlog.load(Ordering::Relaxed)) * 100 / u128::from((*most).max(1));
        let queue = u8::try_from(waiting.min(100)).unwrap_or(100);
        self.dialect.congestion = Some(queue.max(store.mailbox_fill()));
    }

    /// Takes the policy as it is now.
    pub(super) fn suit(&mut self, policy: &Snapshot, account: Option<&Arc<Account>>) {
        self.dialect.suit(account);
        if let (Some(pressure), Some(account)) = (&mut self.pressure, account) {
            pressure.most = account.terms.max_queued;
        }
        let credential = policy.credential_by_id(self.bound.facts().credential);
        let manners = credential.and_then(|credential| credential.bounds.lenience);
        self.lenience = manners.map_or(self.by_default, Manners::lenience);
    }

    /// Begins to read a PDU.
    pub(in crate::esme) fn reading(&self, header: &Header) -> Reading {
        let mut reading = Reading::new(self.lenience);
        header.note(&mut reading);
        reading
    }

    /// Counts what a PDU was forgiven, and tells what this session was not forgiven before.
    pub(in crate::esme) fn forgave(&mut self, met: Quirks, header: &Header) {
        if met.is_empty() {
            return;
        }
        self.metrics.forgave(met);
        let news = met.minus(self.told);
        self.told = self.told.and(met);
        let facts = self.bound.facts();
        for quirk in news.iter() {
            info!(account = facts.account_name, system_id = facts.system_id, peer = %facts.peer, %quirk,
                command = %header.command, sequence = header.sequence, "forgiven; further ones are counted, not logged");
        }
    }

    /// Counts what rules in shadow would have refused of a batch.
    pub(super) fn tell_shadowed(&mut self, batch: &Batch, store: &Store) {
        let account = self.bound.facts().account;
        for rule in self.desk.take_shadowed() {
            store.counters().shadowed.count(&batch.policy, account, rule);
        }
    }

    /// Counts a refusal and tells the log what it follows from: once a session for each reason, rule and list.
    pub(in crate::esme) fn denied(&mut self, denied: Denied) {
        self.metrics.refused(denied.refusal);
        if self.told_refusals.len() >= REFUSALS_TOLD {
            self.told_refusals.clear();
        }
        let source = match denied.cause {
            Some(Cause::Rule(rule)) => Some(Source::Rule(rule)),
            Some(Cause::List(owner)) => Some(Source::List(owner)),
            Some(Cause::Available(_) | Cause::Number(_)) | None => None,
        };
        if self.told_refusals.insert((denied.refusal, source)) {
            let facts = self.bound.facts();
            let rule = self.policy.told(denied, facts.account).map(tracing::field::display);
            info!(account = facts.account_name, system_id = facts.system_id, peer = %facts.peer,
                reason = denied.refusal.word(), rule, "refused; further ones are counted, not logged");
        }
    }

    pub(super) fn next_sequence(&mut self) -> u32 {
        let receiving = self.receiving.as_ref();
        let waits = |number| receiving.is_some_and(|receiving| receiving.flights.has(number));
        deliver::next_sequence(&mut self.last_sequence, waits)
    }

    /// Takes the answers of the store that the client will not hear.
    pub(super) fn take_unheard(&mut self) -> Unheard {
        // What is taken ends when the store has answered everything: nobody else can answer into it.
        let (reply, answers) = mpsc::channel(1);
        self.reply = reply;
        let facts = self.bound.facts();
        Unheard {
            account: facts.account_name.clone(),
            open: self.open,
            answers: std::mem::replace(&mut self.answers, answers),
        }
    }

    /// The session is over; what the client said to deliveries is still to be told.
    pub(super) fn leave(mut self: Box<Self>) -> Vec<Answered> {
        self.metrics.abandoned(self.open);
        let Some(mut receiving) = self.receiving.take() else { return Vec::new() };
        self.metrics.delivered(receiving.flights.len(), "given_back");
        std::mem::take(&mut receiving.answered)
    }
}

/// Requests whose session is lost: what became of them is for the log alone (conformance C-083).
pub(super) struct Unheard {
    account: String,
    open: usize,
    answers: mpsc::Receiver<Vec<ClientAnswer>>,
}

impl Unheard {
    /// Waits for the store and says which were accepted all the same.
    pub(super) async fn tell(mut self, peer: SocketAddr) {
        let (mut accepted, mut messages) = (0_usize, String::new());
        let listen = async {
            while let Some(answers) = self.answers.recv().await {
                for answer in answers {
                    let ClientOutcome::Accepted(id) = answer.outcome else { continue };
                    if accepted < UNHEARD_NAMED {
                        let _ = write!(messages, "{}{id}", if accepted == 0 { "" } else { " " });
                    }
                    accepted += 1;
                }
            }
        };
        // A store that takes longer is in trouble, and says so itself.
        let heard_all = timeout(UNHEARD_PATIENCE, listen).await.is_ok();
        info!(account = self.account, %peer, requests = self.open, accepted, heard_all, messages,
            "what the client no longer heard");
    }
}

/// Ids that the log names of one lost session.
const UNHEARD_NAMED: usize = 100;
/// How long the store may take to say what became of a lost session's requests.
const UNHEARD_PATIENCE: Duration = Duration::from_secs(10);

impl Session {
    /// The lane to take deliveries from, when there is room for one.
    pub(super) fn lane_to_pull(&self) -> Option<Arc<Lane<Delivery>>> {
        let client = self.client.as_deref()?;
        let receiving = client.receiving.as_ref()?;
        let quiet = self.closing.is_some() || self.leaving.is_some() || self.link.is_backlogged();
        let room = receiving.room(client.bound.window, self.shared.clock.monotonic());
        (!quiet && room > 0).then(|| Arc::clone(&receiving.lane))
    }

    /// Takes deliveries from the lane into the write buffer; says whether there were any.
    pub(super) fn pull(&mut self) -> bool {
        if self.lane_to_pull().is_none() {
            return false;
        }
        let Some(client) = self.client.as_deref_mut() else { return false };
        let clock = &self.shared.clock;
        let room = client.receiving.as_ref().map_or(0, |r| r.room(client.bound.window, clock.monotonic()));
        let policy = self.shared.store.policy();
        let account = policy.account(client.bound.facts().account);
        client.dialect.charset = account.map(|account| account.terms.alphabet).unwrap_or_default();
        let pulled = client.deliver(room, clock, self.link.out());
        if pulled {
            self.sent(Traffic::Transaction);
        }
        pulled
    }
}
