//! What a configuration says arrives where it belongs: includes, the environment, secrets, the policy of the store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use tollgate::account::credential::BindType;
use tollgate::account::{Credits, Origin, PasswordHash, Secret};
use tollgate::clock::Clock;
use tollgate::config::{self, Config, Problems, Proof, policy_change};
use tollgate::policy::Snapshot;
use tollgate::store::{Settings, Store};

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn load(folder: &Path) -> Result<Config, Problems> {
    config::load(&folder.join("gate.toml"), &|name| match name {
        "PASSWORD" => Some("pass$word".to_owned()),
        "HOST" => Some("127.0.0.1".to_owned()),
        _ => None,
    })
}

const MAIN: &str = r#"
include = ["accounts.d/*.toml", "prices.toml"]

[store]
path = "data/gate.db"
node = 3
owed_for = "2d"
retention_days = 30

[smpp]
listen = ["${HOST}:0"]
enquire_link = "off"
inactivity = "1h30m"
enquire_link_is_activity = true

[limits]
max_parts = 4
default_validity = "6h"

[admin]
listen = []

[log]
format = "json"
filter = "info,tollgate::smsc=debug"

[[upstream]]
name = "north"
address = "${HOST}:2776"
system_id = "gate"
password = "${PASSWORD}"
throughput = "50/s burst 100"
in_doubt = "wait"
id_form = "hex-to-decimal"
source_ton = 5

[upstream.retry]
first_pause = "2s"
permanent = [0x45]

[[route]]
name = "everywhere"
prefixes = ["", "34"]
upstreams = ["north"]
"#;

fn whole(folder: &Path) {
    std::fs::create_dir(folder.join("data")).unwrap();
    write(folder, "gate.toml", MAIN);
    write(folder, "prices.toml", "[[price]]\nprefix = \"\"\ncredits = \"0.5\"\n");
    write(
        folder,
        "accounts.d/20-b.toml",
        "[[account]]\nname = \"b\"\nparent = \"a\"\nundelivered = \"void\"\n[[account.smpp]]\nsystem_id = \"b\"\n\
         password_file = \"b.secret\"\nbind_types = [\"receiver\"]\n",
    );
    write(folder, "accounts.d/b.secret", "from a file\n");
    write(
        folder,
        "accounts.d/10-a.toml",
        "[[account]]\nname = \"a\"\nopening_credit = \"12.5\"\n[[account.smpp]]\nsystem_id = \"a\"\n\
         password = \"$${x}\"\n[[mo]]\nprefixes = [\"4477\"]\naccount = \"b\"\n",
    );
    write(folder, "accounts.d/ignored.toml~", "nonsense");
}

#[test]
fn every_table_arrives_in_the_settings_of_its_room() {
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    let config = load(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));

    assert_eq!(config.store.path, folder.path().join("data/gate.db"));
    assert_eq!(config.store.owed_for, Duration::from_secs(2 * 86_400));
    assert_eq!(config.store.history.retention_days, 30);
    assert_eq!(config.esme.listen, ["127.0.0.1:0".parse().unwrap()]);
    assert_eq!(config.esme.enquire_link, None);
    assert_eq!(config.esme.inactivity, Some(Duration::from_secs(5_400)));
    assert!(config.esme.enquire_link_is_activity);
    assert_eq!(config.admin.socket, folder.path().join("data/gate.db.sock"));
    assert!(config.admin.listen.is_empty());
    assert_eq!(config.log.format, config::LogFormat::Json);

    let [north] = config.smsc.upstreams.as_slice() else { panic!("one upstream") };
    assert_eq!(north.address, "127.0.0.1:2776");
    assert_eq!(north.password, Secret::new("pass$word"));
    assert_eq!(north.throughput.map(|t| (t.per_second, t.burst)), Some((50, 100)));
    assert_eq!((north.retry.first_pause_seconds, north.retry.permanent.as_slice()), (2, &[0x45][..]));
    assert_eq!(north.source_ton, Some(5));

    let traffic = &config.policy.traffic;
    assert!(traffic.upstreams[0].traits.notes_sending, "wait must know what was written");
    assert_eq!(traffic.routes[0].prefixes, ["", "34"]);
    assert_eq!(traffic.prices[0].credits, Credits::from_micro(500_000));
    assert_eq!(traffic.mo_routes[0].account, "b");
    assert_eq!(traffic.limits.max_parts, 4);
    assert_eq!(traffic.limits.default_validity, Duration::from_secs(6 * 3_600));
}

#[test]
fn included_files_come_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    let config = load(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<_> =
        config.files.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["gate.toml", "accounts.d/10-a.toml", "accounts.d/20-b.toml", "prices.toml"]);
    let [a, b] = config.policy.accounts.as_slice() else { panic!("two accounts") };
    assert_eq!(a.credentials[0].proof, Proof::Password(Secret::new("${x}")));
    assert_eq!(b.credentials[0].proof, Proof::Password(Secret::new("from a file")));
    assert!(!b.credentials[0].bounds.bind_types.contains(BindType::Transmitter));
}

#[test]
fn problems_of_included_files_have_their_own_places() {
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    write(folder.path(), "prices.toml", "[limits]\nmax_parts = 1\n[[price]]\nprefix = \"\"\n");
    write(folder.path(), "accounts.d/30-c.toml", "[[account]]\nname = \"a\"\n");
    let told = load(folder.path()).unwrap_err().to_string();
    let told = told.replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(
        told,
        "accounts.d/30-c.toml:2:8: account \"a\" is there already, at accounts.d/10-a.toml:2: write each one once\n\
         prices.toml:1:2: limits stands in an included file: move it to the main file\n\
         prices.toml:3:1: [[price]] credits is missing: add credits = \"1\""
    );
}

#[test]
fn a_file_that_is_no_toml_hides_nothing_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    write(folder.path(), "accounts.d/bad.toml", "[[account]\nname = \"lost\"\nmax_queud = 1\n");
    // What these refer to may stand in the file that could not be read.
    write(
        folder.path(),
        "accounts.d/good.toml",
        "[[account]]\nname = \"child\"\nparent = \"lost\"\nmax_queud = 1\n[[mo]]\nprefixes = [\"22\"]\naccount = \"lost\"\n",
    );
    let told =
        load(folder.path()).unwrap_err().to_string().replace(&format!("{}/", folder.path().display()), "");
    let lines: Vec<_> = told.lines().collect();
    assert!(lines[0].starts_with("accounts.d/bad.toml:1:"), "{told}");
    assert_eq!(
        lines.iter().filter(|line| !line.starts_with("accounts.d/bad.toml")).collect::<Vec<_>>(),
        [&"accounts.d/good.toml:4:1: unknown key \"max_queud\" in [[account]]: did you mean \"max_queued\"?"]
    );
}

#[test]
fn an_include_may_match_nothing_but_a_file_that_is_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    write(folder.path(), "gate.toml", &MAIN.replace("prefixes = [\"\", \"34\"]", "prefixes = [\"34\"]"));
    let told = load(folder.path()).unwrap_err().to_string();
    let told = told.replace(&format!("{}/", folder.path().display()), "");
    assert!(
        told.starts_with(
            "gate.toml:2:33: prices.toml cannot be read (No such file or directory (os error 2))"
        ),
        "{told}"
    );
}

#[test]
fn only_store_and_socket_are_needed_to_administer() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "gate.toml", "[store]\npath = \"gate.db\"\n[smpp]\nnonsense = 1\n");
    let found = config::load_store(&folder.path().join("gate.toml"), &|_| None).unwrap();
    assert_eq!(found.store.path, folder.path().join("gate.db"));
    assert_eq!(found.admin.socket, folder.path().join("gate.db.sock"));
}

#[tokio::test]
async fn plain_passwords_are_hashed_once_and_then_kept() {
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    let config = load(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let first = policy_change(&config.policy, &Snapshot::default()).await.unwrap();
    assert!(first.replaces_files && first.accounts.iter().all(|account| account.origin == Origin::File));
    let hashes = |change: &tollgate::store::PolicyChange| -> Vec<PasswordHash> {
        change.accounts.iter().map(|account| account.credentials[0].password.clone()).collect()
    };
    assert!(hashes(&first)[0].matches(&Secret::new("${x}")));
    assert!(hashes(&first)[1].matches(&Secret::new("from a file")));

    let store = Store::open(Settings::at(folder.path().join("try.db")), Clock::system()).unwrap();
    store.apply(first.clone()).await.unwrap();
    let again = policy_change(&config.policy, &store.policy()).await.unwrap();
    assert_eq!(hashes(&again), hashes(&first), "nothing changed, so nothing is hashed anew");

    write(folder.path(), "accounts.d/b.secret", "another");
    let config = load(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let changed = policy_change(&config.policy, &store.policy()).await.unwrap();
    assert_eq!(hashes(&changed)[0], hashes(&first)[0]);
    assert!(hashes(&changed)[1].matches(&Secret::new("another")));
    store.apply(changed).await.unwrap();
    assert_eq!(store.reader().unwrap().account("a").unwrap().balance.available, "12.5".parse().unwrap());
    store.close().await;
}

#[test]
fn what_clients_and_operators_may_do_differently_arrives_where_it_belongs() {
    use tollgate::policy::PastSchedule;
    use tollgate::smsc::ValidityForm;
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    let upstream = "source_ton = 5\npassword_cut = true\nalready_bound_is_success = true\naccepted_ends = false\n\
                    stamps_reference = true\nvalidity = \"absolute\"\n";
    let text = MAIN
        .replace("source_ton = 5\n", upstream)
        .replace("max_parts = 4\n", "max_parts = 4\npast_schedule = \"now\"\n");
    write(folder.path(), "gate.toml", &text);
    write(folder.path(), "accounts.d/10-a.toml", "[[account]]\nname = \"a\"\nsubmit_multi = false\n");
    write(folder.path(), "accounts.d/20-b.toml", "");
    let config = load(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let [north] = config.smsc.upstreams.as_slice() else { panic!("one upstream") };
    assert!(north.password_cut && north.already_bound_is_success && north.stamps_reference);
    assert_eq!((north.accepted_ends, north.validity), (false, ValidityForm::Absolute));
    assert_eq!(config.policy.traffic.limits.past_schedule, PastSchedule::Now);
    assert!(!config.policy.accounts[0].terms.submit_multi);
}

#[test]
fn how_peers_write_texts_arrives_where_it_belongs() {
    use smpp_proto::text::Charset;
    use smpp_proto::text::gsm7::Language;
    use tollgate::account::{DataCoding1, HighOctets, InboundParts};
    use tollgate::smsc::ClientParts;
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    let upstream = "source_ton = 5\nclient_parts = \"exact\"\nalphabet = \"gsm7-packed\"\n\
                    national_languages = [\"tr\", \"ur\"]\n";
    let text =
        MAIN.replace("source_ton = 5\n", upstream).replace("node = 3\n", "node = 3\njoin_within = \"5m\"\n");
    write(folder.path(), "gate.toml", &text);
    let account = "[[account]]\nname = \"a\"\nalphabet = \"latin1\"\ndcs1 = \"gsm7\"\nhigh_octets = \"guess\"\n\
                   reencode = true\ninbound_parts = \"join\"\n";
    write(folder.path(), "accounts.d/10-a.toml", account);
    write(folder.path(), "accounts.d/20-b.toml", "");
    let config = load(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let [north] = config.smsc.upstreams.as_slice() else { panic!("one upstream") };
    assert_eq!((north.client_parts, north.alphabet), (ClientParts::Exact, Charset::Gsm7Packed));
    assert_eq!(north.national_languages.iter().collect::<Vec<_>>(), [Language::Turkish, Language::Urdu]);
    assert_eq!(north.traits().languages, north.national_languages.bits());
    let terms = &config.policy.accounts[0].terms;
    assert_eq!((terms.alphabet, terms.dcs1), (Charset::Latin1, DataCoding1::Gsm7));
    assert_eq!((terms.high_octets, terms.inbound_parts), (HighOctets::Guess, InboundParts::Join));
    assert!(terms.reencode && !terms.keeps_texts());
    assert_eq!(config.store.join_within, Duration::from_secs(300));
}
