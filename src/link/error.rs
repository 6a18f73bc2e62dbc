//! Why a connection can no longer be used, named after what happened.

use std::io;
use std::time::Duration;

use smpp_proto::FrameError;

use super::sniff::Foreign;

/// The end of a link. After any of these the owner answers what it still may (see [`LinkError::Framing`]) and closes.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The socket failed: reset, unreachable, broken pipe, or TLS refused to go on.
    #[error("the connection failed: {0}")]
    Socket(#[from] io::Error),
    /// The octets can no longer be cut into PDUs. The owner answers generic_nack ESME_RINVCMDLEN with
    /// [`FrameError::sequence`] and closes (reference §6).
    #[error("{error}{}", foreign_words(*.foreign))]
    Framing {
        /// What is wrong with the header.
        error: FrameError,
        /// The other protocol these octets look like, if any; only at the beginning of a connection.
        foreign: Option<Foreign>,
    },
    /// The rest of a begun PDU did not come in time.
    #[error("a PDU was begun and not finished within {0:?}")]
    PartialPdu(Duration),
    /// The peer does not read what it is sent.
    #[error("the peer took nothing of what was written for {0:?}")]
    WriteStalled(Duration),
    /// The peer closed in the middle of a PDU.
    #[error("the peer closed after {0} octets of an unfinished PDU")]
    ClosedInsidePdu(usize),
    /// The TLS handshake did not end in time.
    #[error("the TLS handshake took longer than {0:?}")]
    HandshakeTimeout(Duration),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Handshake(#[source] io::Error),
}

fn foreign_words(foreign: Option<Foreign>) -> String {
    foreign.map_or_else(String::new, |foreign| format!("; {foreign}"))
}
