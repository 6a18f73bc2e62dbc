//! Section H, texts towards operators: alphabets, headers, parts and how they are counted.

use smpp_proto::field::{CommandStatus, DataCoding, EsmClass, InterfaceVersion, Tag, Tlv, Tlvs};
use smpp_proto::pdu::{BindKind, SubmitSm};
use smpp_proto::text::Charset;
use smpp_proto::text::gsm7::Language;
use smpp_proto::{Address, Body};
use tollgate::account::{DataCoding1, HighOctets};
use tollgate::smsc::{LongForm, Upstream};

use crate::support::{Esme, Gate, Plan, Smsc, SmscLink, bind, upstream, vector};

/// A client, the gate, and an operator that takes everything.
pub(crate) struct Talk {
    pub(crate) gate: Gate,
    pub(crate) esme: Esme,
    pub(crate) link: SmscLink,
    taken: u32,
}

impl Talk {
    /// With terms of the account and settings of the operator.
    pub(crate) async fn with(change: impl FnOnce(&mut Plan, &mut Upstream)) -> Talk {
        let operator = Smsc::listen().await;
        let gate = Gate::open(|plan| {
            // The clock jumps for an hour at a time.
            plan.esme.enquire_link = None;
            // Some vectors come without a source.
            plan.terms.default_source = Some("ACME".to_owned());
            let mut north = upstream("north", &operator);
            change(plan, &mut north);
            plan.upstreams = vec![north];
        })
        .await;
        let link = operator.bound().await;
        let esme = gate.bound().await;
        Talk { gate, esme, link, taken: 0 }
    }

    pub(crate) async fn plain() -> Talk {
        Talk::with(|_, _| {}).await
    }

    /// The operator gets the next submit_sm and takes it; the octets of its body, and what they say.
    async fn taken(&mut self) -> (Vec<u8>, SubmitSm) {
        let incoming = self.link.expect().await;
        let Body::SubmitSm(submit) = incoming.body() else { panic!("a submit_sm, not {incoming:?}") };
        self.taken += 1;
        let id = format!("op-{}", self.taken);
        self.link.accept_submit(incoming.header.sequence, &id).await;
        (incoming.frame.body.to_vec(), submit)
    }

    async fn accepted(&mut self, submit: SubmitSm) {
        let (status, _) = self.esme.try_submit(submit).await;
        assert_eq!(status, CommandStatus::ROK);
    }

    /// A vector is accepted; what the operator gets of it.
    async fn passes(&mut self, id: &str) -> (Vec<u8>, SubmitSm) {
        let sequence = self.esme.send_vector(id).await;
        let answer = self.esme.expect_answer(sequence).await;
        assert_eq!(answer.header.status, CommandStatus::ROK, "{id}");
        self.taken().await
    }

    /// A vector arrives with esm_class, data_coding, user data and TLVs octet for octet.
    pub(crate) async fn passes_unchanged(&mut self, id: &str) {
        let (body, submit) = self.passes(id).await;
        let sent = vector(id);
        let came = SubmitSm::decode(sent[16..].to_vec().into()).unwrap();
        // data_coding, sm_default_msg_id, sm_length, short_message and what follows.
        let tail = 3 + came.short_message.len() + came.tlvs.wire_length();
        assert_eq!(body[body.len() - tail..], sent[sent.len() - tail..], "{id}");
        assert_eq!(submit.esm_class, came.esm_class, "{id}");
    }

    /// A text is accepted, charged as so many segments and sent in as many parts, each of these octets behind its
    /// header.
    async fn goes_in(&mut self, submit: SubmitSm, lengths: &[usize]) -> Vec<SubmitSm> {
        let before = spent(&self.gate);
        self.accepted(submit).await;
        let mut parts = Vec::new();
        for _ in lengths {
            parts.push(self.taken().await.1);
        }
        self.link.expect_quiet().await;
        assert_eq!(parts.iter().map(|part| behind_header(part).len()).collect::<Vec<_>>(), lengths);
        assert_eq!(spent(&self.gate) - before, lengths.len() as u64, "a credit a segment");
        self.gate.books_hold();
        parts
    }

    async fn refused(&mut self, id: &str, status: CommandStatus) {
        let sequence = self.esme.send_vector(id).await;
        let answer = self.esme.expect_answer(sequence).await;
        assert_eq!(answer.header.status, status, "{id}");
    }
}

/// Credits that are held or gone.
fn spent(gate: &Gate) -> u64 {
    1_000_000 - gate.balance().0.parse::<u64>().unwrap()
}

fn behind_header(pdu: &SubmitSm) -> &[u8] {
    let octets = pdu.user_data();
    if pdu.esm_class.udhi() { &octets[1 + usize::from(octets[0])..] } else { octets }
}

/// A submission from ACME; a text that is too long for short_message stands in the payload.
fn text(data_coding: u8, octets: &[u8]) -> SubmitSm {
    let mut submit = SubmitSm {
        source: Address::alphanumeric("ACME"),
        destination: Address::international("447700900123"),
        data_coding: DataCoding(data_coding),
        ..SubmitSm::default()
    };
    if octets.len() > 254 {
        submit.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, octets.to_vec()));
    } else {
        submit.short_message = octets.to_vec().into();
    }
    submit
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c_121_the_default_alphabet_is_identical_end_to_end() {
    let mut talk = Talk::plain().await;
    for id in ["V-073", "V-074", "V-075", "V-076"] {
        talk.passes_unchanged(id).await;
    }
    talk.gate.ends_with("999996", "4");
    // All 137 characters as an operator of another alphabet reads them.
    let mut talk = Talk::with(|_, north| north.alphabet = Charset::Utf8).await;
    let read = |submit: &SubmitSm| String::from_utf8(submit.user_data().to_vec()).unwrap();
    let basic = read(&talk.passes("V-073").await.1);
    assert!(
        basic.starts_with("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABC"),
        "{basic}"
    );
    assert!(basic.ends_with("XYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"), "{basic}");
    assert_eq!(read(&talk.passes("V-074").await.1), "\u{c}^{}\\[~]|€");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_122_codings_are_read_as_each_peer_means_them_and_binary_never() {
    let mut talk = Talk::plain().await;
    for id in ["V-077", "V-078", "V-079", "V-080", "V-081", "V-082", "V-083", "V-093"] {
        talk.passes_unchanged(id).await;
    }
    let mut talk = Talk::with(|plan, north| {
        plan.terms.alphabet = Charset::Latin1;
        plan.terms.dcs1 = DataCoding1::Gsm7;
        north.alphabet = Charset::Cp1252;
    })
    .await;
    for id in ["V-078", "V-079", "V-080", "V-083"] {
        talk.passes_unchanged(id).await;
    }
    let sent = talk.goes_in(text(0, b"caf\xE9"), &[4]).await;
    assert_eq!((sent[0].data_coding.0, &sent[0].short_message[..]), (0, &b"caf\xE9"[..]));
    // Latin-1 has letters that GSM has not: the text goes as UCS2.
    let sent = talk.goes_in(text(0, b"\xE7a"), &[4]).await;
    assert_eq!((sent[0].data_coding.0, &sent[0].short_message[..]), (8, &[0, 0xE7, 0, b'a'][..]));
    // data_coding 1 carries GSM: 0x05 is é, ESC 0x65 the euro.
    let sent = talk.goes_in(text(1, &[0x05, 0x1B, 0x65]), &[2]).await;
    assert_eq!((sent[0].data_coding.0, &sent[0].short_message[..]), (0, &b"\xE9\x80"[..]));
    let mut talk = Talk::with(|_, north| north.alphabet = Charset::Gsm7Packed).await;
    let sent = talk.goes_in(text(0, b"hello"), &[5]).await;
    assert_eq!(&sent[0].short_message[..], [0xE8, 0x32, 0x9B, 0xFD, 0x06]);
    // Seven letters leave seven bits, which hold a CR and not an @.
    let sent = talk.goes_in(text(0, b"1234567"), &[7]).await;
    assert_eq!(&sent[0].short_message[..], [0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x1A]);
    // 159 letters fill 140 octets but for seven bits; 153 behind six octets of header and a fill bit take 134.
    let sent = talk.goes_in(text(0, &[b'a'; 159]), &[140]).await;
    assert_eq!(sent[0].short_message[139] >> 1, 0x0D);
    talk.goes_in(text(0, &[b'a'; 161]), &[134, 8]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_123_an_emoji_is_unchanged_and_two_units_long() {
    let mut talk = Talk::plain().await;
    for id in ["V-084", "V-086"] {
        talk.passes_unchanged(id).await;
    }
    let with_emoji = |letters: usize| text(8, &utf16(&("a".repeat(letters) + "🙂")));
    talk.goes_in(with_emoji(68), &[140]).await;
    let parts = talk.goes_in(with_emoji(69), &[134, 8]).await;
    assert!(parts[1].short_message.ends_with(&[0xD8, 0x3D, 0xDE, 0x42]));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_124_an_open_or_unknown_escape_goes_on_and_shows_as_blank_or_base() {
    let mut talk = Talk::plain().await;
    for id in ["V-344", "V-345"] {
        talk.passes_unchanged(id).await;
    }
    let mut talk = Talk::with(|_, north| north.alphabet = Charset::Utf8).await;
    assert_eq!(&talk.passes("V-344").await.1.short_message[..], b"abc ");
    assert_eq!(&talk.passes("V-345").await.1.short_message[..], b"A");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_125_octets_above_7f_are_passed_refused_or_guessed_as_the_account_says() {
    let mut talk = Talk::plain().await;
    talk.passes_unchanged("V-343").await;
    let mut talk = Talk::with(|plan, _| plan.terms.high_octets = HighOctets::Refuse).await;
    talk.refused("V-343", CommandStatus::RSUBMITFAIL).await;
    let mut newer = Esme::connect(talk.gate.address).await;
    let bind = smpp_proto::pdu::Bind { interface_version: InterfaceVersion::V5_0, ..bind("acme", "secret") };
    newer.bind_with(BindKind::Transceiver, bind).await;
    let sequence = newer.send_vector("V-343").await;
    assert_eq!(newer.expect_answer(sequence).await.header.status, CommandStatus::RINVDCS);
    talk.gate.ends_with("1000000", "0");
    let mut talk = Talk::with(|plan, _| plan.terms.high_octets = HighOctets::Guess).await;
    // C3 A9 is é in UTF-8; E9 alone is é in Latin-1.
    assert_eq!(&talk.passes("V-343").await.1.short_message[..], b"caf\x05");
    let sent = talk.goes_in(text(0, b"caf\xE9"), &[4]).await;
    assert_eq!(&sent[0].short_message[..], b"caf\x05");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_126_broken_ucs2_is_passed_on_unchanged() {
    let mut talk = Talk::with(|plan, north| {
        plan.terms.reencode = true;
        plan.terms.alphabet = Charset::Latin1;
        north.alphabet = Charset::Utf8;
    })
    .await;
    for id in ["V-341", "V-342", "V-346"] {
        talk.passes_unchanged(id).await;
    }
    // Also where it takes two parts: no octet is dropped.
    let mut odd = utf16(&"a".repeat(70));
    odd.push(0x41);
    let parts = talk.goes_in(text(8, &odd), &[134, 7]).await;
    assert_eq!([behind_header(&parts[0]), behind_header(&parts[1])].concat(), odd);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_127_class_and_indication_of_a_coding_are_kept() {
    let mut talk = Talk::plain().await;
    for id in ["V-087", "V-088", "V-089", "V-090", "V-091", "V-092"] {
        talk.passes_unchanged(id).await;
    }
    // Each part of a flash message is one.
    for (coding, octets, lengths) in
        [(0xF0, vec![b'a'; 161], [153, 8]), (0x18, utf16(&"é".repeat(71)), [134, 8])]
    {
        let parts = talk.goes_in(text(coding, &octets), &lengths).await;
        assert!(parts.iter().all(|part| part.data_coding.0 == coding));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_128_a_long_text_is_split_and_charged_by_the_same_count() {
    let all = [LongForm::Udh8, LongForm::Udh16, LongForm::Sar];
    for long in all {
        let mut talk = Talk::with(|_, north| north.long = long).await;
        // Septets, octets and units: 153, 134 and 67, one (octet: two) less where the header has 16 bits.
        let [septets, octets, units] =
            if long == LongForm::Udh16 { [152, 133, 132] } else { [153, 134, 134] };
        talk.goes_in(text(0, &[b'a'; 161]), &[septets, 161 - septets]).await;
        talk.goes_in(text(4, &[0xFF; 141]), &[octets, 141 - octets]).await;
        talk.goes_in(text(8, &utf16(&"Ж".repeat(71))), &[units, 142 - units]).await;
        // 306 septets are two parts as charged: a wider header would make three.
        talk.goes_in(text(0, &[b'a'; 306]), &[153, 153]).await;
        // A client's header that names a table leaves 155, and 149 in each of several (148 of 16 bits).
        let turkish = |septets: usize| SubmitSm {
            esm_class: EsmClass(0x40),
            ..text(0, &[&[3, 0x25, 1, 1][..], &vec![b'a'; septets]].concat())
        };
        talk.goes_in(turkish(155), &[155]).await;
        let room = if long == LongForm::Udh16 { 148 } else { 149 };
        talk.goes_in(turkish(156), &[room, 156 - room]).await;
    }
    let mut talk = Talk::with(|_, north| north.long = LongForm::Payload).await;
    talk.accepted(text(0, &[b'a'; 400])).await;
    let (_, sent) = talk.taken().await;
    assert_eq!((sent.short_message.len(), sent.user_data().len()), (0, 400));
    assert_eq!(spent(&talk.gate), 3, "the operator cuts it into three");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_129_own_parts_cut_no_pair_and_share_what_they_must() {
    let mut talk = Talk::plain().await;
    // ESC 0x65 would straddle the 153rd septet.
    let euro = [&[b'a'; 152][..], &[0x1B, 0x65], &[b'b'; 20]].concat();
    let parts = talk.goes_in(text(0, &euro), &[152, 22]).await;
    assert_eq!(behind_header(&parts[1])[..2], [0x1B, 0x65]);
    let [reference, ..] = parts[0].short_message[3..] else { panic!("a header") };
    for (part, number) in parts.iter().zip(1..) {
        assert_eq!(part.short_message[..6], [5, 0, 3, reference, 2, number]);
        assert_eq!(
            (part.source.clone(), part.destination.clone()),
            (parts[0].source.clone(), parts[0].destination.clone())
        );
        assert_eq!((part.data_coding, part.esm_class), (DataCoding(0), EsmClass(0x40)));
    }
    // The surrogates of an emoji would straddle the 67th unit; a flag and a joined family would be torn.
    for (whole, units) in [("🙂", 66), ("🇪🇸", 65), ("👩\u{200D}👧", 64), ("e\u{301}", 66)] {
        let text_of = "x".repeat(units) + whole + &"y".repeat(20);
        let all = utf16(&text_of);
        let parts = talk.goes_in(text(8, &all), &[2 * units, all.len() - 2 * units]).await;
        assert!(behind_header(&parts[1]).starts_with(&utf16(whole)), "{whole}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_130_160_septets_140_octets_and_70_units_are_one_segment_and_one_more_makes_two() {
    let mut talk = Talk::plain().await;
    for id in ["V-038", "V-079", "V-085"] {
        talk.passes_unchanged(id).await;
    }
    talk.gate.ends_with("999997", "3");
    talk.goes_in(text(0, &[b'a'; 161]), &[153, 8]).await;
    talk.goes_in(text(4, &[b'a'; 141]), &[134, 7]).await;
    talk.goes_in(text(8, &utf16(&"é".repeat(71))), &[134, 8]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_131_parts_that_a_client_made_go_on_each_with_its_header() {
    for long in [LongForm::Udh8, LongForm::Udh16, LongForm::Payload] {
        let mut talk = Talk::with(|_, north| north.long = long).await;
        for id in ["V-094", "V-095", "V-096", "V-097", "V-098"] {
            talk.passes_unchanged(id).await;
        }
        talk.link.expect_quiet().await;
        talk.gate.ends_with("999995", "5");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_132_other_elements_of_a_header_are_kept_octet_for_octet() {
    let mut talk = Talk::plain().await;
    for id in ["V-099", "V-100", "V-101", "V-102", "V-103", "V-104", "V-105", "V-106", "V-107", "V-108"] {
        talk.passes_unchanged(id).await;
    }
    // When we split, they go with each part: WAP push of 200 octets.
    let ports = [6, 5, 4, 0x0B, 0x84, 0x23, 0xF0];
    let push = SubmitSm { esm_class: EsmClass(0x40), ..text(4, &[&ports[..], &[0xAA; 200]].concat()) };
    let parts = talk.goes_in(push, &[128, 72]).await;
    for (part, number) in parts.iter().zip(1..) {
        assert_eq!(
            (part.short_message[..3].to_vec(), part.short_message[4..6].to_vec()),
            (vec![11, 0, 3], vec![2, number])
        );
        assert_eq!(part.short_message[6..12], ports[1..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_133_a_broken_header_is_refused_and_the_session_goes_on() {
    let mut talk = Talk::plain().await;
    for id in ["V-334", "V-335", "V-336"] {
        talk.refused(id, CommandStatus::RINVESMCLASS).await;
    }
    talk.gate.ends_with("1000000", "0");
    talk.goes_in(text(0, b"still here"), &[10]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_137_national_tables_are_ours_to_use_only_where_the_route_allows() {
    let turkish = utf16(&"ş".repeat(71));
    let mut talk = Talk::with(|plan, north| {
        plan.terms.reencode = true;
        north.national_languages = [Language::Turkish].into_iter().collect();
    })
    .await;
    let sent = talk.goes_in(text(8, &turkish), &[71]).await;
    assert_eq!((sent[0].data_coding.0, sent[0].esm_class.0), (0, 0x40));
    // Locking shift of language 1, where 0x1D is ş.
    assert_eq!(sent[0].short_message[..], [&[3, 0x25, 1, 1][..], &[0x1D; 71]].concat());
    let sent = talk.goes_in(text(8, &utf16(&"ş".repeat(70))), &[140]).await;
    assert_eq!(sent[0].data_coding.0, 8, "a table would save nothing");
    talk.passes_unchanged("V-340").await;
    // Not enabled for the route, or not wanted by the account.
    let mut talk = Talk::with(|plan, _| plan.terms.reencode = true).await;
    talk.goes_in(text(8, &turkish), &[134, 8]).await;
    let allowed = [Language::Turkish].into_iter().collect();
    let mut talk = Talk::with(|_, north| north.national_languages = allowed).await;
    talk.goes_in(text(8, &turkish), &[134, 8]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_138_parts_by_tlvs_end_as_parts_by_a_header_or_as_the_route_needs() {
    let mut talk = Talk::plain().await;
    for (id, number) in [("V-109", 1), ("V-110", 2)] {
        let (_, sent) = talk.passes(id).await;
        let words = format!("part{number} ").repeat(20);
        let expected = [&[5, 0, 3, 0x02, 2, number][..], words.as_bytes()].concat();
        assert_eq!((sent.esm_class.0, sent.short_message.to_vec(), sent.tlvs.len()), (0x40, expected, 0));
    }
    talk.gate.ends_with("999998", "2");
    let mut talk = Talk::with(|_, north| north.long = LongForm::Sar).await;
    for id in ["V-063", "V-109", "V-110", "V-111"] {
        talk.passes_unchanged(id).await;
    }
    // The other way round: a header becomes TLVs.
    let (_, sent) = talk.passes("V-096").await;
    assert_eq!((sent.esm_class.0, &sent.short_message[..]), (0, &b"azy dog. The quick brown"[..]));
    let stated = [Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM].map(|tag| sent.tlvs.u8(tag));
    assert_eq!((sent.tlvs.u16(Tag::SAR_MSG_REF_NUM), stated), (Some(0xA5), [Some(3), Some(3)]));
    // Without TLVs there is only the header.
    let mut talk = Talk::with(|_, north| {
        north.long = LongForm::Sar;
        north.interface_version = InterfaceVersion::V3_3;
    })
    .await;
    let (_, sent) = talk.passes("V-109").await;
    assert_eq!((&sent.short_message[..6], &sent.tlvs), (&[5, 0, 3, 0x02, 2, 1][..], &Tlvs::EMPTY));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_139_a_header_wins_over_tlvs_that_say_otherwise() {
    for long in [LongForm::Udh8, LongForm::Payload] {
        let mut talk = Talk::with(|_, north| north.long = long).await;
        let (_, sent) = talk.passes("V-293").await;
        assert_eq!((&sent.short_message[..6], sent.tlvs.len()), (&[5, 0, 3, 0xA5, 3, 1][..], 0));
        assert_eq!(sent.short_message.len(), 159);
        talk.gate.ends_with("999999", "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_140_a_payload_is_split_for_routes_that_take_none() {
    let mut talk = Talk::plain().await;
    let (_, sent) = talk.passes("V-064").await;
    assert_eq!((sent.short_message.len(), sent.tlvs.len()), (20, 0), "it fits short_message");
    let (_, sent) = talk.passes("V-113").await;
    assert_eq!(&sent.short_message[..], b"\x05\x00\x03\x0C\x02\x01payload");
    let payload = |id: &str| SubmitSm::decode(vector(id)[16..].to_vec().into()).unwrap();
    let words = payload("V-112").user_data().to_vec();
    let parts = talk.goes_in(payload("V-112"), &[153, 153, 153, 141]).await;
    let joined: Vec<u8> = parts.iter().flat_map(behind_header).copied().collect();
    assert_eq!(joined, words);
    talk.goes_in(payload("V-114"), &[153, 147]).await;
    // The ceiling: 10 segments by default.
    talk.goes_in(text(0, &[b'a'; 1_530]), &[153; 10]).await;
    let (status, _) = talk.esme.try_submit(text(0, &[b'a'; 1_531])).await;
    assert_eq!(status, CommandStatus::RINVMSGLEN);
    talk.link.expect_quiet().await;
}
