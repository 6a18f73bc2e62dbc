//! A client by the book: keeps its window full, answers everything, leaves with an unbind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use smpp_proto::pdu::{BindKind, Header, SubmitSm, deliver, encode_empty};
use smpp_proto::{Body, CommandId, CommandStatus, Pdu, Tag, Tlv};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::support::{Esme, bind, submit, within};

/// One that is at work.
pub(crate) struct Good {
    stop: watch::Sender<bool>,
    accepted: Arc<AtomicU32>,
    work: JoinHandle<Served>,
}

/// What became of what it asked for.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Served {
    pub accepted: u32,
    /// With a status that a good client may get under load.
    pub refused: u32,
    pub deliveries: u32,
    /// Whether the daemon ended it.
    pub sent_away: bool,
}

impl Good {
    /// Takes what is owed, and submits nothing.
    pub(crate) fn receiver(address: SocketAddr) -> Self {
        Self::start(address, BindKind::Receiver, 0, 1)
    }

    /// Submits until it is told to leave, or so many.
    pub(crate) fn start(address: SocketAddr, kind: BindKind, most: u32, window: u32) -> Self {
        let (stop, stopped) = watch::channel(false);
        let accepted = Arc::new(AtomicU32::new(0));
        let work = tokio::spawn(work(address, kind, [most, window], stopped, Arc::clone(&accepted)));
        Self { stop, accepted, work }
    }

    /// Waits until so many of its messages were accepted.
    pub(crate) async fn has(&self, accepted: u32) {
        within("a good client's messages", async {
            while self.accepted.load(Ordering::Relaxed) < accepted {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// How many of its messages were accepted so far.
    pub(crate) fn so_far(&self) -> u32 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.work.is_finished()
    }

    /// Waits until it has submitted all it wants and was answered.
    pub(crate) async fn done(self) -> Served {
        self.leave_when(false).await
    }

    /// Tells it to leave.
    pub(crate) async fn leave(self) -> Served {
        self.leave_when(true).await
    }

    async fn leave_when(self, now: bool) -> Served {
        if now {
            self.stop.send_replace(true);
        }
        within("a good client", self.work).await.expect("a good client without complaints")
    }
}

async fn work(
    address: SocketAddr,
    kind: BindKind,
    [most, window]: [u32; 2],
    mut stopped: watch::Receiver<bool>,
    accepted: Arc<AtomicU32>,
) -> Served {
    let mut esme = Esme::connect(address).await;
    esme.answers_enquiries = false;
    let mut served = Served::default();
    let away = |served| Served { sent_away: true, ..served };
    let bind = bind("acme", "secret");
    let request = match kind {
        BindKind::Receiver => Body::BindReceiver(bind),
        BindKind::Transmitter => Body::BindTransmitter(bind),
        BindKind::Transceiver => Body::BindTransceiver(bind),
    };
    if !esme.says(request).await {
        return away(served);
    }
    match esme.next().await {
        Some(answer) if answer.header.status == CommandStatus::ROK => {}
        Some(answer) if answer.header.status != CommandStatus::RALYBND => panic!("refused: {answer:?}"),
        // Too many are bound, or the clock was moved past the time for a bind.
        _ => return away(served),
    }
    let (mut asked, mut open) = (0, 0);
    loop {
        while open < window && asked < most && !*stopped.borrow() {
            asked += 1;
            open += 1;
            if !esme.says(Body::SubmitSm(message(asked))).await {
                return away(served);
            }
        }
        let is_done = *stopped.borrow() || (asked >= most && kind != BindKind::Receiver);
        if open == 0 && is_done {
            esme.leaves().await;
            return served;
        }
        let incoming = tokio::select! {
            incoming = esme.next() => incoming,
            _ = stopped.changed() => continue,
        };
        let Some(incoming) = incoming else { return away(served) };
        match incoming.header.command {
            CommandId::SUBMIT_SM_RESP => {
                open -= 1;
                match incoming.header.status {
                    CommandStatus::ROK => {
                        served.accepted += 1;
                        accepted.store(served.accepted, Ordering::Relaxed);
                    }
                    CommandStatus::RTHROTTLED | CommandStatus::RMSGQFUL => served.refused += 1,
                    other => panic!("a good client was answered {other}"),
                }
                continue;
            }
            CommandId::DELIVER_SM => served.deliveries += 1,
            CommandId::ENQUIRE_LINK => {}
            CommandId::UNBIND => {
                esme.answers(incoming.header).await;
                return away(served);
            }
            other => panic!("a good client got {other}"),
        }
        if !esme.answers(incoming.header).await {
            return away(served);
        }
    }
}

/// What a client says while the other end may close at any time.
impl Esme {
    /// A request under the next number; false when the connection is gone.
    async fn says(&mut self, request: Body) -> bool {
        let mut out = BytesMut::new();
        let sequence = self.next_sequence();
        Pdu::request(sequence, request).encode(&mut out).expect("a request");
        self.try_send_raw(&out).await
    }

    /// The answer by the book.
    async fn answers(&mut self, request: Header) -> bool {
        let mut out = BytesMut::new();
        match request.command {
            CommandId::DELIVER_SM => deliver::encode_resp(&mut out, request.sequence, CommandStatus::ROK),
            other => encode_empty(&mut out, other.response(), CommandStatus::ROK, request.sequence),
        }
        self.try_send_raw(&out).await
    }

    /// Says unbind and answers what is on its way.
    async fn leaves(mut self) {
        let mut out = BytesMut::new();
        encode_empty(&mut out, CommandId::UNBIND, CommandStatus::ROK, self.next_sequence());
        if !self.try_send_raw(&out).await {
            return;
        }
        while let Some(incoming) = self.next().await {
            match incoming.header.command {
                CommandId::UNBIND_RESP => break,
                command if command.is_response() => {}
                _ => drop(self.answers(incoming.header).await),
            }
        }
    }
}

/// Every fifth message is long, every seventh has a validity.
fn message(number: u32) -> SubmitSm {
    let mut message = submit(&format!("3460000{number:04}"), "by the book");
    if number.is_multiple_of(5) {
        message.short_message = Bytes::new();
        message.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; 400]));
    }
    if number.is_multiple_of(7) {
        message.validity_period = "000000010000000R".into();
    }
    message
}
