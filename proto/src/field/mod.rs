//! The fields of which PDUs are made: strings, addresses, codes, flags, TLVs and times (SMPP 3.4 §3.1, §5).
//!
//! Codes are open newtypes: every value of the integer is a value of the type, and the known ones have names. What
//! a PDU is and in which order its fields come is not known here.

macro_rules! open_code {
    (
        $(#[$doc:meta])*
        $name:ident($int:ty, $width:literal) {
            $($(#[$code_doc:meta])* $code:ident = $value:literal, $word:literal;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub $int);

        impl $name {
            $($(#[$code_doc])* pub const $code: $name = $name($value);)*

            /// Name in the specification, if the value has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($word),)*
                    _ => None,
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self.name() {
                    Some(name) => write!(f, concat!("{} (0x{:0", $width, "X})"), name, self.0),
                    None => write!(f, concat!("0x{:0", $width, "X}"), self.0),
                }
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl From<$int> for $name {
            fn from(value: $int) -> $name {
                $name(value)
            }
        }

        impl From<$name> for $int {
            fn from(code: $name) -> $int {
                code.0
            }
        }
    };
}

pub mod address;
pub mod command;
pub mod dcs;
pub mod flags;
pub mod octets;
pub mod state;
pub mod status;
pub mod time;
pub mod tlv;

pub use address::{Address, Npi, Ton};
pub use command::CommandId;
pub use dcs::{Alphabet, DataCoding};
pub use flags::{EsmClass, InterfaceVersion, MessageType, Mode, ReceiptWish, RegisteredDelivery};
pub use octets::COctets;
pub use state::MessageState;
pub use status::CommandStatus;
pub use time::{SmppTime, TimeError};
pub use tlv::{Tag, Tlv, TlvValue, Tlvs};
