//! bind_receiver, bind_transmitter, bind_transceiver, their responses, and outbind (SMPP 3.4 §4.1).

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem, ProblemClass};
use crate::field::{COctets, CommandId, CommandStatus, InterfaceVersion, Npi, Tag, Tlvs, Ton};
use crate::wire::{Fields, LONG_LIMIT, Lenience, Quirk, Reading, Writer, response};

/// Limit of system_id, in octets with the NUL (SMPP 3.4 §5.2.1).
pub const SYSTEM_ID_LIMIT: usize = 16;
/// Limit of password, in octets with the NUL (SMPP 3.4 §5.2.2).
pub const PASSWORD_LIMIT: usize = 9;
/// What is read and written of a password in practice, in octets with the NUL: operators give out longer ones.
pub const LONG_PASSWORD_LIMIT: usize = LONG_LIMIT;
/// Limit of system_type, in octets with the NUL (SMPP 3.4 §5.2.3).
pub const SYSTEM_TYPE_LIMIT: usize = 13;
/// Limit of address_range, in octets with the NUL (SMPP 3.4 §5.2.7).
pub const ADDRESS_RANGE_LIMIT: usize = 41;

/// A password as it came. Never shown; comparing it in constant time is the business of who knows the right one.
/// SMPP 3.4 §5.2.2.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(COctets);

impl Password {
    /// A password of these octets, without the NUL.
    pub fn new(octets: impl Into<COctets>) -> Password {
        Password(octets.into())
    }

    /// The secret itself, to be compared or sent, never to be logged.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// True if no password was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Password {
        Password::new(text)
    }
}

impl From<COctets> for Password {
    fn from(octets: COctets) -> Password {
        Password(octets)
    }
}

/// What a session is bound for (SMPP 3.4 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BindKind {
    /// Takes messages from the centre.
    Receiver,
    /// Sends messages to the centre.
    Transmitter,
    /// Both.
    Transceiver,
}

impl BindKind {
    /// The command of the bind request.
    pub const fn command(self) -> CommandId {
        match self {
            BindKind::Receiver => CommandId::BIND_RECEIVER,
            BindKind::Transmitter => CommandId::BIND_TRANSMITTER,
            BindKind::Transceiver => CommandId::BIND_TRANSCEIVER,
        }
    }

    /// The kind that a bind request, or its response, is of.
    pub const fn of(command: CommandId) -> Option<BindKind> {
        match command {
            CommandId::BIND_RECEIVER | CommandId::BIND_RECEIVER_RESP => Some(BindKind::Receiver),
            CommandId::BIND_TRANSMITTER | CommandId::BIND_TRANSMITTER_RESP => Some(BindKind::Transmitter),
            CommandId::BIND_TRANSCEIVER | CommandId::BIND_TRANSCEIVER_RESP => Some(BindKind::Transceiver),
            _ => None,
        }
    }
}

/// The body of the three bind requests (SMPP 3.4 §4.1.1, §4.1.3, §4.1.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// Who binds (SMPP 3.4 §5.2.1).
    pub system_id: COctets,
    /// How it proves that (SMPP 3.4 §5.2.2).
    pub password: Password,
    /// What kind of system it is (SMPP 3.4 §5.2.3).
    pub system_type: COctets,
    /// The version that it speaks (SMPP 3.4 §5.2.4).
    pub interface_version: InterfaceVersion,
    /// TON of the addresses that it serves (SMPP 3.4 §5.2.5).
    pub addr_ton: Ton,
    /// NPI of the addresses that it serves (SMPP 3.4 §5.2.6).
    pub addr_npi: Npi,
    /// The addresses that it serves: a regular expression of UNIX, or one address (SMPP 3.4 §5.2.7).
    pub address_range: COctets,
    /// Optional parameters; none is defined here (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl Bind {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<Bind, Problem> {
        Bind::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<Bind, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(Bind {
            system_id: fields.c_octets("system_id", SYSTEM_ID_LIMIT)?,
            password: password(&mut fields)?,
            system_type: fields.c_octets("system_type", SYSTEM_TYPE_LIMIT)?,
            interface_version: InterfaceVersion(fields.u8("interface_version")?),
            addr_ton: Ton(fields.u8("addr_ton")?),
            addr_npi: Npi(fields.u8("addr_npi")?),
            address_range: match fields.c_octets("address_range", ADDRESS_RANGE_LIMIT) {
                Err(problem)
                    if problem.class == ProblemClass::BodyTruncated
                        && fields.forgive(Quirk::MissingAddressRange) =>
                {
                    COctets::EMPTY
                }
                read => read?,
            },
            tlvs: fields.tlvs_of_bind()?,
        })
    }

    /// Appends the bind request of this kind, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, kind: BindKind, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, kind.command(), sequence);
        writer.c_octets("system_id", &self.system_id, SYSTEM_ID_LIMIT);
        writer.c_octets("password", &self.password.0, LONG_PASSWORD_LIMIT);
        writer.c_octets("system_type", &self.system_type, SYSTEM_TYPE_LIMIT);
        writer.octets(&[self.interface_version.0, self.addr_ton.0, self.addr_npi.0]);
        writer.c_octets("address_range", &self.address_range, ADDRESS_RANGE_LIMIT);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}

fn password(fields: &mut Fields<'_>) -> Result<Password, Problem> {
    fields.long_c_octets("password", PASSWORD_LIMIT, Quirk::LongPassword).map(Password)
}

/// The body of the three bind responses (SMPP 3.4 §4.1.2, §4.1.4, §4.1.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindResp {
    /// Who answers; `None` if there was no body (SMPP 3.4 §5.2.1).
    pub system_id: Option<COctets>,
    /// Optional parameters: sc_interface_version (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl BindResp {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes, status: CommandStatus) -> Result<BindResp, Problem> {
        BindResp::decode_with(body, status, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(
        body: Bytes,
        status: CommandStatus,
        reading: &mut Reading,
    ) -> Result<BindResp, Problem> {
        response(body, status, reading, |mut fields| {
            let system_id =
                fields.response_octets("system_id", SYSTEM_ID_LIMIT, Some(Quirk::LongSystemId))?;
            Ok(BindResp { system_id: Some(system_id), tlvs: fields.tlvs_of_response()? })
        })
    }

    /// The version of the centre, if it told it.
    pub fn sc_interface_version(&self) -> Option<InterfaceVersion> {
        self.tlvs.u8(Tag::SC_INTERFACE_VERSION).map(InterfaceVersion)
    }

    /// Appends the response to a bind of this kind, or nothing if it cannot be written. Without a system_id an error
    /// response has no body.
    pub fn encode(
        &self,
        out: &mut BytesMut,
        kind: BindKind,
        status: CommandStatus,
        sequence: u32,
    ) -> Result<(), EncodeError> {
        let mut writer = Writer::response(out, kind.command().response(), status, sequence);
        if let Some(system_id) = &self.system_id {
            writer.c_octets("system_id", system_id, SYSTEM_ID_LIMIT);
        } else if status.is_ok() || !self.tlvs.is_empty() {
            writer.u8(0);
        }
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}

/// The body of outbind: the centre asks an ESME to bind. Never answered with a response (SMPP 3.4 §4.1.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbind {
    /// Who asks (SMPP 3.4 §5.2.1).
    pub system_id: COctets,
    /// How it proves that (SMPP 3.4 §5.2.2).
    pub password: Password,
    /// Optional parameters; none is defined here (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl Outbind {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<Outbind, Problem> {
        Outbind::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<Outbind, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(Outbind {
            system_id: fields.c_octets("system_id", SYSTEM_ID_LIMIT)?,
            password: password(&mut fields)?,
            tlvs: fields.tlvs()?,
        })
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::OUTBIND, sequence);
        writer.c_octets("system_id", &self.system_id, SYSTEM_ID_LIMIT);
        writer.c_octets("password", &self.password.0, LONG_PASSWORD_LIMIT);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}
