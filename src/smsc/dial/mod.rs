//! From an address, or from an operator's call, to a bound link: name, TCP, TLS, bind (SMPP 3.4 §2.2, §4.1).

mod backoff;
mod outbind;

pub(super) use backoff::Backoff;
pub(super) use outbind::{Doorbell, answer_calls};

use std::future::Future;
use std::io;
use std::time::Duration;

use smpp_proto::field::{COctets, CommandStatus, InterfaceVersion, Npi, Ton};
use smpp_proto::pdu::bind::PASSWORD_LIMIT;
use smpp_proto::pdu::{Bind, BindKind, BindResp, Frame, Header, Password, Quirks, Reading, encode_empty};
use smpp_proto::session::{Role, Session, Verdict};
use smpp_proto::{CommandId, EncodeError};
use tokio::net::{TcpStream, lookup_host};

use super::settings::{Tls, Upstream};
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
    /// The response to the bind, and what it was forgiven.
    pub(super) told: (Header, Quirks),
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
    #[error("a good outbind was expected, not {0}")]
    Uncalled(CommandId),
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
            Self::Uncalled(_) => "uncalled",
            Self::Unwritable(_) => "unwritable",
        }
    }

    fn cause(&self) -> backoff::Cause {
        use backoff::Cause;
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
        matches!(self.cause(), backoff::Cause::Refused) || matches!(self, Self::Tls(_))
    }
}

/// Connects and binds.
///
/// # Errors
/// Why it is not bound. The connection, if there was one, is closed.
pub(super) async fn dial(settings: &Upstream, kind: BindKind, clock: &Clock) -> Result<Dialled, DialError> {
    let link = connect(settings, clock).await?;
    bind_on(link, Session::new(Role::Esme, settings.interface_version), settings, kind, clock).await
}

/// Waits until the operator calls, and binds on its connection; or, if it wants that, calls back and binds there.
///
/// # Errors
/// Why it is not bound. The connection is closed.
pub(super) async fn wait_for_call(
    doorbell: &Doorbell,
    settings: &Upstream,
    kind: BindKind,
    clock: &Clock,
) -> Result<Dialled, DialError> {
    let link = doorbell.next().await;
    if settings.outbind.as_ref().is_some_and(|outbind| outbind.connect_back) {
        link.close(FAREWELL).await;
        return dial(settings, kind, clock).await;
    }
    let mut session = Session::new(Role::Esme, settings.interface_version);
    // A session that is just opened may always be called.
    let _ = session.outbound();
    bind_on(link, session, settings, kind, clock).await
}

async fn bind_on(
    mut link: Link,
    session: Session,
    settings: &Upstream,
    kind: BindKind,
    clock: &Clock,
) -> Result<Dialled, DialError> {
    let bind = bind(settings, kind, &mut link, session);
    let bound = within(clock, settings.patience.bind, "answer to the bind", bind).await;
    match bound.and_then(|bound| bound) {
        Ok((session, peer_name, told)) => Ok(Dialled { link, session, peer_name, told }),
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

async fn bind(
    settings: &Upstream,
    kind: BindKind,
    link: &mut Link,
    mut session: Session,
) -> Result<(Session, COctets, (Header, Quirks)), DialError> {
    request(settings).encode(link.out(), kind, SEQUENCE)?;
    loop {
        link.write().await?;
        while let Some(frame) = link.next_frame()? {
            if is_answer(&frame, kind) {
                let header = frame.header;
                let mut reading = Reading::new(settings.lenience.lenience());
                header.note(&mut reading);
                let (status, theirs, name) = answer(frame, &mut reading);
                let stands = status == CommandStatus::RALYBND && settings.already_bound_is_success;
                if !status.is_ok() && !stands {
                    return Err(DialError::Refused(status));
                }
                let agreed = agreed(settings.interface_version, theirs);
                // A session that is just opened can always be bound.
                let _ = session.bound(kind, agreed);
                return Ok((session, name, (header, reading.met)));
            }
            before_bound(&session, &frame, link);
        }
        if link.io(true).await? == Io::Closed {
            return Err(DialError::Closed);
        }
    }
}

/// The version of the session. A centre that tells none is taken for one of 3.4, because many do not say so, unless we
/// are to speak 3.3 (conformance C-210); with one that offers more than we asked for we speak what we asked for (C-211).
fn agreed(ours: InterfaceVersion, theirs: Option<InterfaceVersion>) -> InterfaceVersion {
    ours.agreed(theirs.unwrap_or(InterfaceVersion::V3_4))
}

/// The sequence number of a bind: it is the first PDU.
const SEQUENCE: u32 = 1;

fn request(settings: &Upstream) -> Bind {
    Bind {
        system_id: settings.system_id.as_str().into(),
        password: Password::new(password_of(settings)),
        system_type: settings.system_type.as_str().into(),
        interface_version: settings.interface_version,
        addr_ton: Ton(settings.addr_ton),
        addr_npi: Npi(settings.addr_npi),
        address_range: settings.address_range.as_str().into(),
        ..Bind::default()
    }
}

/// The password whole, or what fits its field where the operator compares no more.
fn password_of(settings: &Upstream) -> &[u8] {
    let whole = settings.password.expose();
    if settings.password_cut { whole.get(..PASSWORD_LIMIT - 1).unwrap_or(whole) } else { whole }
}

/// The answer to the bind, or a generic_nack of it (SMPP 3.4 §4.3).
fn is_answer(frame: &Frame, kind: BindKind) -> bool {
    let command = frame.header.command;
    let answers = command == kind.command().response() || command == CommandId::GENERIC_NACK;
    answers && frame.header.sequence == SEQUENCE
}

/// Status, version and name of the centre. A body may be missing or odd (conformance C-218 to C-220).
fn answer(frame: Frame, reading: &mut Reading) -> (CommandStatus, Option<InterfaceVersion>, COctets) {
    let status = match frame.header.command {
        CommandId::GENERIC_NACK if frame.header.status.is_ok() => CommandStatus::RUNKNOWNERR,
        _ => frame.header.status,
    };
    match BindResp::decode_with(frame.body, status, reading) {
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
