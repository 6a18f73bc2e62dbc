//! A child can only tighten: whatever the platform, an account or one above it refuses, those below are refused too, and
//! what is demanded of counters above is demanded below.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use smpp_proto::Address;
use smpp_proto::field::{COctets, DataCoding};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::ucs2;
use tollgate::account::credential::Bounds;
use tollgate::account::{Account, AccountId, Credential, CredentialId, Credits, PasswordHash, Secret};
use tollgate::clock::Timestamp;
use tollgate::policy::filter::{
    Claim, CountryCap, Demand, Desk, Filters, NumberSense, OptOuts, Rule, Rules, Unicode, Velocity,
    check_recipients,
};
use tollgate::policy::hours::{Action, ClosedHours, Days};
use tollgate::policy::number::{Country, Kind};
use tollgate::policy::text::content::{ContentMatch, ContentRule, LinkRule, WordRule};
use tollgate::policy::text::opt::Wish;
use tollgate::policy::{
    Admitted, Denied, Platform, Price, Sender, Snapshot, SnapshotParts, Submission, admit,
};

use super::{account, message};

static HASH: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash::of(&Secret::new("secret")).unwrap());

fn ruled<T: std::fmt::Debug>(is: impl Strategy<Value = T>) -> impl Strategy<Value = Rule<T>> {
    (is, prop::bool::weighted(0.8)).prop_map(|(is, enforce)| Rule { enforce, ..Rule::of(is) })
}

fn maybe<T: std::fmt::Debug>(is: impl Strategy<Value = T>) -> impl Strategy<Value = Option<Rule<T>>> {
    prop::option::weighted(0.15, ruled(is))
}

fn some<T: std::fmt::Debug>(is: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<Rule<T>>> {
    maybe(is).prop_map(|rule| rule.into_iter().collect())
}

fn country() -> impl Strategy<Value = Country> {
    prop::sample::select(vec!["ES", "FR", "CO", "US"]).prop_map(|code| code.parse().unwrap())
}

fn closed_hours() -> impl Strategy<Value = ClosedHours> {
    let times = || prop::sample::select(vec!["00:00", "08:00", "12:00", "17:30", "22:00"]);
    let zones = prop::sample::select(vec!["UTC", "Europe/Madrid", "America/Bogota"]);
    let days = prop::sample::select(vec![&[][..], &["mon", "tue"], &["thu"]]);
    let action = prop::sample::select(vec![Action::Hold, Action::Reject]);
    (times(), times(), zones, days, action).prop_map(|(from, to, zone, days, action)| ClosedHours {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        zone: zone.to_owned(),
        days: Days::of(days.iter().copied()).unwrap(),
        action,
    })
}

fn content() -> impl Strategy<Value = ContentRule> {
    let words = prop::sample::subsequence(vec!["loan", "cheap loan", "ganga"], 1..3);
    let links = LinkRule { deny: vec!["bad.example".to_owned()], ..LinkRule::default() };
    let matches = prop_oneof![
        words.prop_map(|words| {
            let words = words.into_iter().map(str::to_owned).collect();
            ContentMatch::Words(WordRule { words, folded: false })
        }),
        Just(ContentMatch::Pattern("pin is [0-9]{4}".to_owned())),
        Just(ContentMatch::Links(links)),
    ];
    matches.prop_map(|matches| ContentRule { name: "rule".to_owned(), matches })
}

fn velocity() -> impl Strategy<Value = Velocity> {
    (prop::sample::select(vec!["", "34", "57"]), 1_u8..=15, 1_u32..5).prop_map(|(prefix, digits, most)| {
        Velocity { prefix: prefix.to_owned(), digits, most, per: Duration::from_secs(3_600) }
    })
}

fn opt_outs() -> impl Strategy<Value = OptOuts> {
    let words = |usual| {
        let own = prop::sample::subsequence(vec!["XQZ", "STOP", "START"], 0..3);
        prop_oneof![Just(Vec::new()), own, Just(vec![usual])]
            .prop_map(|words| words.into_iter().map(str::to_owned).collect())
    };
    (words("BASTA"), words("OLE"))
        .prop_map(|(stop, start)| OptOuts { stop, start })
        // Drawn on the heap: all of a level at once fill the stack of a test.
        .boxed()
}

fn cap() -> impl Strategy<Value = CountryCap> {
    (prop::option::of(country()), 0_u64..9, prop::option::of(0_i64..9)).prop_map(
        |(country, messages, micro)| CountryCap {
            country,
            messages: Some(messages),
            credits: micro.map(Credits::from_micro),
        },
    )
}

prop_compose! {
    fn filters()(
        (zone, duplicate, hours, countries, country_caps) in (
            prop::option::weighted(0.3, prop::sample::select(vec!["Europe/Madrid", "Pacific/Apia"])),
            maybe((1_u64..5_000).prop_map(Duration::from_secs)),
            some(closed_hours()),
            maybe(prop::collection::vec(country(), 0..4)),
            some(cap()),
        ),
        (senders, numbers, velocity, content, unicode) in (
            maybe(prop::sample::subsequence(vec!["ACME*", "22???", "OTHER", "*"], 0..4)),
            maybe((prop::sample::subsequence(vec![Kind::Mobile, Kind::Fixed, Kind::Premium], 0..3), any::<bool>())),
            some(velocity()),
            some(content()),
            maybe(prop::sample::select(vec![Unicode::Allow, Unicode::Transliterate, Unicode::Reject])),
        ),
        (max_per_day, max_per_month, spend_per_day, spend_per_month) in (
            maybe(0_u64..9),
            maybe(0_u64..9),
            maybe((0_i64..9).prop_map(Credits::from_micro)),
            maybe((0_i64..9).prop_map(Credits::from_micro)),
        ),
        (max_per_request, certified, opt_outs) in (maybe(1_u32..9), maybe(any::<bool>()), maybe(opt_outs())),
    ) -> Filters {
        let senders = senders.map(|rule: Rule<Vec<&str>>| Rule {
            is: rule.is.iter().map(|sender| sender.parse().unwrap()).collect(),
            enforce: rule.enforce,
            place: String::new(),
        });
        let numbers = numbers.map(|rule: Rule<(Vec<Kind>, bool)>| Rule {
            is: NumberSense { refuse: rule.is.0, check_length: rule.is.1 },
            enforce: rule.enforce,
            place: String::new(),
        });
        Filters {
            zone: zone.map(str::to_owned), duplicate, hours, countries, country_caps, senders, numbers, velocity,
            content, unicode, max_per_day, max_per_month, spend_per_day, spend_per_month, max_per_request,
            throughput: None, certified, opt_outs,
        }
    }
}

prop_compose! {
    fn submission()(
        source in prop::sample::select(vec!["ACME", "ACME Shop", "OTHER", "22017"]),
        number in prop::sample::select(vec!["34600111222", "34912345678", "33612345678", "573001234567", "12125550123", "346"]),
        words in prop::collection::vec(
            prop::sample::select(vec!["hello", "loan", "cheap", "ganga", "pin is 1234", "bad.example", "Привет", "ганга", "😀"]),
            0..30,
        ),
        hurries in any::<bool>(),
    ) -> SubmitSm {
        let text = words.join(" ");
        let (data_coding, octets) =
            if text.is_ascii() { (DataCoding::DEFAULT, text.into_bytes()) } else { (DataCoding::UCS2, ucs2::encode(&text)) };
        let mut pdu = message(data_coding, Vec::new());
        pdu.source = Address::alphanumeric(source);
        pdu.destination = Address::international(number);
        // An hour, so that closed hours may last longer than it does.
        pdu.validity_period = if hurries { COctets::from("000000010000000R") } else { COctets::EMPTY };
        pdu.tlvs.push(smpp_proto::Tlv::new(smpp_proto::Tag::MESSAGE_PAYLOAD, octets));
        pdu
    }
}

/// "account 1" without filters, "account 2" and "account 3" under it, and a credential of the last.
fn tree(platform: Filters, parent: Filters, child: Filters, credential: Filters) -> Snapshot {
    let own = Credential {
        id: CredentialId(1),
        account: AccountId(3),
        system_id: "user".to_owned(),
        password: HASH.clone(),
        bounds: Bounds::default(),
    };
    Snapshot::compile(SnapshotParts {
        accounts: vec![account(1, None), account(2, Some(1)), account(3, Some(2))],
        filters: HashMap::from([(AccountId(2), parent), (AccountId(3), child)]),
        credentials: vec![own],
        credential_filters: HashMap::from([(CredentialId(1), credential)]),
        platform: Platform { filters: platform, protected: Vec::new() },
        prices: vec![Price::of("", Credits::from_micro(1))],
        ..SnapshotParts::default()
    })
    .unwrap()
}

fn judged(policy: &Snapshot, sender: Sender<'_>, pdu: &SubmitSm, now: Timestamp) -> Result<Admitted, Denied> {
    let mut desk = Desk::default();
    desk.begin(now);
    admit(policy, sender, Submission { pdu: pdu.clone(), body: None }, now, &mut desk)
}

/// Whether what is demanded above is demanded below. Prints are each account's own, so windows are compared; and who
/// pays for fewer segments, because the text was written anew for him, adds less.
fn demands(below: &[Claim], above: &Claim, is_same_text: bool) -> bool {
    below.iter().any(|claim| match (claim.demand, above.demand) {
        (Demand::First { window: own, .. }, Demand::First { window, .. }) => {
            own >= window && (claim.enforce || !above.enforce)
        }
        (
            Demand::Quota { key, period, adds, most, .. },
            Demand::Quota { key: key2, period: period2, adds: adds2, most: most2, .. },
        ) => {
            (claim.rule, claim.enforce, key, period, most)
                == (above.rule, above.enforce, key2, period2, most2)
                && (adds == adds2 || !is_same_text)
        }
        _ => claim == above,
    })
}

fn bound_by_the_same_and_more(above: &Rules, below: &Rules) -> Result<(), TestCaseError> {
    prop_assert!(below.lineage.ends_with(&above.lineage), "{:?} {:?}", above.lineage, below.lineage);
    for count in 1..10 {
        let refused = |rules| check_recipients(rules, count, |_| ()).is_err();
        prop_assert!(!refused(above) || refused(below), "{} destinations", count);
    }
    for word in ["STOP", "XQZ", "BASTA", "START", "OLE"] {
        let wants = |rules: &Rules, wish| rules.wish(word) == Some(wish);
        prop_assert!(!wants(above, Wish::Out) || wants(below, Wish::Out), "{}", word);
        // Where a level above puts phones on a list, no other word of a level below takes them off.
        let is_honoured = above.opt_outs.iter().any(|rule| rule.enforce);
        prop_assert!(!is_honoured || wants(above, Wish::In) || !wants(below, Wish::In), "{}", word);
    }
    // Nobody speaks of it above: then who is below may still be allowed.
    let denied = above.allows_certified().is_err_and(|denied| denied.rule().is_some());
    prop_assert!(!denied || below.allows_certified().is_err());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_refused_above_is_refused_below_and_what_is_demanded_above_is_demanded_below(
        (platform, parent, child, credential) in (filters(), filters(), filters(), filters()),
        pdu in submission(),
        minutes in 0_i64..20_160,
    ) {
        let policy = tree(platform, parent, child, credential);
        // From 2025-11-20 on, two weeks.
        let now = Timestamp::from_millis(1_763_596_800_000 + minutes * 60_000);
        let accounts: Vec<&Account> = (1..=3).map(|id| policy.account(AccountId(id)).unwrap().as_ref()).collect();
        let user = Sender { account: accounts[2], rules: policy.rules_of(CredentialId(1)) };
        let levels: Vec<Sender<'_>> = accounts.iter().map(|account| policy.sender(account)).chain([user]).collect();
        for (place, pair) in levels.windows(2).enumerate() {
            let [above, below] = pair else { unreachable!() };
            bound_by_the_same_and_more(above.rules, below.rules)?;
            let outcome = judged(&policy, *below, &pdu, now);
            match (judged(&policy, *above, &pdu, now), outcome) {
                (Err(denied), outcome) => prop_assert!(outcome.is_err(), "level {} passes {:?}", place + 1, denied),
                (Ok(_), Err(_)) => {}
                (Ok(upper), Ok(lower)) => {
                    let is_same_text = upper.body() == lower.body();
                    for claim in upper.claims() {
                        prop_assert!(demands(lower.claims(), claim, is_same_text), "{:?} of {:?}", claim, lower.claims());
                    }
                    prop_assert!(upper.due().is_none_or(|due| lower.due().is_some_and(|later| later >= due)));
                }
            }
        }
    }
}
