//! The submit_sm that a run sends: encoded once, then copied with a few octets changed.

use bytes::{BufMut, BytesMut};
use rand::rngs::SmallRng;
use smpp_proto::EncodeError;
use smpp_proto::field::{Address, COctets, EsmClass, Npi, RegisteredDelivery, Ton};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::parts::PartsError;

use super::pattern::Pattern;
use super::settings::{Settings, Text};
use crate::sim::message::{REFERENCE_AT, Wording};

/// One message as the octets of its parts, with the places of what changes.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    from: Pattern,
    to: Pattern,
    source_at: usize,
    destination_at: usize,
}

#[derive(Debug)]
struct Part {
    octets: Vec<u8>,
    reference_at: Option<usize>,
}

/// Why a text cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// It is too long.
    #[error("the text cannot be sent: {0}")]
    Parts(#[from] PartsError),
    /// A field does not fit.
    #[error("the submission cannot be written: {0}")]
    Encode(#[from] EncodeError),
}

impl Template {
    pub(super) fn new(settings: &Settings) -> Result<Self, TextError> {
        let wording = wording(&settings.text)?;
        let (from, to) = (settings.from.clone(), settings.to.clone());
        let mut submit = SubmitSm {
            source: address(&from),
            destination: address(&to),
            esm_class: EsmClass(wording.esm_class.0),
            registered_delivery: RegisteredDelivery(u8::from(
                settings.receipts || settings.receipts_elsewhere,
            )),
            data_coding: wording.data_coding,
            ..SubmitSm::default()
        };
        let mut parts = Vec::with_capacity(wording.parts.len());
        for text in &wording.parts {
            submit.short_message = text.clone();
            let mut out = BytesMut::new();
            submit.encode(&mut out, 0)?;
            let reference_at = wording.esm_class.udhi().then(|| out.len() - text.len() + REFERENCE_AT);
            parts.push(Part { octets: out.to_vec(), reference_at });
        }
        // Header, empty service_type, TON and NPI; then the source with its NUL, TON and NPI.
        let source_at = 16 + 1 + 2;
        let destination_at = source_at + from.len() + 1 + 2;
        Ok(Self { parts, from, to, source_at, destination_at })
    }

    /// How many submit_sm a message takes.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Draws the addresses of message `serial`.
    pub(super) fn address(&self, serial: u64, addresses: &mut Addresses, random: &mut SmallRng) {
        for (pattern, kept) in [(&self.from, &mut addresses.source), (&self.to, &mut addresses.destination)] {
            if kept.len() != pattern.len() {
                *kept = pattern.sample();
            }
            pattern.fill(serial, random, kept);
        }
    }

    /// Appends part `part` of message `serial`.
    pub(super) fn write(
        &self,
        part: usize,
        sequence: u32,
        serial: u64,
        addresses: &Addresses,
        out: &mut BytesMut,
    ) {
        let Some(part) = self.parts.get(part) else { return };
        let start = out.len();
        out.put_slice(&part.octets);
        let Some(pdu) = out.get_mut(start..) else { return };
        let mut put = |at: usize, octets: &[u8]| {
            if let Some(place) = pdu.get_mut(at..at + octets.len()) {
                place.copy_from_slice(octets);
            }
        };
        put(12, &sequence.to_be_bytes());
        put(self.source_at, &addresses.source);
        put(self.destination_at, &addresses.destination);
        if let Some(at) = part.reference_at {
            put(at, &[serial as u8]);
        }
    }
}

/// The addresses of the message that is being written.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    pub(super) source: Vec<u8>,
    pub(super) destination: Vec<u8>,
}

fn address(pattern: &Pattern) -> Address {
    let digits = COctets::from(pattern.sample().as_slice());
    let (ton, npi) = if pattern.is_number() {
        (Ton::INTERNATIONAL, Npi::ISDN)
    } else if pattern.is_empty() {
        (Ton::UNKNOWN, Npi::UNKNOWN)
    } else {
        (Ton::ALPHANUMERIC, Npi::UNKNOWN)
    };
    Address::new(ton, npi, digits)
}

/// The text that was asked for, or one that is made: long enough for the wanted parts.
fn wording(text: &Text) -> Result<Wording, PartsError> {
    if let Some(words) = &text.text {
        return Wording::of(words, text.ucs2);
    }
    let alphabet: &[char] =
        if text.ucs2 { &['Ж', 'д', 'ё', ' ', '你', '好'] } else { &['l', 'o', 'a', 'd', ' '] };
    let made = |length: usize| alphabet.iter().cycle().take(length).collect::<String>();
    // Parts hold 153 septets or 67 units; one more than those of the parts before makes another part.
    let (whole, each) = if text.ucs2 { (70, 67) } else { (160, 153) };
    let least = match text.parts {
        0 | 1 => text.length,
        2 => text.length.max(whole + 1),
        parts => text.length.max((parts - 1) * each + 1),
    };
    Wording::of(&made(least), text.ucs2)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use smpp_proto::{Body, FrameCodec, Pdu};

    use super::*;

    fn written(settings: &Settings, serial: u64) -> Vec<SubmitSm> {
        let template = Template::new(settings).expect("a template");
        let (mut out, mut addresses) = (BytesMut::new(), Addresses::default());
        let mut random = SmallRng::seed_from_u64(3);
        template.address(serial, &mut addresses, &mut random);
        for part in 0..template.parts() {
            template.write(part, 70 + part as u32, serial, &addresses, &mut out);
        }
        let mut submits = Vec::new();
        while let Some(frame) = FrameCodec::default().cut(&mut out).expect("no fault") {
            assert_eq!(frame.header.sequence, 70 + submits.len() as u32);
            match Pdu::decode_strict(frame).expect("well formed").body {
                Body::SubmitSm(submit) => submits.push(submit),
                other => panic!("{other:?}"),
            }
        }
        submits
    }

    #[test]
    fn fills_in_what_changes() {
        let mut settings = Settings::against("", "", "");
        settings.to = "34600+++".parse().expect("a pattern");
        settings.receipts = true;
        let [submit] = &written(&settings, 42)[..] else { panic!("one part") };
        assert_eq!(submit.destination.digits, "34600042");
        assert_eq!(submit.source.digits, "TOLLGATE");
        assert_eq!((submit.destination.ton, submit.source.ton), (Ton::INTERNATIONAL, Ton::ALPHANUMERIC));
        assert_eq!(submit.registered_delivery, RegisteredDelivery::RECEIPT);
        assert_eq!(submit.short_message.len(), 40);
    }

    #[test]
    fn parts_share_addresses_and_reference() {
        let mut settings = Settings::against("", "", "");
        settings.text = Text { parts: 3, ..Text::default() };
        let submits = written(&settings, 0x17);
        assert_eq!(submits.len(), 3);
        for (at, submit) in submits.iter().enumerate() {
            assert_eq!(submit.short_message.get(..6), Some(&[5, 0, 3, 0x17, 3, at as u8 + 1][..]));
            assert_eq!(submit.destination, submits[0].destination);
            assert!(submit.esm_class.udhi());
        }
    }

    #[test]
    fn the_wanted_number_of_parts_comes_out() {
        for ucs2 in [false, true] {
            for parts in [1, 2, 3, 10] {
                let made = wording(&Text { parts, ucs2, ..Text::default() }).expect("a text");
                assert_eq!(made.parts.len(), parts, "ucs2 {ucs2}");
            }
        }
    }
}
