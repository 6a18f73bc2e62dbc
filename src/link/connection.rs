//! [`Link`]: the socket, its two buffers and its limits, owned by one task.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use smpp_proto::codec::DEFAULT_MAX_LENGTH;
use smpp_proto::{Frame, FrameCodec, FrameError};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsStream;

use super::buffer::{Inbound, Outbound};
use super::error::LinkError;
use super::sniff::Foreign;
use super::socket::{Socket, TlsFacts};
use super::trace;

/// One SMPP connection.
///
/// Every `async fn` here is cancel-safe: what was read is in the link, what was not written still waits in it.
#[derive(Debug)]
pub struct Link {
    socket: Socket,
    peer: SocketAddr,
    limits: Limits,
    codec: FrameCodec,
    inbound: Inbound,
    outbound: Outbound,
    /// TLS may hold written octets back until it is flushed.
    unflushed: bool,
    last_read: Instant,
    partial_since: Option<Instant>,
    stalled_since: Option<Instant>,
    /// How many octets of `outbound` the trace has already shown.
    traced: usize,
    traffic: Traffic,
}

/// What one call of [`Link::io`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Io {
    /// Octets moved. With `read > 0` there may be PDUs to cut.
    Moved {
        /// Octets that came in.
        read: usize,
        /// Octets that left.
        written: usize,
    },
    /// The peer closed its side. What it sent before can still be cut, what waits can still be written.
    Closed,
}

impl Link {
    /// A plain link over a connected socket. Switches Nagle's algorithm off: batches are made here, not in the kernel.
    ///
    /// # Errors
    /// When the socket is already dead.
    pub fn plain(stream: TcpStream, limits: Limits) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Self::over(Socket::Plain(stream), limits)
    }

    /// A link over an established TLS session.
    ///
    /// # Errors
    /// When the socket is already dead.
    pub fn tls(stream: TlsStream<TcpStream>, limits: Limits) -> io::Result<Self> {
        stream.get_ref().0.set_nodelay(true)?;
        Self::over(Socket::Tls(Box::new(stream)), limits)
    }

    fn over(socket: Socket, limits: Limits) -> io::Result<Self> {
        Ok(Self {
            peer: socket.peer()?,
            socket,
            codec: FrameCodec::new(limits.pdu),
            limits,
            inbound: Inbound::new(),
            outbound: Outbound::new(),
            unflushed: false,
            last_read: Instant::now(),
            partial_since: None,
            stalled_since: None,
            traced: 0,
            traffic: Traffic::default(),
        })
    }

    /// Waits until something moved, in either direction, and says what.
    ///
    /// With `want_read` false the socket is left unread, which is how an owner that is full holds its peer back; the
    /// same happens by itself while [`Link::is_backlogged`]. When there is nothing to write and nothing may be read,
    /// this waits for ever: the owner selects it against its channels and timers.
    ///
    /// # Errors
    /// [`LinkError::Socket`] when the connection failed.
    pub async fn io(&mut self, want_read: bool) -> Result<Io, LinkError> {
        poll_fn(|cx| self.poll_io(cx, want_read)).await
    }

    fn poll_io(&mut self, cx: &mut Context<'_>, want_read: bool) -> Poll<Result<Io, LinkError>> {
        let written = self.poll_drain(cx)?;
        let mut read = 0;
        if want_read && !self.is_backlogged() && self.inbound.octets.len() < self.limits.inbound() {
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(Io::Closed)),
                Poll::Ready(Ok(count)) => read = count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Pending => {}
            }
        }
        if read == 0 && written == 0 { Poll::Pending } else { Poll::Ready(Ok(Io::Moved { read, written })) }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let buffer = self.inbound.with_room();
        let spare = buffer.capacity() - buffer.len();
        match self.socket.poll_read(cx, buffer) {
            Poll::Ready(Ok(0)) => Poll::Ready(Ok(0)),
            Poll::Ready(Ok(count)) => {
                self.inbound.filled(count, spare);
                self.traffic.octets_in += count as u64;
                self.traffic.reads += 1;
                self.last_read = Instant::now();
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.inbound.idle();
                Poll::Pending
            }
        }
    }

    /// Writes until all is written or the socket takes no more.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> io::Result<usize> {
        if !self.wants_write() {
            return Ok(0);
        }
        self.trace_outbound();
        let mut total = 0;
        while !self.outbound.octets.is_empty() {
            match self.socket.poll_write(cx, &self.outbound.octets) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.outbound.written(count);
                    self.traced = self.traced.saturating_sub(count);
                    self.unflushed = self.socket.needs_flush();
                    self.traffic.octets_out += count as u64;
                    self.traffic.writes += 1;
                    total += count;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        if self.unflushed
            && let Poll::Ready(flushed) = self.socket.poll_flush(cx)
        {
            flushed?;
            self.unflushed = false;
        }
        if !self.wants_write() {
            self.stalled_since = None;
        } else if total > 0 || self.stalled_since.is_none() {
            self.stalled_since = Some(Instant::now());
        }
        Ok(total)
    }

    /// Reads once; 0 means the peer closed. For talks that go step by step, such as a bind; [`Link::io`] does both ways.
    ///
    /// # Errors
    /// [`LinkError::Socket`] when the connection failed.
    pub async fn read(&mut self) -> Result<usize, LinkError> {
        Ok(poll_fn(|cx| self.poll_fill(cx)).await?)
    }

    /// Writes what waits until nothing does.
    ///
    /// # Errors
    /// [`LinkError::Socket`] when the connection failed.
    pub async fn write(&mut self) -> Result<(), LinkError> {
        poll_fn(|cx| {
            self.poll_drain(cx)?;
            if self.wants_write() { Poll::Pending } else { Poll::Ready(Ok(())) }
        })
        .await
    }

    /// Cuts the next whole PDU out of what was read; `None` when more octets are needed.
    ///
    /// # Errors
    /// [`LinkError::Framing`] when the announced length is impossible; nothing after it can be read.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, LinkError> {
        match self.codec.cut(&mut self.inbound.octets) {
            Ok(Some(frame)) => {
                self.partial_since = None;
                self.traffic.pdus_in += 1;
                trace::inbound(self.peer, &frame);
                Ok(Some(frame))
            }
            Ok(None) => {
                if self.inbound.octets.is_empty() {
                    self.partial_since = None;
                } else if self.partial_since.is_none() {
                    self.partial_since = Some(self.last_read);
                }
                Ok(None)
            }
            Err(error) => Err(self.framing(&error)),
        }
    }

    fn framing(&self, error: &FrameError) -> LinkError {
        LinkError::Framing {
            error: *error,
            foreign: if self.traffic.pdus_in == 0 { Foreign::recognise(&self.inbound.octets) } else { None },
        }
    }

    /// Where encoded PDUs are appended. They leave with the next [`Link::io`] or [`Link::write`].
    pub fn out(&mut self) -> &mut BytesMut {
        &mut self.outbound.octets
    }

    /// Octets that wait to be written.
    #[must_use]
    pub fn pending_out(&self) -> usize {
        self.outbound.octets.len()
    }

    /// Whether anything waits to be written.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        !self.outbound.octets.is_empty() || self.unflushed
    }

    /// Whether so much waits to be written that the owner should add no requests. Reading has stopped by itself.
    #[must_use]
    pub fn is_backlogged(&self) -> bool {
        self.pending_out() >= self.limits.outbound
    }

    /// Octets read and not yet cut.
    #[must_use]
    pub fn pending_in(&self) -> usize {
        self.inbound.octets.len()
    }

    /// When the first octet of a PDU came whose last is still missing. Right after [`Link::next_frame`] said `None`.
    #[must_use]
    pub fn partial_since(&self) -> Option<Instant> {
        self.partial_since
    }

    /// When a limit of this link will be overstepped, if nothing moves until then.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let partial = self.partial_since.map(|since| since + self.limits.partial_pdu);
        let stalled = self.stalled_since.map(|since| since + self.limits.write_stall);
        match (partial, stalled) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        }
    }

    /// Whether a limit is overstepped at `now`.
    ///
    /// # Errors
    /// [`LinkError::PartialPdu`] or [`LinkError::WriteStalled`]; the owner closes.
    pub fn check_limits(&self, now: Instant) -> Result<(), LinkError> {
        if self.partial_since.is_some_and(|since| now >= since + self.limits.partial_pdu) {
            return Err(LinkError::PartialPdu(self.limits.partial_pdu));
        }
        if self.stalled_since.is_some_and(|since| now >= since + self.limits.write_stall) {
            return Err(LinkError::WriteStalled(self.limits.write_stall));
        }
        Ok(())
    }

    /// Takes a new ceiling for PDUs, in octets: small before the bind, full after it.
    pub fn limit_pdu(&mut self, octets: u32) {
        self.limits.pdu = octets;
        self.codec = FrameCodec::new(octets);
    }

    /// Writes what waits, says goodbye and lets the peer close first, all within `linger`. Input is thrown away.
    ///
    /// Closing with unread input makes the kernel reset the connection, and the peer would lose our last answer.
    pub async fn close(mut self, linger: Duration) {
        let until = Instant::now() + linger;
        let farewell = async {
            self.write().await?;
            poll_fn(|cx| self.socket.poll_shutdown(cx)).await?;
            for _ in 0..CLOSE_READS_MAX {
                self.inbound.octets.clear();
                if self.read().await? == 0 {
                    break;
                }
            }
            Ok::<(), LinkError>(())
        };
        if let Ok(Err(error)) = timeout_at(until, farewell).await {
            tracing::trace!(peer = %self.peer, %error, "the farewell failed");
        }
    }

    /// When the last octets came.
    #[must_use]
    pub fn last_read(&self) -> Instant {
        self.last_read
    }

    /// The other end's address.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The same link, with the address of whom a proxy passes on.
    #[must_use]
    pub fn from_peer(self, peer: SocketAddr) -> Self {
        Self { peer, ..self }
    }

    /// Our own address on this link.
    ///
    /// # Errors
    /// When the socket is already dead.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local()
    }

    /// TLS version, cipher, names and certificate; `None` on a plain link.
    #[must_use]
    pub fn tls_facts(&self) -> Option<TlsFacts> {
        self.socket.tls_facts()
    }

    /// What has moved so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    fn trace_outbound(&mut self) {
        if trace::is_on()
            && let Some(fresh) = self.outbound.octets.get(self.traced..)
        {
            trace::outbound(self.peer, fresh);
            self.traced = self.outbound.octets.len();
        }
    }
}

/// The bounds of one link.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest PDU, in octets.
    pub pdu: u32,
    /// When this many octets wait to be written the link stops reading.
    pub outbound: usize,
    /// From the first octet of a PDU to its last.
    pub partial_pdu: Duration,
    /// How long a peer may take nothing of what is written.
    pub write_stall: Duration,
}

impl Limits {
    /// Octets that may wait to be cut: a whole PDU and as much again as one read brings.
    fn inbound(&self) -> usize {
        usize::try_from(self.pdu).unwrap_or(usize::MAX).saturating_add(INBOUND_SLACK)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pdu: DEFAULT_MAX_LENGTH,
            outbound: OUTBOUND_MAX,
            partial_pdu: PARTIAL_PDU_MAX,
            write_stall: WRITE_STALL_MAX,
        }
    }
}

/// Counters of one link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Octets received.
    pub octets_in: u64,
    /// Octets sent.
    pub octets_out: u64,
    /// System calls (or TLS reads) that brought something.
    pub reads: u64,
    /// System calls (or TLS writes) that took something.
    pub writes: u64,
    /// Whole PDUs received.
    pub pdus_in: u64,
}

/// Write backlog at which reading stops, in octets: about 8,000 submit_sm_resp.
const OUTBOUND_MAX: usize = 256 * 1024;
/// Slack over one PDU in the read buffer, in octets.
const INBOUND_SLACK: usize = 64 * 1024;
/// PDU read limit (reference §5).
const PARTIAL_PDU_MAX: Duration = Duration::from_secs(10);
/// Write limit: a client that never reads is closed after it.
const WRITE_STALL_MAX: Duration = Duration::from_secs(30);
/// Reads thrown away while closing, so that a flooding peer cannot hold us for the whole linger at full speed.
const CLOSE_READS_MAX: usize = 1024;
