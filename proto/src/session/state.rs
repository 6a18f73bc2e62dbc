//! The states of a session, who may send what in which, and what the other is answered (SMPP 3.4 §2.2, 5.0 §2.3).

use std::fmt;

use crate::field::{CommandId, CommandStatus, InterfaceVersion};
use crate::pdu::BindKind;

/// How far a session has come (SMPP 3.4 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Connected, nothing bound.
    Open,
    /// The message centre has connected and sent outbind; the ESME is to bind.
    Outbound,
    /// Bound as transmitter.
    BoundTx,
    /// Bound as receiver.
    BoundRx,
    /// Bound as transceiver.
    BoundTrx,
    /// unbind is answered, the connection still stands.
    Unbound,
    /// The connection is gone.
    Closed,
}

impl State {
    /// Whether a bind holds.
    #[must_use]
    pub const fn is_bound(self) -> bool {
        matches!(self, State::BoundTx | State::BoundRx | State::BoundTrx)
    }

    /// The state in which a bind of this kind holds.
    #[must_use]
    pub const fn bound_as(kind: BindKind) -> State {
        match kind {
            BindKind::Transmitter => State::BoundTx,
            BindKind::Receiver => State::BoundRx,
            BindKind::Transceiver => State::BoundTrx,
        }
    }
}

/// The two sides of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that binds.
    Esme,
    /// The message centre.
    Mc,
}

impl Role {
    /// The other side.
    #[must_use]
    pub const fn peer(self) -> Role {
        match self {
            Role::Esme => Role::Mc,
            Role::Mc => Role::Esme,
        }
    }
}

/// What is done about a PDU that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in its place.
    Accept,
    /// Nothing happens but the response that belongs to the command, with this status and no body.
    Respond(CommandStatus),
    /// Nothing happens but a generic_nack with this status and the sequence number of the PDU.
    Nack(CommandStatus),
    /// Nothing happens and nothing is answered.
    Ignore,
}

impl Verdict {
    /// The refusal to be sent for `command`: the id and the status of the PDU without body.
    #[must_use]
    pub const fn answer(self, command: CommandId) -> Option<(CommandId, CommandStatus)> {
        match self {
            Verdict::Respond(status) => Some((command.response(), status)),
            Verdict::Nack(status) => Some((CommandId::GENERIC_NACK, status)),
            Verdict::Accept | Verdict::Ignore => None,
        }
    }
}

/// Whether the documents let `sender` send the request `command` (SMPP 3.4 §2.3, 5.0 §2.4). Responses are not judged.
///
/// 3.4 prints replace_sm for transmitters only; that is read as a slip.
#[must_use]
pub const fn allowed(sender: Role, command: CommandId, state: State, version: InterfaceVersion) -> bool {
    let from_esme = matches!(sender, Role::Esme);
    let transmits = from_esme && matches!(state, State::BoundTx | State::BoundTrx);
    let receives = !from_esme && matches!(state, State::BoundRx | State::BoundTrx);
    let v5 = version.0 >= InterfaceVersion::V5_0.0;
    match command {
        CommandId::BIND_TRANSMITTER | CommandId::BIND_RECEIVER | CommandId::BIND_TRANSCEIVER => {
            from_esme && matches!(state, State::Open | State::Outbound)
        }
        CommandId::OUTBIND => !from_esme && matches!(state, State::Open),
        CommandId::SUBMIT_SM
        | CommandId::SUBMIT_MULTI
        | CommandId::QUERY_SM
        | CommandId::CANCEL_SM
        | CommandId::REPLACE_SM => transmits,
        CommandId::BROADCAST_SM | CommandId::QUERY_BROADCAST_SM | CommandId::CANCEL_BROADCAST_SM => {
            transmits && v5
        }
        CommandId::DELIVER_SM => receives,
        CommandId::ALERT_NOTIFICATION => receives && version.takes_tlvs(),
        CommandId::DATA_SM if v5 => transmits || receives,
        CommandId::DATA_SM => state.is_bound() && version.takes_tlvs(),
        CommandId::UNBIND => state.is_bound(),
        CommandId::ENQUIRE_LINK => state.is_bound() || v5 && !matches!(state, State::Closed),
        _ => false,
    }
}

/// What is done about `command` when `sender` sends it: [`allowed`], the usual leniency, and the answers to the rest.
///
/// enquire_link is taken in any state. Commands that the version does not have are unknown: generic_nack. Which
/// response belongs to which request is the window's business, so known responses pass.
#[must_use]
pub const fn may(sender: Role, command: CommandId, state: State, version: InterfaceVersion) -> Verdict {
    if matches!(state, State::Closed) {
        return Verdict::Ignore;
    }
    if command.is_response() {
        return if command.name().is_some() { Verdict::Accept } else { Verdict::Ignore };
    }
    if matches!(command, CommandId::ENQUIRE_LINK) || allowed(sender, command, state, version) {
        return Verdict::Accept;
    }
    if !exists(command, version) {
        return Verdict::Nack(CommandStatus::RINVCMDID);
    }
    match command {
        CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION => match sender {
            Role::Esme => Verdict::Nack(CommandStatus::RINVCMDID),
            Role::Mc => Verdict::Ignore,
        },
        _ if BindKind::of(command).is_some() && state.is_bound() => Verdict::Respond(CommandStatus::RALYBND),
        _ => Verdict::Respond(CommandStatus::RINVBNDSTS),
    }
}

/// Whether a session of `version` knows the request. The binds that come before a version is agreed always exist.
const fn exists(command: CommandId, version: InterfaceVersion) -> bool {
    match command {
        CommandId::DATA_SM | CommandId::ALERT_NOTIFICATION => version.takes_tlvs(),
        CommandId::BROADCAST_SM | CommandId::QUERY_BROADCAST_SM | CommandId::CANCEL_BROADCAST_SM => {
            version.0 >= InterfaceVersion::V5_0.0
        }
        // Only their names are known here, whatever the version: no document that is still in use has them.
        CommandId::PARAM_RETRIEVE | CommandId::QUERY_LAST_MSGS | CommandId::QUERY_MSG_DETAILS => false,
        _ => command.name().is_some(),
    }
}

/// One session as seen from one side: its state, its version, and whether someone is leaving (SMPP 3.4 §2.2, §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    role: Role,
    state: State,
    version: InterfaceVersion,
    leaving: Leaving,
}

/// Who has sent unbind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    Nobody,
    We,
    TheyToo,
}

/// An event that has no place in the state it met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalTransition {
    /// The state, unchanged.
    pub state: State,
    /// What was to happen.
    pub event: &'static str,
}

impl fmt::Display for IllegalTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has no place in state {:?}", self.event, self.state)
    }
}

impl std::error::Error for IllegalTransition {}

impl Session {
    /// A fresh connection. `role` is ours, `version` the highest we speak; it holds until a bind agrees on another.
    #[must_use]
    pub const fn new(role: Role, version: InterfaceVersion) -> Session {
        Session { role, state: State::Open, version, leaving: Leaving::Nobody }
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The version: ours, after the bind the agreed one.
    #[must_use]
    pub const fn version(&self) -> InterfaceVersion {
        self.version
    }

    /// Whether one side has sent unbind: nothing new is begun.
    #[must_use]
    pub const fn is_leaving(&self) -> bool {
        !matches!(self.leaving, Leaving::Nobody)
    }

    /// Whether we may send the request `command` now.
    #[must_use]
    pub const fn may_send(&self, command: CommandId) -> bool {
        let passes = !self.is_leaving() || matches!(command, CommandId::ENQUIRE_LINK);
        passes && allowed(self.role, command, self.state, self.version)
    }

    /// What is done about `command` from the peer. Behind its own unbind a peer may ask for nothing more.
    #[must_use]
    pub const fn receive(&self, command: CommandId) -> Verdict {
        let state = match (self.state, self.leaving) {
            (State::BoundTx | State::BoundRx | State::BoundTrx, Leaving::TheyToo) => State::Unbound,
            (state, _) => state,
        };
        may(self.role.peer(), command, state, self.version)
    }

    /// outbind was sent, or received.
    ///
    /// # Errors
    /// The session is not just opened.
    pub fn outbound(&mut self) -> Result<(), IllegalTransition> {
        match self.state {
            State::Open => self.enter(State::Outbound),
            _ => self.illegal("outbind"),
        }
    }

    /// A bind was answered with status 0; `version` is what both agreed on.
    ///
    /// # Errors
    /// The session was bound before, or is over.
    pub fn bound(&mut self, kind: BindKind, version: InterfaceVersion) -> Result<(), IllegalTransition> {
        match self.state {
            State::Open | State::Outbound => {
                self.version = version;
                self.enter(State::bound_as(kind))
            }
            _ => self.illegal("bind"),
        }
    }

    /// We have sent unbind. We still answer, and begin nothing new.
    ///
    /// # Errors
    /// Nothing is bound, or one side is leaving already.
    pub fn unbind_sent(&mut self) -> Result<(), IllegalTransition> {
        if !self.state.is_bound() || self.is_leaving() {
            return self.illegal("sending unbind");
        }
        self.leaving = Leaving::We;
        Ok(())
    }

    /// The peer has sent unbind, perhaps across ours. Open requests are finished before it is answered.
    ///
    /// # Errors
    /// Nothing is bound, or the peer said so before.
    pub fn unbind_received(&mut self) -> Result<(), IllegalTransition> {
        if !self.state.is_bound() || self.leaving == Leaving::TheyToo {
            return self.illegal("receiving unbind");
        }
        self.leaving = Leaving::TheyToo;
        Ok(())
    }

    /// unbind_resp was sent, or received with whatever status.
    ///
    /// # Errors
    /// Nobody has sent unbind.
    pub fn unbound(&mut self) -> Result<(), IllegalTransition> {
        if !self.state.is_bound() || !self.is_leaving() {
            return self.illegal("unbind_resp");
        }
        self.enter(State::Unbound)
    }

    /// The connection is gone, for whatever reason. Being told twice changes nothing.
    pub fn closed(&mut self) {
        self.state = State::Closed;
    }

    fn enter(&mut self, state: State) -> Result<(), IllegalTransition> {
        self.state = state;
        Ok(())
    }

    fn illegal(&self, event: &'static str) -> Result<(), IllegalTransition> {
        Err(IllegalTransition { state: self.state, event })
    }
}
