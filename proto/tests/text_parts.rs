//! What holds for every choice, cut and join: against Unicode's own segmentation, and against the text itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a fault fails its test")]

use proptest::collection::vec;
use proptest::prelude::*;
use smpp_proto::field::Alphabet;
use smpp_proto::text::gsm7::{self, Language, Languages, pack};
use smpp_proto::text::join::{Added, Bounds, Joiner};
use smpp_proto::text::parts::LONGEST_GRAPHEME;
use smpp_proto::text::{
    Allowed, Concatenation, Form, Reference, UserData, Width, choose, count, decode, split, ucs2, whole,
};
use unicode_segmentation::UnicodeSegmentation;

/// What people write that is read as one character.
fn clusters() -> impl Strategy<Value = String> {
    let known = [
        "a",
        "Ж",
        "é",
        "e\u{301}",
        "🇩🇪",
        "🇫🇷",
        "👍🏽",
        "👩\u{200D}👩\u{200D}👧\u{200D}👦",
        "❤\u{FE0F}",
        "1\u{FE0F}\u{20E3}",
        "가",
        "\u{1100}\u{1161}\u{11A8}",
        "각",
        "कि",
        "क्षि",
        "நி",
        "กำ",
        "שָׁ",
        "بِّ",
        "\r\n",
        "\n",
        "🏴\u{E0067}\u{E0062}\u{E007F}",
        "が",
        "か\u{3099}",
        "𝄞",
    ];
    proptest::sample::select(known.to_vec()).prop_map(str::to_owned)
}

fn languages() -> impl Strategy<Value = Languages> {
    any::<u16>().prop_map(Languages::from_bits)
}

/// A text in the letters of one language, mostly.
fn national_text() -> impl Strategy<Value = String> {
    (0..Language::ALL.len()).prop_flat_map(|place| {
        let language = Language::ALL[place].0.number();
        let tables = gsm7::national::tables(Some(language), Some(language));
        let held = |table: &'static gsm7::Table| (0..128).filter_map(|code| table.character(code));
        let letters: Vec<char> = held(tables.locking).chain(held(tables.single)).collect();
        vec(proptest::sample::select(letters), 0..400).prop_map(String::from_iter)
    })
}

proptest! {
    #[test]
    fn no_cluster_is_cut(text in vec(clusters(), 0..300)) {
        let text = text.concat();
        let octets = ucs2::encode(&text);
        let data = UserData::read(Alphabet::Ucs2, false, &octets).unwrap();
        let parts: Vec<String> = split(&data, Reference::Eight(1)).unwrap().map(|part| ucs2::decode(part.text)).collect();
        let whole: Vec<&str> = text.graphemes(true).collect();
        prop_assume!(whole.iter().all(|cluster| cluster.chars().count() <= LONGEST_GRAPHEME));
        let cut: Vec<&str> = parts.iter().flat_map(|part| part.graphemes(true)).collect();
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn what_is_chosen_reads_as_the_text_and_never_costs_more(
        text in prop_oneof![national_text(), "\\PC{0,300}"], languages in languages(), ucs2: bool,
    ) {
        let Some(written) = choose(&text, Allowed { languages, ucs2 }, Width::Eight) else {
            prop_assert!(!ucs2);
            return Ok(());
        };
        let data = UserData::read(written.data_coding.alphabet(), written.has_header(), &written.user_data).unwrap();
        prop_assert_eq!(data.decode(), text.as_str());
        prop_assert_eq!(count(&data, Width::Eight).unwrap(), written.parts);
        let used = written.locking.into_iter().chain(written.single);
        prop_assert!(used.clone().all(|language| languages.contains(language)));
        if let Some(plain) = choose(&text, Allowed { languages: Languages::NONE, ucs2: true }, Width::Eight)
            && (ucs2 || plain.data_coding.0 == 0)
        {
            prop_assert!(written.parts.segments <= plain.parts.segments);
            let saves = written.parts.segments < plain.parts.segments;
            prop_assert_eq!(used.count() > 0, saves, "tables only where they save");
        }
    }

    #[test]
    fn packed_octets_need_no_count(septets in vec(0_u8..128, 0..200), fill in 0_u8..7) {
        let back = pack::unpack_padded(&pack::pack_padded(&septets, fill), fill);
        // Two CRs at the end may show as one.
        let same = back == septets || (septets.ends_with(b"\r\r") && back == septets[..septets.len() - 1]);
        prop_assert!(same, "{:?} came back as {:?}", septets, back);
        prop_assert!(pack::pack_padded(&septets, fill).len() <= (usize::from(fill) + septets.len() * 7).div_ceil(8) + 1);
    }

    #[test]
    fn any_order_and_any_duplicates_join_to_the_same(
        texts in vec(vec(any::<u8>(), 0..20), 2..12), seed in vec(any::<prop::sample::Index>(), 0..40), wide: bool,
    ) {
        let total = texts.len() as u8;
        let width = if wide { Width::Sixteen } else { Width::Eight };
        let part = |place: usize| Concatenation::new(width, 7, total, place as u8 + 1).unwrap();
        // Some in any order and more than once, then all of them backwards, a stranger's with the same reference between.
        let mut order: Vec<usize> = seed.iter().map(|index| index.index(texts.len())).collect();
        order.extend((0..texts.len()).rev());
        let mut joiner = Joiner::new(Bounds::default());
        let mut wholes = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for place in order {
            joiner.add(2, part(place), b"other", 0);
            let fresh = seen.insert(place);
            match joiner.add(1, part(place), &texts[place], 0) {
                Added::Whole(text) => wholes.push(text),
                Added::Repeated => prop_assert!(!fresh),
                Added::Waiting => prop_assert!(fresh || !wholes.is_empty()),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(wholes.first(), Some(&texts.concat()));
    }

    #[test]
    fn parts_in_every_form_say_the_same(
        text in vec(any::<u8>(), 141..1000), number: u16, ports: bool, wide: bool,
    ) {
        let header: &[u8] = if ports { &[6, 5, 4, 0x0B, 0x84, 0x23, 0xF0] } else { &[] };
        let original = [header, &text].concat();
        let data = UserData::read(Alphabet::Binary, ports, &original).unwrap();
        let reference = if wide { Reference::Sixteen(number) } else { Reference::Eight(number as u8) };
        let mut texts = Vec::new();
        for part in split(&data, reference).unwrap() {
            let mut written = Vec::new();
            part.write(&mut written);
            let read = UserData::read(Alphabet::Binary, true, &written).unwrap();
            let sar = read.rewritten(Form::Sar).expect("TLVs always have room");
            let again = UserData::read(Alphabet::Binary, sar.has_header, &sar.user_data).unwrap().with_sar(sar.sar);
            let width = reference.width();
            let back = again.rewritten(Form::Header(width)).expect("it came from there");
            prop_assert_eq!(&back.user_data, &written);
            let narrow = read.rewritten(Form::Header(Width::Eight)).expect("never longer");
            let narrow = UserData::read(Alphabet::Binary, true, &narrow.user_data).unwrap();
            prop_assert_eq!(narrow.part().unwrap().reference, number & 0xFF);
            texts.push(written);
        }
        let parts: Vec<_> = texts.iter().map(|octets| UserData::read(Alphabet::Binary, true, octets).unwrap()).collect();
        prop_assert_eq!(whole(&parts).unwrap().user_data, original);
    }
}

#[test]
fn a_pair_that_others_cut_is_whole_after_joining() {
    let octets = ucs2::encode("a🙂");
    let mut joiner = Joiner::new(Bounds::default());
    let part = |number| Concatenation::new(Width::Eight, 1, 2, number).unwrap();
    joiner.add((), part(2), &octets[4..], 0);
    let Added::Whole(text) = joiner.add((), part(1), &octets[..4], 0) else { panic!("both came") };
    assert_eq!(decode(Alphabet::Ucs2, &text), "a🙂");
}
