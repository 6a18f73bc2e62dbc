//! From an address to a bound link: name, TCP, TLS, bind; and how long to wait after what went wrong
//! (SMPP 3.4 §2.2, §4.1).

use std::future::Future;
use std::io;
use std::time::Duration;

use smpp_proto::field::{COctets, CommandStatus, InterfaceVersion, Npi, Ton};
use smpp_proto::pdu::{Bind, BindKind, BindResp, Frame, Password, encode_empty};
use smpp_proto::session::{Role, Session, Verdict};
use smpp_proto::{CommandId, EncodeError};
use tokio::net::{TcpStream, lookup_host};

use super::settings::{Redial, Tls, Upstream};
use crate::clock::Clock;
use crate::link::tls::{self, TlsError};
use crate::link::{Io, Limits, Link, LinkError};

/// A link on which a bind holds.
#[derive(Debug)]
pub(super) struct Dialled {
    pub(super) link: Link,
    pub(super) session: Session,
    /// The name that the operator gave itself.
    pub(super) peer_name: COctets,
}

/// Why a bind could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error("the address cannot be resolved: {0}")]
    Unresolved(#[source] io::Error),
    #[error("no connection: {0}")]
    Unreachable(#[source] io::Error),
    #[error("no {what} within {within:?}")]
    Silent { what: &'static str, within: Duration },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the operator closed before it answered the bind")]
    Closed,
    #[error("the operator refused the bind with {0}")]
    Refused(CommandStatus),
    #[error("our own bind cannot be written: {0}")]
    Unwritable(#[from] EncodeError),
}

impl DialError {
    /// The word in metrics.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Unresolved(_) => "unresolved",
            Self::Unreachable(_) => "unreachable",
            Self::Silent { .. } => "silent",
            Self::Tls(_) => "tls",
            Self::Link(_) => "link",
            Self::Closed => "closed",
            Self::Refused(_) => "refused",
            Self::Unwritable(_) => "unwritable",
        }
    }

    fn cause(&self) -> Cause {
        match self {
            Self::Refused(CommandStatus::RALYBND) => Cause::AlreadyBound,
            Self::Refused(
                CommandStatus::RINVPASWD
                | CommandStatus::RINVSYSID
                | CommandStatus::RINVSYSTYP
                | CommandStatus::RBINDFAIL
                | CommandStatus::RPROHIBITED,
            )
            | Self::Unwritable(_) => Cause::Refused,
            _ => Cause::Lost,
        }
    }

    /// Whether time alone will hardly mend it, so that a person should know.
    pub(super) fn needs_a_person(&self) -> bool {
        matches!(self.cause(), Cause::Refused) || matches!(self, Self::Tls(_))
    }
}

/// What a pause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Lost,
    Refused,
    AlreadyBound,
}

/// The pauses between the dials of one bind.
#[derive(Debug)]
pub(super) struct Backoff {
    settings: Redial,
    failures: u32,
    cause: Cause,
}

impl Backoff {
    pub(super) fn new(settings: Redial) -> Self {
        Self { settings, failures: 0, cause: Cause::Lost }
    }

    /// A bind held for `lived` and was lost. One that held longer than the longest pause starts anew.
    pub(super) fn after_loss(&mut self, lived: Duration, chance: f64) -> Duration {
        if lived >= self.settings.longest {
            self.failures = 0;
        }
        self.after(Cause::Lost, chance)
    }

    /// A bind could not be made. `chance` is a random number from 0 to 1.
    pub(super) fn after_failure(&mut self, error: &DialError, chance: f64) -> Duration {
        self.after(error.cause(), chance)
    }

    fn after(&mut self, cause: Cause, chance: f64) -> Duration {
        if cause != self.cause {
            self.failures = 0;
            self.cause = cause;
        }
        let Redial { first, longest, refused, refused_longest, already_bound } = self.settings;
        let (start, cap) = match cause {
            Cause::Lost => (first, longest),
            Cause::Refused => (refused, refused_longest),
            Cause::AlreadyBound => (already_bound, already_bound),
        };
        let whole = start.saturating_mul(1_u32 << self.failures.min(16)).min(cap);
        self.failures = self.failures.saturating_add(1);
        match cause {
            // Shorter would come before the operator has forgotten the session that is gone.
            Cause::AlreadyBound => whole,
            Cause::Lost | Cause::Refused => whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0),
        }
    }
}

/// Connects and binds.
///
/// # Errors
/// Why it is not bound. The connection, if there was one, is closed.
pub(super) async fn dial(settings: &Upstream, kind: BindKind, clock: &Clock) -> Result<Dialled, DialError> {
    let mut link = connect(settings, clock).await?;
    let bind = bind(settings, kind, &mut link);
    let bound = within(clock, settings.patience.bind, "answer to the bind", bind).await;
    match bound.and_then(|bound| bound) {
        Ok((session, peer_name)) => Ok(Dialled { link, session, peer_name }),
        Err(error) => {
            link.close(FAREWELL).await;
            Err(error)
        }
    }
}

/// How long a connection on which nothing holds may take to close.
const FAREWELL: Duration = Duration::from_millis(500);

async fn connect(settings: &Upstream, clock: &Clock) -> Result<Link, DialError> {
    let patience = settings.patience.connect;
    let stream = within(clock, patience, "connection", reach(&settings.address)).await??;
    let Some(Tls { identity, server_name }) = &settings.tls else {
        return Link::plain(stream, Limits::default()).map_err(DialError::Unreachable);
    };
    let host = settings.address.rsplit_once(':').map_or(settings.address.as_str(), |(host, _)| host);
    let name = tls::server_name(server_name.as_deref().unwrap_or(host.trim_matches(['[', ']'])))?;
    let connector = tls::connector(identity)?;
    let stream = tls::connect(&connector, name, stream, patience).await?;
    Link::tls(stream, Limits::default()).map_err(DialError::Unreachable)
}

/// The first of the host's addresses that takes the connection.
async fn reach(address: &str) -> Result<TcpStream, DialError> {
    let addresses = lookup_host(address).await.map_err(DialError::Unresolved)?;
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(DialError::Unreachable(failure))
}

async fn bind(settings: &Upstream, kind: BindKind, link: &mut Link) -> Result<(Session, COctets), DialError> {
    let ours = settings.interface_version;
    let mut session = Session::new(Role::Esme, ours);
    request(settings).encode(link.out(), kind, SEQUENCE)?;
    loop {
        link.write().await?;
        while let Some(frame) = link.next_frame()? {
            if is_answer(&frame, kind) {
                let (status, theirs, name) = answer(frame);
                if !status.is_ok() {
                    return Err(DialError::Refused(status));
                }
                let agreed = theirs.map_or(ours, |theirs| ours.agreed(theirs));
                // A session that is just opened can always be bound.
                let _ = session.bound(kind, agreed);
                return Ok((session, name));
            }
            before_bound(&session, &frame, link);
        }
        if link.io(true).await? == Io::Closed {
            return Err(DialError::Closed);
        }
    }
}

/// The sequence number of a bind: it is the first PDU.
const SEQUENCE: u32 = 1;

fn request(settings: &Upstream) -> Bind {
    Bind {
        system_id: settings.system_id.as_str().into(),
        password: Password::new(settings.password.expose()),
        system_type: settings.system_type.as_str().into(),
        interface_version: settings.interface_version,
        addr_ton: Ton(settings.addr_ton),
        addr_npi: Npi(settings.addr_npi),
        address_range: settings.address_range.as_str().into(),
        ..Bind::default()
    }
}

/// The answer to the bind, or a generic_nack of it (SMPP 3.4 §4.3).
fn is_answer(frame: &Frame, kind: BindKind) -> bool {
    let command = frame.header.command;
    let answers = command == kind.command().response() || command == CommandId::GENERIC_NACK;
    answers && frame.header.sequence == SEQUENCE
}

/// Status, version and name of the centre. A body may be missing or odd (conformance C-218 to C-220).
fn answer(frame: Frame) -> (CommandStatus, Option<InterfaceVersion>, COctets) {
    let status = match frame.header.command {
        CommandId::GENERIC_NACK if frame.header.status.is_ok() => CommandStatus::RUNKNOWNERR,
        _ => frame.header.status,
    };
    match BindResp::decode(frame.body, status) {
        Ok(resp) => (status, resp.sc_interface_version(), resp.system_id.unwrap_or_default()),
        Err(_) => (status, None, COctets::EMPTY),
    }
}

/// enquire_link is answered in any state (conformance L-09); other requests have no place yet.
fn before_bound(session: &Session, frame: &Frame, link: &mut Link) {
    let command = frame.header.command;
    let answer = match session.receive(command) {
        Verdict::Accept if command == CommandId::ENQUIRE_LINK => {
            Some((CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK))
        }
        verdict => verdict.answer(command),
    };
    if let Some((command, status)) = answer {
        encode_empty(link.out(), command, status, frame.header.sequence);
    }
}

async fn within<T>(
    clock: &Clock,
    span: Duration,
    what: &'static str,
    act: impl Future<Output = T>,
) -> Result<T, DialError> {
    let until = clock.monotonic().saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    tokio::select! {
        done = act => Ok(done),
        () = clock.sleep_until_monotonic(until) => Err(DialError::Silent { what, within: span }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(backoff: &mut Backoff, error: &DialError, count: usize) -> Vec<u64> {
        (0..count).map(|_| backoff.after_failure(error, 1.0).as_secs()).collect()
    }

    #[test]
    fn pauses_double_up_to_their_cap() {
        let mut backoff = Backoff::new(Redial::default());
        assert_eq!(pauses(&mut backoff, &DialError::Closed, 6), [4, 8, 16, 32, 60, 60]);
        let refused = DialError::Refused(CommandStatus::RINVPASWD);
        assert_eq!(pauses(&mut backoff, &refused, 5), [60, 120, 240, 480, 600]);
        let already = DialError::Refused(CommandStatus::RALYBND);
        assert_eq!(pauses(&mut backoff, &already, 2), [120, 120]);
        assert_eq!(pauses(&mut backoff, &DialError::Closed, 1), [4]);
    }

    #[test]
    fn chance_takes_up_to_half_away() {
        let mut backoff = Backoff::new(Redial::default());
        assert_eq!(backoff.after_failure(&DialError::Closed, 0.0), Duration::from_secs(2));
        assert_eq!(backoff.after_failure(&DialError::Closed, 0.5), Duration::from_secs(6));
    }

    #[test]
    fn only_a_bind_that_held_starts_anew() {
        let mut backoff = Backoff::new(Redial::default());
        let mut after = |lived| backoff.after_loss(Duration::from_secs(lived), 1.0).as_secs();
        assert_eq!([after(1), after(1), after(59), after(60)], [4, 8, 16, 4]);
    }
}
