//! The compiled prices against a reader who goes through the whole table.

use proptest::prelude::*;
use smpp_proto::field::{DataCoding, Tag, Tlv};
use tollgate::account::{AccountId, Credits};
use tollgate::clock::Timestamp;
use tollgate::policy::filter::Desk;
use tollgate::policy::number::Glance;
use tollgate::policy::price::PriceTable;
use tollgate::policy::{Network, Price, Reach, Snapshot, SnapshotParts, Submission, TextLimits, admit};

use super::{account, message};

const PAYS_BY_LIST: AccountId = AccountId(1);
const OTHER: AccountId = AccountId(2);

/// Numbers of Spain, of two networks there, of Colombia, and of three countries that share +1 and +7.
const NUMBERS: [&str; 8] = [
    "34600111222",
    "34609111222",
    "34912345678",
    "573001234567",
    "12125550123",
    "14165550123",
    "77012345678",
    "999",
];

fn networks() -> Vec<Network> {
    let network = |name: &str, prefixes: &[&str]| Network {
        name: name.to_owned(),
        prefixes: prefixes.iter().map(ToString::to_string).collect(),
    };
    vec![network("one", &["346", "34609"]), network("two", &["34600", "573", "1"])]
}

fn reach() -> impl Strategy<Value = Reach> {
    let prefixes = ["", "3", "34", "346", "34600", "34600111222", "57", "1", "1212", "7", "77", "44"];
    prop_oneof![
        prop::sample::select(prefixes.to_vec()).prop_map(|prefix| Reach::Prefix(prefix.to_owned())),
        prop::sample::select(vec!["ES", "CO", "US", "CA", "KZ", "RU"])
            .prop_map(|code| Reach::Country(code.to_owned())),
        prop::sample::select(vec!["one", "two"]).prop_map(|name| Reach::Network(name.to_owned())),
    ]
}

fn price() -> impl Strategy<Value = Price> {
    let moment = || prop::option::of((0_i64..10).prop_map(Timestamp::from_millis));
    let amount = prop_oneof![0_i64..100, (i64::MAX - 9)..=i64::MAX].prop_map(Credits::from_micro);
    let list =
        prop::option::of(prop::sample::select(vec!["gold".to_owned(), "empty of who pays".to_owned()]));
    (reach(), amount, list, moment(), moment()).prop_map(|(reach, credits, list, from, until)| Price {
        reach,
        credits,
        list,
        from,
        until,
    })
}

/// What a price is worth to a number: how close it knows it, how long its prefix is, when it began. Nothing if it does
/// not hold now, or is for other numbers.
fn rank(price: &Price, number: &str, now: Timestamp) -> Option<(u8, usize, i64)> {
    let holds = price.from.is_none_or(|from| from <= now) && price.until.is_none_or(|until| now < until);
    if !holds {
        return None;
    }
    let begins = price.from.map_or(i64::MIN, Timestamp::millis);
    let longest = |prefixes: &[String]| {
        prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len).max()
    };
    match &price.reach {
        Reach::Network(name) => {
            let network = networks().into_iter().find(|network| network.name == *name)?;
            longest(&network.prefixes).map(|length| (3, length, begins))
        }
        Reach::Prefix(prefix) if prefix.is_empty() => Some((0, 0, begins)),
        Reach::Prefix(prefix) => number.starts_with(prefix.as_str()).then_some((2, prefix.len(), begins)),
        Reach::Country(code) => {
            let found = Glance::default().country(number.as_bytes())?;
            (found == *code.as_bytes()).then_some((1, 0, begins))
        }
    }
}

/// The price that a reader finds: of a list the one of the highest rank, the last written of several.
fn found(prices: &[Price], list: Option<&str>, number: &str, now: Timestamp) -> Option<Credits> {
    let in_list = prices.iter().filter(|price| price.list.as_deref() == list);
    in_list
        .filter_map(|price| Some((rank(price, number, now)?, price.credits)))
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, credits)| credits)
}

proptest! {
    #[test]
    fn the_compiled_price_is_the_one_that_a_reader_of_the_table_finds(
        prices in prop::collection::vec(price(), 0..24),
        now in (0_i64..11).prop_map(Timestamp::from_millis),
    ) {
        let table = PriceTable::compile(&prices, &networks(), [(PAYS_BY_LIST, "gold")]).unwrap();
        for number in NUMBERS {
            let general = found(&prices, None, number, now);
            let own = found(&prices, Some("gold"), number, now).or(general);
            let asked = |account| table.price(account, number.as_bytes(), now, |number| Glance::default().country(number));
            prop_assert_eq!(asked(OTHER), general, "{} in the general list", number);
            prop_assert_eq!(asked(PAYS_BY_LIST), own, "{} in its own list", number);
        }
    }

    #[test]
    fn a_message_costs_its_price_times_its_parts_exactly_or_nothing_can_pay_it(
        micro in prop_oneof![0_i64..1_000_000_000, 0..=i64::MAX],
        parts in 1_u8..=255,
    ) {
        let exact = i128::from(micro) * i128::from(parts);
        let total = Credits::from_micro(micro).times(u32::from(parts)).map(|total| i128::from(total.micro()));
        prop_assert_eq!(total, (exact <= i128::from(i64::MAX)).then_some(exact));
        // At the gate: 153 septets a part, or 160 in the only one (3GPP TS 23.040 §9.2.3.24.1).
        let policy = Snapshot::compile(SnapshotParts {
            accounts: vec![account(1, None)],
            prices: vec![Price::of("34", Credits::from_micro(micro))],
            limits: TextLimits { max_parts: 255, ..TextLimits::default() },
            ..SnapshotParts::default()
        })
        .unwrap();
        let mut pdu = message(DataCoding::DEFAULT, Vec::new());
        let text = vec![b'x'; usize::from(parts) * 153];
        pdu.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, text));
        let now = Timestamp::from_millis(0);
        let sender = policy.account(PAYS_BY_LIST).unwrap();
        let submission = Submission { pdu, body: None };
        let admitted = admit(&policy, policy.sender(sender), submission, now, &mut Desk::default()).unwrap();
        prop_assert_eq!((admitted.price().micro(), admitted.parts()), (micro, parts));
    }
}
