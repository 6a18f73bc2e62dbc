//! Optional parameters: whether they belong to the PDU, come once, have their length and a value that is not reserved
//! (SMPP 3.4 §5.3, SMPP 5.0 §4.8.4).

use super::Breach;
use crate::field::{CommandId, CommandStatus, InterfaceVersion, Tag, Tlv, Tlvs};
use crate::pdu::{Quirk, Reading};

/// What the parameters stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// submit_sm, submit_multi, data_sm of a client.
    Submission,
    /// replace_sm.
    Replacement,
    /// deliver_sm of a centre: what does not belong there is passed on all the same.
    Delivery,
}

/// What becomes of one parameter.
enum Verdict {
    Keep,
    Leave,
    Rewrite(Tlv),
}

/// Unknown tags and those of vendors are kept as they are (SMPP 5.0 §4.8.1).
pub(super) fn check(
    tlvs: &mut Tlvs,
    place: Place,
    version: InterfaceVersion,
    reading: &mut Reading,
) -> Result<(), Breach> {
    if tlvs.is_empty() {
        return Ok(());
    }
    let mut seen = Seen { tags: [0; 64], count: 0, sar: false };
    let mut mended: Option<Vec<Tlv>> = None;
    for (at, tlv) in tlvs.iter().enumerate() {
        let verdict = judge(tlv, place, version, &mut seen, reading)?;
        if !matches!(verdict, Verdict::Keep) && mended.is_none() {
            mended = Some(tlvs.iter().take(at).cloned().collect());
        }
        match (verdict, &mut mended) {
            (Verdict::Keep, Some(list)) => list.push(tlv.clone()),
            (Verdict::Rewrite(tlv), Some(list)) => list.push(tlv),
            _ => {}
        }
    }
    if let Some(list) = mended {
        *tlvs = Tlvs::from(list);
    }
    if seen.sar { sar(tlvs, reading) } else { Ok(()) }
}

fn judge(
    tlv: &Tlv,
    place: Place,
    version: InterfaceVersion,
    seen: &mut Seen,
    reading: &mut Reading,
) -> Result<Verdict, Breach> {
    let Some(name) = tlv.tag.name() else { return Ok(Verdict::Keep) };
    if !belongs(tlv.tag, place) {
        reading.pass(Quirk::ForeignTlv, name, CommandStatus::RTLVNOTALLWD)?;
        return Ok(if place == Place::Delivery { Verdict::Keep } else { Verdict::Leave });
    }
    if seen.again(tlv.tag) && !tlv.tag.may_repeat() {
        reading.pass(Quirk::RepeatedTlv, name, CommandStatus::RTLVNOTALLWD)?;
        return Ok(Verdict::Leave);
    }
    let length = tlv.value.len();
    if tlv.tag == Tag::SOURCE_TELEMATICS_ID && length == 2 {
        reading.pass(Quirk::TelematicsWidth, name, CommandStatus::RINVTLVLEN)?;
    } else if tlv.tag == Tag::ALERT_ON_MESSAGE_DELIVERY && length == 1 && version < InterfaceVersion::V5_0 {
        reading.pass(Quirk::AlertOctet, name, CommandStatus::RINVTLVLEN)?;
    } else if !tlv.tag.allows_length(length) && place == Place::Delivery {
        // What cannot be read of a delivery is no reason to lose it.
        reading.pass(Quirk::TlvWidth, name, CommandStatus::RINVTLVLEN)?;
        return Ok(Verdict::Keep);
    } else if !tlv.tag.allows_length(length) {
        let Some(narrowed) = by_value(tlv) else {
            return Err(Breach::of(name, CommandStatus::RINVTLVLEN));
        };
        reading.pass(Quirk::TlvWidth, name, CommandStatus::RINVTLVLEN)?;
        return value(&narrowed, name, reading, Verdict::Rewrite(narrowed.clone()));
    }
    if is_text(tlv.tag) && tlv.value.last() != Some(&0) {
        reading.forgive(Quirk::TlvWithoutNul);
    }
    value(tlv, name, reading, Verdict::Keep)
}

fn value(tlv: &Tlv, name: &'static str, reading: &mut Reading, verdict: Verdict) -> Result<Verdict, Breach> {
    if tlv.value.len() == 1 && !is_defined(tlv.tag, tlv.value.first().copied().unwrap_or(0)) {
        reading.pass(Quirk::TlvValue, name, CommandStatus::RINVTLVVAL)?;
        return Ok(Verdict::Leave);
    }
    Ok(verdict)
}

/// A number of another width than its tag has, in that width; `None` if it is none or does not fit.
fn by_value(tlv: &Tlv) -> Option<Tlv> {
    let widths = tlv.tag.lengths()?;
    let width = *widths.start();
    if width != *widths.end() || !matches!(width, 1 | 2 | 4) {
        return None;
    }
    let number = tlv.integer()?;
    match width {
        1 => u8::try_from(number).ok().map(|number| Tlv::u8(tlv.tag, number)),
        2 => u16::try_from(number).ok().map(|number| Tlv::u16(tlv.tag, number)),
        _ => Some(Tlv::u32(tlv.tag, number)),
    }
}

/// A group of sar parameters is whole and possible, or it is left out (SMPP 3.4 §5.3.2.22–§5.3.2.24).
#[cold]
fn sar(tlvs: &mut Tlvs, reading: &mut Reading) -> Result<(), Breach> {
    let missing = SAR.into_iter().find(|tag| !tlvs.has(*tag));
    let (total, part) = (tlvs.u8(Tag::SAR_TOTAL_SEGMENTS), tlvs.u8(Tag::SAR_SEGMENT_SEQNUM));
    if let Some(missing) = missing {
        let field = missing.name().unwrap_or("tlv");
        reading.pass(Quirk::SarIncomplete, field, CommandStatus::RMISSINGTLV)?;
    } else if part.is_none_or(|part| part == 0 || total.is_none_or(|total| part > total)) {
        reading.pass(Quirk::SarImpossible, "sar_segment_seqnum", CommandStatus::RINVTLVVAL)?;
    } else {
        return Ok(());
    }
    SAR.into_iter().for_each(|tag| tlvs.remove(tag));
    Ok(())
}

const SAR: [Tag; 3] = [Tag::SAR_MSG_REF_NUM, Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM];

/// Known tags that came already: there are fewer than 64 of them.
struct Seen {
    tags: [u16; 64],
    count: usize,
    sar: bool,
}

impl Seen {
    /// Whether the tag was there before.
    fn again(&mut self, tag: Tag) -> bool {
        self.sar |= SAR.contains(&tag);
        if self.tags.iter().take(self.count).any(|known| *known == tag.0) {
            return true;
        }
        if let Some(place) = self.tags.get_mut(self.count) {
            *place = tag.0;
            self.count += 1;
        }
        false
    }
}

/// Whether a known tag is listed for the PDU, in 3.4 or in 5.0. What submit_multi and a client's data_sm may carry,
/// submit_sm may carry too.
fn belongs(tag: Tag, place: Place) -> bool {
    let command = match place {
        Place::Submission => CommandId::SUBMIT_SM,
        Place::Replacement => CommandId::REPLACE_SM,
        Place::Delivery => CommandId::DELIVER_SM,
    };
    [InterfaceVersion::V3_4, InterfaceVersion::V5_0].iter().any(|version| tag.belongs_to(command, *version))
}

/// C-octet strings.
fn is_text(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::RECEIPTED_MESSAGE_ID
            | Tag::ADDITIONAL_STATUS_INFO_TEXT
            | Tag::SOURCE_NETWORK_ID
            | Tag::DEST_NETWORK_ID
    )
}

/// Whether a value of one octet is defined for its tag; reserved ones are not.
fn is_defined(tag: Tag, value: u8) -> bool {
    let highest = match tag {
        Tag::USSD_SERVICE_OP => return matches!(value, 0..=3 | 16..=19 | 32..),
        Tag::PAYLOAD_TYPE | Tag::SET_DPF | Tag::DPF_RESULT | Tag::MORE_MESSAGES_TO_SEND => 1,
        Tag::MS_AVAILABILITY_STATUS | Tag::DISPLAY_TIME | Tag::DEST_ADDR_NP_RESOLUTION => 2,
        Tag::PRIVACY_INDICATOR | Tag::DELIVERY_FAILURE_REASON | Tag::ALERT_ON_MESSAGE_DELIVERY => 3,
        Tag::DEST_ADDR_SUBUNIT | Tag::SOURCE_ADDR_SUBUNIT | Tag::MS_VALIDITY => 4,
        Tag::LANGUAGE_INDICATOR => 5,
        Tag::DEST_NETWORK_TYPE
        | Tag::SOURCE_NETWORK_TYPE
        | Tag::DEST_BEARER_TYPE
        | Tag::SOURCE_BEARER_TYPE
        | Tag::ITS_REPLY_TYPE => 8,
        Tag::MESSAGE_STATE => 9,
        Tag::NUMBER_OF_MESSAGES => 99,
        Tag::CONGESTION_STATE => 100,
        _ => u8::MAX,
    };
    value <= highest
}
