//! What an operator is forgiven when its PDUs are read: as its settings have it, counted, and told once a bind.

use smpp_proto::CommandStatus;
use smpp_proto::pdu::{Frame, Header, Pdu, Quirks, Reading};

use super::Bound;

impl Bound {
    /// Begins to read a PDU.
    pub(super) fn reads(&self, header: &Header) -> Reading {
        let mut reading = Reading::new(self.shared.settings.lenience.lenience());
        header.note(&mut reading);
        reading
    }

    /// Counts what a PDU was forgiven, and tells what this bind was not forgiven before.
    pub(super) fn forgave(&mut self, met: Quirks, header: &Header) {
        if met.is_empty() {
            return;
        }
        self.shared.metrics.forgave(met);
        let news = met.minus(self.told);
        self.told = self.told.and(met);
        for quirk in news.iter() {
            tracing::info!(upstream = %self.shared.settings.name, bind = %self.place, %quirk,
                command = %header.command, sequence = header.sequence, "forgiven; further ones are counted, not logged");
        }
    }

    /// Notes what a PDU is forgiven whose body says nothing; gives the status for one that is not (conformance C-017).
    pub(super) fn look_through(&mut self, frame: &Frame) -> CommandStatus {
        let mut reading = self.reads(&frame.header);
        let read = Pdu::decode_noting(frame.clone(), &mut reading);
        self.forgave(reading.met, &frame.header);
        read.map_or_else(|fault| fault.problem.status(), |_| CommandStatus::ROK)
    }
}
