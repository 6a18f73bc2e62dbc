//! The alphabet in which a text takes the fewest short messages (3GPP TS 23.038 §4 and Annex A).
//!
//! A national table costs a header element of 3 octets in every part (capacity: 155 septets in one message, 149 in each
//! of several, with one table; 152 and 146 with two), so it is taken only where it saves a whole message.

use super::gsm7::{self, Language, Languages, national};
use super::parts::{Parts, UserData, count};
use super::ucs2;
use super::udh::{Builder, Width};
use crate::field::{Alphabet, DataCoding};

/// What a text may be written in. The default GSM alphabet always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// National languages whose tables the reader knows.
    pub languages: Languages,
    /// Whether UCS2 is allowed.
    pub ucs2: bool,
}

impl Default for Allowed {
    /// UCS2, and no national table: what every phone reads.
    fn default() -> Self {
        Allowed { languages: Languages::NONE, ucs2: true }
    }
}

/// A text as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Default alphabet (0x00) or UCS2 (0x08).
    pub data_coding: DataCoding,
    /// The language of the locking shift table, named in the header.
    pub locking: Option<Language>,
    /// The language of the single shift table, named in the header.
    pub single: Option<Language>,
    /// The header, if a table is named in it, and the text behind it, unsplit.
    pub user_data: Vec<u8>,
    /// What it takes.
    pub parts: Parts,
}

impl Written {
    /// Whether the user data begins with a header, so that esm_class needs bit 6 (SMPP 3.4 §5.2.12).
    #[must_use]
    pub fn has_header(&self) -> bool {
        self.locking.is_some() || self.single.is_some()
    }
}

/// Writes `text` in whichever allowed alphabet takes the fewest short messages, were it split with references of `width`.
///
/// Of those that take equally many, the default alphabet comes first, then UCS2, then the national tables with the
/// shortest header and the fewest septets. `None` when no allowed alphabet holds the text, or it takes more than 255
/// parts in all of them.
#[must_use]
pub fn choose(text: &str, allowed: Allowed, width: Width) -> Option<Written> {
    let mut best = in_septets(text, None, None, width);
    if best.is_none() && allowed.ucs2 {
        best = in_ucs2(text, width);
    }
    if allowed.languages.is_empty() || best.as_ref().is_some_and(|best| best.parts.segments == 1) {
        return best;
    }
    let locking = allowed.languages.iter().filter(|language| language.has_locking()).map(Some);
    let single = allowed.languages.iter().map(Some);
    for locking in std::iter::once(None).chain(locking) {
        for single in std::iter::once(None).chain(single.clone()) {
            if locking.is_none() && single.is_none() || !can_win(text, locking, single, best.as_ref()) {
                continue;
            }
            let candidate = in_septets(text, locking, single, width);
            if let Some(candidate) = candidate
                && best.as_ref().is_none_or(|best| candidate.rank() < best.rank())
            {
                best = Some(candidate);
            }
        }
    }
    best
}

impl Written {
    /// The lower the better.
    fn rank(&self) -> (u8, usize, usize) {
        let tables = usize::from(self.locking.is_some()) + usize::from(self.single.is_some());
        (self.parts.segments, tables, self.parts.units)
    }
}

/// Whether the tables hold the text, and it could take fewer parts than the best so far: without writing it.
fn can_win(text: &str, locking: Option<Language>, single: Option<Language>, best: Option<&Written>) -> bool {
    let Some(septets) = gsm7::septets(text, tables(locking, single)) else { return false };
    let least = if septets <= ONE_PART { 1 } else { septets.div_ceil(EACH_PART) };
    best.is_none_or(|best| {
        let most = usize::from(best.parts.segments);
        // Without a table it wins where both take equally many.
        if best.has_header() { least <= most } else { least < most }
    })
}

/// Septets behind a header that names a table: in one message, and in each of several. No such header leaves more.
const ONE_PART: usize = 155;
const EACH_PART: usize = 149;

fn tables(locking: Option<Language>, single: Option<Language>) -> gsm7::Tables {
    national::tables(locking.map(Language::number), single.map(Language::number))
}

fn in_septets(
    text: &str,
    locking: Option<Language>,
    single: Option<Language>,
    width: Width,
) -> Option<Written> {
    let septets = gsm7::encode(text, tables(locking, single)).ok()?;
    let mut header = Builder::default();
    if let Some(language) = single {
        header = header.single_language(language.number()).ok()?;
    }
    if let Some(language) = locking {
        header = header.locking_language(language.number()).ok()?;
    }
    let mut user_data = header.build();
    let has_header = !user_data.is_empty();
    user_data.extend_from_slice(&septets);
    let data = UserData::read(Alphabet::Gsm7, has_header, &user_data).ok()?;
    let parts = count(&data, width).ok()?;
    Some(Written { data_coding: DataCoding::DEFAULT, locking, single, user_data, parts })
}

fn in_ucs2(text: &str, width: Width) -> Option<Written> {
    let user_data = ucs2::encode(text);
    let data = UserData::read(Alphabet::Ucs2, false, &user_data).ok()?;
    let parts = count(&data, width).ok()?;
    Some(Written { data_coding: DataCoding::UCS2, locking: None, single: None, user_data, parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(languages: &[Language]) -> Allowed {
        Allowed { languages: languages.iter().copied().collect(), ucs2: true }
    }

    /// data_coding, segments, locking, single.
    fn chosen(text: &str, allowed: Allowed) -> (u8, u8, Option<Language>, Option<Language>) {
        let written = choose(text, allowed, Width::Eight).unwrap();
        (written.data_coding.0, written.parts.segments, written.locking, written.single)
    }

    use Language::{Portuguese, Spanish, Turkish};

    #[test]
    fn the_default_alphabet_comes_first_and_ucs2_second() {
        assert_eq!(chosen(&"a".repeat(160), with(&[Turkish])), (0, 1, None, None));
        // 70 units are one message of UCS2: a table would save nothing.
        assert_eq!(chosen(&"ş".repeat(70), with(&[Turkish])), (8, 1, None, None));
        assert_eq!(chosen(&"ş".repeat(71), Allowed::default()), (8, 2, None, None));
    }

    #[test]
    fn a_turkish_text_goes_with_one_table_where_that_saves_a_message() {
        // 71 units are two messages of UCS2; as single shift 142 septets of 155, as locking shift 71.
        assert_eq!(chosen(&"ş".repeat(71), with(&[Turkish])), (0, 1, Some(Turkish), None));
        // 155 septets with one table: one message, where UCS2 takes three.
        let full = "ş".repeat(10) + &"a".repeat(145);
        assert_eq!(chosen(&full, with(&[Turkish])), (0, 1, Some(Turkish), None));
        // 156 take two: 149 and 7. UCS2 takes 67 + 67 + 22.
        let written = choose(&(full + "a"), with(&[Turkish]), Width::Eight).unwrap();
        assert_eq!((written.parts.segments, written.parts.room, written.parts.units), (2, 149, 156));
        assert_eq!(written.user_data[..5], [3, 0x25, 1, 1, 0x1D]);
        // The characters that every table holds twice cost less by locking shift, so ties do not arise here: one ş
        // in 100 letters is 101 septets by locking and 102 by single shift.
        assert_eq!(
            chosen(&("ş".to_owned() + &"a".repeat(100)), with(&[Turkish])),
            (0, 1, Some(Turkish), None)
        );
    }

    #[test]
    fn spanish_has_a_single_shift_only() {
        // 60 accented letters and 35 others: 60 × 2 + 35 = 155 septets; UCS2: 95 units, two messages.
        let text = "á".repeat(60) + &"c".repeat(35);
        assert_eq!(chosen(&text, with(&[Spanish])), (0, 1, None, Some(Spanish)));
        let written = choose(&text, with(&[Spanish]), Width::Eight).unwrap();
        assert_eq!(written.user_data[..6], [3, 0x24, 1, 2, 0x1B, 0x61]);
        // One letter more takes two either way: UCS2 stays.
        assert_eq!(chosen(&(text + "c"), with(&[Spanish])), (8, 2, None, None));
        // 0x09 in the Spanish table is ç.
        let written = choose(&("ç".to_owned() + &"c".repeat(80)), with(&[Spanish]), Width::Eight).unwrap();
        assert_eq!(written.user_data[4..6], [0x1B, 0x09]);
    }

    #[test]
    fn both_tables_are_taken_where_one_is_not_enough() {
        // Portuguese locking holds ã and é is lost from none; Θ is in the Portuguese single shift alone.
        let text = "ã".repeat(149) + "Θ";
        // 149 + 2 = 151 of 152 septets with both tables; single shift alone: 149 × 2 + 2.
        assert_eq!(chosen(&text, with(&[Portuguese])), (0, 1, Some(Portuguese), Some(Portuguese)));
        // The tables may be of two languages: ş is Turkish by single shift, ã Portuguese by locking shift.
        let text = "ã".repeat(149) + "ş";
        assert_eq!(chosen(&text, with(&[Portuguese, Turkish])), (0, 1, Some(Portuguese), Some(Turkish)));
        let written = choose(&text, with(&[Portuguese, Turkish]), Width::Eight).unwrap();
        assert_eq!(written.user_data[..7], [6, 0x24, 1, 1, 0x25, 1, 3]);
    }

    #[test]
    fn a_table_can_save_escapes_of_the_default_alphabet() {
        // € is an escape pair in the default alphabet: 200 septets. The Portuguese locking shift has it in one.
        assert_eq!(chosen(&"€".repeat(100), with(&[])), (0, 2, None, None));
        assert_eq!(chosen(&"€".repeat(100), with(&[Portuguese])), (0, 1, Some(Portuguese), None));
    }

    #[test]
    fn without_ucs2_a_text_that_no_table_holds_cannot_be_written() {
        let none = Allowed { languages: Languages::NONE, ucs2: false };
        assert_eq!(choose("Ж", none, Width::Eight), None);
        let turkish = Allowed { ucs2: false, ..with(&[Turkish]) };
        assert_eq!(chosen("ş", turkish), (0, 1, Some(Turkish), None));
        assert_eq!(
            choose(&"Ж".repeat(67 * 255 + 1), Allowed::default(), Width::Eight),
            None,
            "too many parts"
        );
    }

    #[test]
    fn every_table_reads_back_what_it_wrote() {
        for (language, _) in Language::ALL {
            let tables = national::tables(
                language.has_locking().then_some(language.number()),
                Some(language.number()),
            );
            let held = |table: &'static gsm7::Table| (0..128).filter_map(move |code| table.character(code));
            let text: String = held(tables.locking).chain(held(tables.single)).cycle().take(300).collect();
            let written = choose(&text, with(&[language]), Width::Eight).unwrap();
            let data =
                UserData::read(written.data_coding.alphabet(), written.has_header(), &written.user_data);
            assert_eq!(data.unwrap().decode(), text, "{language:?}");
        }
    }
}
