//! What becomes of a client's text before it is counted: its alphabet as the store keeps it, and as few segments as its
//! account asks for.

use bytes::Bytes;
use smpp_proto::field::{CommandStatus, DataCoding};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::gsm7::Languages;
use smpp_proto::text::{Allowed, Charset, Udh, UserData, Width, choose, count, ucs2};

use crate::account::{DataCoding1, HighOctets, Terms};
use crate::message::Wording;
use crate::policy::Refusal;

/// Writes the text of `pdu` as the store keeps it; says whether anything changed. `languages` have national tables that
/// every operator of the message's route takes.
///
/// # Errors
/// Octets without a meaning, where the account wants such messages refused.
pub(in crate::policy) fn settle(
    pdu: &mut SubmitSm,
    terms: &Terms,
    languages: Languages,
) -> Result<bool, Refusal> {
    if terms.dcs1 == DataCoding1::Gsm7 && pdu.data_coding == DataCoding::ASCII {
        // Whatever data_coding 0 means to them, this is GSM 7-bit.
        pdu.data_coding = DataCoding::DEFAULT;
        return Ok(true);
    }
    let settled = match pdu.data_coding {
        DataCoding::UCS2 if terms.reencode => fewer(pdu, languages),
        DataCoding::DEFAULT => of_client(pdu, terms, languages)?,
        _ if terms.alphabet == Charset::Gsm7Packed => of_client(pdu, terms, languages)?,
        _ => None,
    };
    Ok(settled.map(|wording| wording.put_into_submit(pdu)).is_some())
}

/// A text of data_coding 0 in the alphabet of its account, where that is not how the store keeps it.
fn of_client(pdu: &SubmitSm, terms: &Terms, languages: Languages) -> Result<Option<Wording>, Refusal> {
    if terms.alphabet == Charset::Gsm7
        && (terms.high_octets == HighOctets::Pass || pdu.user_data().is_ascii())
    {
        return Ok(None);
    }
    let wording = Wording::of_submit(pdu);
    let allowed = Allowed { languages, ucs2: true };
    let strange = match terms.alphabet {
        Charset::Gsm7 => text_of(&wording).is_some_and(|text| !text.is_ascii()),
        charset => match wording.from_peer(charset, allowed) {
            Ok(settled) => return Ok(settled),
            Err(_) => true,
        },
    };
    let guess = match terms.high_octets {
        _ if !strange => return Ok(None),
        HighOctets::Pass => return Ok(None),
        // Data coding and octets do not belong together.
        HighOctets::Refuse => return Err(Refusal::Malformed(CommandStatus::RINVDCS)),
        HighOctets::Latin1 => Charset::Latin1,
        HighOctets::Guess => match text_of(&wording).map(std::str::from_utf8) {
            Some(Ok(_)) => Charset::Utf8,
            _ => Charset::Latin1,
        },
    };
    Ok(wording.from_peer(guess, allowed).ok().flatten())
}

/// What stands behind the header; nothing if that is broken.
fn text_of(wording: &Wording) -> Option<&[u8]> {
    if !wording.has_header {
        return Some(&wording.user_data);
    }
    Udh::cut(&wording.user_data).ok().map(|(_, text)| text)
}

/// A text of UCS2 in an alphabet in which it takes fewer segments. Only one without a header and without faults: what a
/// client made a part, or wrote strangely, it wants as it is.
fn fewer(pdu: &SubmitSm, languages: Languages) -> Option<Wording> {
    let wording = Wording::of_submit(pdu);
    if wording.has_header || wording.is_part || ucs2::fault(&wording.user_data).is_some() {
        return None;
    }
    let data = UserData::read(wording.data_coding.alphabet(), false, &wording.user_data).ok()?;
    let now = count(&data, Width::Eight).ok().map_or(u16::MAX, |parts| u16::from(parts.segments));
    if now == 1 {
        return None;
    }
    let text = ucs2::decode(&wording.user_data);
    let written = choose(&text, Allowed { languages, ucs2: false }, Width::Eight)?;
    (u16::from(written.parts.segments) < now).then(|| Wording {
        data_coding: written.data_coding,
        has_header: written.has_header(),
        is_part: false,
        user_data: Bytes::from(written.user_data),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use smpp_proto::field::EsmClass;
    use smpp_proto::text::gsm7::Language;

    fn submit(data_coding: u8, text: &[u8]) -> SubmitSm {
        SubmitSm {
            data_coding: DataCoding(data_coding),
            short_message: Bytes::copy_from_slice(text),
            ..SubmitSm::default()
        }
    }

    fn settled(terms: &Terms, mut pdu: SubmitSm) -> (bool, u8, Vec<u8>) {
        let changed = settle(&mut pdu, terms, [Language::Turkish].into_iter().collect()).unwrap();
        (changed, pdu.data_coding.0, pdu.short_message.to_vec())
    }

    #[test]
    fn by_default_nothing_is_touched() {
        let terms = Terms::default();
        for (coding, text) in
            [(0, &b"caf\xC3\xA9"[..]), (1, b"@\0"), (8, b"\0a\0"), (4, b"\xFF"), (0xF1, b"x")]
        {
            assert_eq!(settled(&terms, submit(coding, text)), (false, coding, text.to_vec()));
        }
    }

    #[test]
    fn high_octets_are_passed_refused_or_guessed() {
        let with = |high_octets| Terms { high_octets, ..Terms::default() };
        let refused = settle(&mut submit(0, b"caf\xC3\xA9"), &with(HighOctets::Refuse), Languages::NONE);
        assert_eq!(refused, Err(Refusal::Malformed(CommandStatus::RINVDCS)));
        let latin1 = settled(&with(HighOctets::Latin1), submit(0, b"caf\xE9"));
        assert_eq!(latin1, (true, 0, vec![b'c', b'a', b'f', 0x05]));
        let guessed = settled(&with(HighOctets::Guess), submit(0, b"caf\xC3\xA9"));
        assert_eq!(guessed, (true, 0, vec![b'c', b'a', b'f', 0x05]));
        assert_eq!(settled(&with(HighOctets::Guess), submit(0, b"caf\xE9")).2[3], 0x05);
        // A header may have any octets; only the text counts.
        let header = SubmitSm { esm_class: EsmClass(0x40), ..submit(0, b"\x05\0\x03\xA5\x02\x01hi") };
        assert!(!settled(&with(HighOctets::Refuse), header).0);
    }

    #[test]
    fn data_coding_1_means_gsm7_where_the_account_says_so() {
        let terms = Terms { dcs1: DataCoding1::Gsm7, ..Terms::default() };
        assert_eq!(settled(&terms, submit(1, b"\0\x05")), (true, 0, b"\0\x05".to_vec()));
    }

    #[test]
    fn ucs2_is_written_anew_only_where_that_is_wanted_and_saves_a_segment() {
        let wide = |text: &str| submit(8, &ucs2::encode(text));
        let terms = Terms { reencode: true, ..Terms::default() };
        assert_eq!(settled(&terms, wide(&"a".repeat(100))), (true, 0, vec![b'a'; 100]));
        let turkish = settled(&terms, wide(&"ş".repeat(100)));
        assert_eq!((turkish.0, turkish.1, &turkish.2[..5]), (true, 0, &[3, 0x25, 1, 1, 0x1D][..]));
        assert!(!settled(&terms, wide(&"a".repeat(70))).0, "one segment either way");
        assert!(!settled(&terms, wide(&"Ж".repeat(100))).0, "no table has it");
        assert!(!settled(&Terms::default(), wide(&"a".repeat(100))).0);
        let mut odd = ucs2::encode(&"a".repeat(100));
        odd.push(0);
        assert!(!settled(&terms, submit(8, &odd)).0, "what is broken is passed on");
    }
}
