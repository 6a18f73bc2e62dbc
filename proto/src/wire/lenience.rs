//! What a reader forgives, and what it had to forgive.

use super::quirk::{Quirk, Quirks};

/// Which departures from the specification a reader forgives. Writing forgives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lenience(Quirks);

impl Lenience {
    /// Forgives nothing that the specification lets a reader refuse.
    pub const STRICT: Lenience = Lenience(Quirks::ALWAYS);

    /// Forgives everything.
    pub const PERMISSIVE: Lenience = Lenience(Quirks::ALL);

    /// Forgives what does no harm: everything but strings over their limit, data_codings that nobody defines, and
    /// receipts as submissions.
    pub const DEFAULT: Lenience = Lenience::PERMISSIVE
        .without(Quirk::OneOver)
        .without(Quirk::ReservedCoding)
        .without(Quirk::EsmClassType);

    /// Forgives these, and what is always forgiven.
    pub const fn of(quirks: Quirks) -> Lenience {
        Lenience(quirks.and(Quirks::ALWAYS))
    }

    /// The same, and this one forgiven too.
    #[must_use]
    pub const fn with(self, quirk: Quirk) -> Lenience {
        Lenience(self.0.with(quirk))
    }

    /// The same with this one refused, unless it is always forgiven.
    #[must_use]
    pub const fn without(self, quirk: Quirk) -> Lenience {
        Lenience::of(self.0.without(quirk))
    }

    /// True if the quirk is forgiven.
    pub const fn forgives(self, quirk: Quirk) -> bool {
        self.0.has(quirk)
    }

    /// What is forgiven.
    pub const fn quirks(self) -> Quirks {
        self.0
    }
}

impl Default for Lenience {
    fn default() -> Lenience {
        Lenience::DEFAULT
    }
}

/// One reading of one PDU, or of several: what is forgiven, and what was met and forgiven so far.
///
/// ```
/// use bytes::Bytes;
/// use smpp_proto::pdu::{DeliverSmResp, Lenience, Quirk, Reading};
/// use smpp_proto::CommandStatus;
///
/// let mut reading = Reading::new(Lenience::DEFAULT);
/// let resp = DeliverSmResp::decode_with(Bytes::from_static(b"4F2A\0"), CommandStatus::ROK, &mut reading);
/// assert!(resp.is_ok() && reading.met.has(Quirk::IdInDeliveryResponse));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What is forgiven.
    pub lenience: Lenience,
    /// What was forgiven.
    pub met: Quirks,
}

impl Reading {
    /// A reading that has met nothing yet.
    pub const fn new(lenience: Lenience) -> Reading {
        Reading { lenience, met: Quirks::NONE }
    }

    /// Notes the quirk if it is forgiven, and says whether it is.
    #[cold]
    pub(crate) fn forgive(&mut self, quirk: Quirk) -> bool {
        let forgiven = self.lenience.forgives(quirk);
        if forgiven {
            self.met = self.met.with(quirk);
        }
        forgiven
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_can_be_changed_quirk_by_quirk() {
        assert!(Lenience::STRICT.with(Quirk::OneOver).forgives(Quirk::OneOver));
        assert!(!Lenience::DEFAULT.forgives(Quirk::OneOver) && Lenience::DEFAULT.forgives(Quirk::HalfTlv));
        assert!(!Lenience::PERMISSIVE.without(Quirk::HalfTlv).forgives(Quirk::HalfTlv));
        assert!(Lenience::PERMISSIVE.without(Quirk::SequenceRange).forgives(Quirk::SequenceRange));
        assert_eq!(Lenience::of(Quirks::NONE), Lenience::STRICT);
    }

    #[test]
    fn a_reading_notes_what_it_forgives() {
        let mut reading = Reading::new(Lenience::STRICT);
        assert!(!reading.forgive(Quirk::HalfTlv) && reading.met.is_empty());
        assert!(reading.forgive(Quirk::SequenceRange) && reading.met.has(Quirk::SequenceRange));
    }
}
