//! Connects and binds, and says in words that are the same for the same cause why it could not.

use std::time::Duration;

use rustls::pki_types::ServerName;
use smpp_proto::field::{COctets, InterfaceVersion};
use smpp_proto::pdu::{Bind, BindKind, Password};
use smpp_proto::{CommandId, CommandStatus, EncodeError};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::LoadError;
use super::settings::Settings;
use crate::link::{Io, Limits, Link, LinkError, tls};

/// Connects and binds.
#[derive(Debug)]
pub(super) struct Dialer {
    address: String,
    bind: Bind,
    tls: Option<(TlsDebug, ServerName<'static>)>,
}

/// A connector, which has no Debug of its own.
struct TlsDebug(TlsConnector);

impl std::fmt::Debug for TlsDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TLS")
    }
}

/// Why a connection is not bound.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    #[error("{0}")]
    Link(#[from] LinkError),
    #[error("the bind cannot be written: {0}")]
    Encode(#[from] EncodeError),
    #[error("the bind was answered {0}")]
    Refused(CommandStatus),
    #[error("the bind was answered with {0}")]
    Unexpected(CommandId),
    #[error("closed instead of an answer to the bind")]
    Closed,
    #[error("no answer to the bind within {0:?}")]
    BindTimeout(Duration),
}

impl Dialer {
    pub(super) fn new(settings: &Settings) -> Result<Self, LoadError> {
        let bind = Bind {
            system_id: COctets::from(settings.system_id.as_str()),
            password: Password::new(settings.password.octets()),
            system_type: COctets::from(settings.system_type.as_str()),
            interface_version: InterfaceVersion(settings.interface_version),
            ..Bind::default()
        };
        let tls = match &settings.tls {
            Some((identity, name)) => Some((TlsDebug(tls::connector(identity)?), tls::server_name(name)?)),
            None => None,
        };
        Ok(Self { address: settings.connect.clone(), bind, tls })
    }

    pub(super) async fn bind(&self, kind: BindKind) -> Result<Link, DialError> {
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(&self.address))
            .await
            .map_err(|_| DialError::ConnectTimeout(CONNECT_WITHIN))?
            .map_err(DialError::Connect)?;
        let mut link = match &self.tls {
            None => Link::plain(stream, Limits::default()).map_err(LinkError::from)?,
            Some((connector, name)) => {
                let stream = tls::connect(&connector.0, name.clone(), stream, CONNECT_WITHIN).await?;
                Link::tls(stream, Limits::default()).map_err(LinkError::from)?
            }
        };
        self.bind.encode(link.out(), kind, 1)?;
        let answer = timeout(BIND_WITHIN, async {
            loop {
                if let Some(frame) = link.next_frame()? {
                    break Ok(frame.header);
                }
                if link.io(true).await? == Io::Closed {
                    break Err(DialError::Closed);
                }
            }
        });
        let header = answer.await.map_err(|_| DialError::BindTimeout(BIND_WITHIN))??;
        match (header.command == kind.command().response(), header.status) {
            (_, status) if !status.is_ok() => Err(DialError::Refused(status)),
            (true, _) => Ok(link),
            (false, _) => Err(DialError::Unexpected(header.command)),
        }
    }
}

/// Time to connect, and for a TLS handshake.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Time for the answer to a bind.
const BIND_WITHIN: Duration = Duration::from_secs(30);
