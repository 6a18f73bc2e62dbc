//! The policy from the shell: plan, apply and export, on a store that no daemon has and beside one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use support::{HEAD, Shell};

/// Everything that an account, a credential and the platform can have.
const RICH: &str = r#"
[limits]
max_parts = 4
default_validity = "6h"
past_schedule = "now"

[filters]
countries = ["ES", "GB"]
numbers = { refuse = ["premium"], check_length = true }

[billing]
currency = "EUR"
credit_value = "0.01"

[[protected_name]]
name = "ACME"
accounts = ["acme"]
match = "contained"
enforce = false

[[network]]
name = "ES-One"
prefixes = ["34600", "34601"]
[[price_list]]
name = "gold"
currency = "USD"
rate = "0.012"

[[price]]
prefix = ""
credits = "1"
[[price]]
prefix = "34"
credits = "0.5"
[[price]]
prefix = "34"
credits = "0.45"
from = "2027-01-01"
until = "2028-01-01T12:00:00Z"
[[price]]
prefix = "34"
credits = "0.4"
list = "gold"
[[price]]
country = "GB"
credits = "0.3"
[[price]]
network = "ES-One"
credits = "0.2"

[[route]]
name = "shared"
prefixes = ["346"]
pick = "share"
upstreams = [{ name = "north", share = 70, cost = "0.1" }, { name = "south", share = 30 }]
accounts = ["acme"]
senders = ["AC*"]
countries = ["ES"]
classes = ["unicode"]
hours = ["08:00-20:00"]
zone = "Europe/Madrid"
max_price = "2"
[route.failover]
on_receipt = ["UNDELIV"]
max_attempts = 2
[[route]]
name = "weighed"
prefixes = ["347"]
pick = "weight"
upstreams = [{ name = "north", weight = 3 }, "south"]
[route.failover]
statuses = [11]
max_cost = "0.5"
[[route]]
name = "spain"
prefixes = ["34"]
upstreams = ["north", "south"]
[[route]]
name = "rest"
prefixes = [""]
upstreams = ["south"]

[[mo]]
prefixes = ["22000"]
account = "acme"
[[mo]]
prefixes = ["22000"]
keyword = "WIN"
account = "acme"
credential = "acme"

[[account]]
name = "acme"
opening_credit = "100"
ceiling = "1000"
floor = "-2.5"
default_source = "ACME"
alphabet = "latin1"
undelivered = "void"
inbound_parts = "join"
price_list = "gold"
[account.statuses]
duplicate = 0x45
[account.access.smpp]
restricted = true
entries = ["10.0.0.0/8", { network = "2001:db8::/32", description = "office $${HOME}" }]
[[account.canned]]
id = 3
text = "Costs $${5} \"now\""
[account.filters]
zone = "Europe/Madrid"
duplicate = { window = "60m" }
hours = [
  { closed_from = "22:00", closed_to = "08:00", days = ["mon", "tue"], action = "reject" },
  { closed_from = "13:00", closed_to = "14:30", zone = "America/New_York", enforce = false },
]
country_caps = [{ messages = 10 }, { country = "GB", credits = "2.5", enforce = false }]
senders = { allow = ["ACME*", "34600000000"], enforce = false }
velocity = { prefix = "34", digits = 9, most = 3, per = "1h" }
max_per_day = 1000
spend_per_month = { most = "12.5", enforce = false }
max_per_request = 50
throughput = "30/s burst 60"
certified = true
unicode = "transliterate"
opt_outs = { stop = ["BASTA"], start = ["OLE"] }
[[account.filters.content]]
name = "no loans"
words = ["loan", "easy money"]
folded = true
[[account.filters.content]]
name = "no cards"
pattern = '\b\d{16}\b'
enforce = false
[[account.filters.content]]
name = "links"
links = { deny = ["example.com"], look_alikes_of = ["acme.example"] }
[[account.smpp]]
system_id = "acme"
password = "secret"
allowed_ips = ["10.1.0.0/16"]
bind_types = ["transmitter"]
throughput = "5/s"
lenience = { profile = "strict", accept = ["long_password"] }
[account.smpp.filters]
max_per_day = 7

[[account]]
name = "shop"
parent = "acme"
suspended = true
"#;

const NO_CHANGE: &str = "no change: the store holds what the files say\n";

const SMALL: &str = r#"
[[price]]
prefix = ""
credits = "1"
[[route]]
name = "rest"
prefixes = [""]
upstreams = ["north"]
[[account]]
name = "acme"
opening_credit = "5"
[account.filters]
max_per_day = 100
[[account.smpp]]
system_id = "acme"
password = "secret"
window = 10
[[account]]
name = "old"
"#;

#[test]
fn a_plan_reads_like_a_list_of_changes_and_changes_nothing() {
    let shell = Shell::new(SMALL);
    let plan = shell.run("plan");
    assert_eq!(plan.code, 0, "{}", plan.err);
    assert!(!shell.path().join("gate.db").exists(), "a plan makes no store");
    for line in [
        "+ account acme\n    opening_credit = \"5\"\n    filters.max_per_day = 100\n",
        "+ credential acme of account acme\n    window = 10\n",
        "+ price \"\"\n    credits = \"1\"\n",
        "+ route rest\n",
    ] {
        assert!(plan.out.contains(line), "{line} in {}", plan.out);
    }
    assert!(plan.out.ends_with("7 to add, 0 to change, 0 to suspend, 0 to remove\n"), "{}", plan.out);
    assert!(!plan.out.contains("secret") && !plan.out.contains("argon2"), "{}", plan.out);
    assert_eq!(shell.run("plan --exit-code").code, 3);

    let applied = shell.run("apply");
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert!(applied.out.ends_with("7 added, 0 changed, 0 suspended, 0 removed\n"), "{}", applied.out);
    assert_eq!(shell.run("plan --exit-code").out, NO_CHANGE);
    assert_eq!(shell.run("plan --exit-code").code, 0);
    assert_eq!(shell.run("apply").out, NO_CHANGE);
    assert_eq!(shell.json("credit show acme")["available"], "5");
}

#[test]
fn a_plan_tells_what_becomes_different_and_never_a_secret() {
    let shell = Shell::new(SMALL);
    assert_eq!(shell.run("apply").code, 0);
    let changed = SMALL
        .replace("max_per_day = 100", "# moved\nmax_per_day = { most = 50, enforce = false }")
        .replace("password = \"secret\"\n", "password = \"other\"\n")
        .replace("window = 10", "throughput = \"5/s\"")
        .replace("credits = \"1\"", "credits = \"2\"")
        .replace("[[account]]\nname = \"old\"\n", "")
        .replace("[\"north\"]", "[\"south\", \"north\"]");
    shell.configure(&changed);
    let plan = shell.run("plan");
    assert_eq!(
        plan.out,
        "~ account acme\n    filters.max_per_day: 100 -> { enforce = false, most = 50 }\n\
         ~ credential acme of account acme\n    password changed\n    throughput = \"5/s burst 5\"\n    window no longer 10\n\
         - account old: in no file any more, suspended; its books are kept\n\
         ~ price \"\"\n    credits: \"1\" -> \"2\"\n\
         ~ route rest\n    upstreams: [\"north\"] -> [\"south\", \"north\"]\n\
         0 to add, 4 to change, 1 to suspend, 0 to remove\n"
    );
    let json = shell.json("plan");
    assert_eq!(json["changes"][0]["keys"][0]["from"], "100");
    assert_eq!(json["changes"][2]["how"], "suspend");
    assert_eq!(shell.run("apply --dry-run").out, plan.out);
    assert_eq!(shell.json("account show old")["suspended"], false, "nothing of that was done");
    assert_eq!(shell.run("apply").code, 0);
    assert_eq!(shell.json("account show old")["suspended"], true);
    assert_eq!(shell.run("plan").out, NO_CHANGE);
}

#[test]
fn rules_that_only_stand_elsewhere_are_no_change() {
    let shell = Shell::new(SMALL);
    assert_eq!(shell.run("apply").code, 0);
    shell.configure(&format!("\n\n# three lines\n{SMALL}"));
    assert_eq!(shell.run("plan").out, NO_CHANGE);
    assert_eq!(shell.run("apply").out, NO_CHANGE);
}

#[test]
fn a_system_id_of_somebody_else_is_refused_before_anything_changes() {
    let shell = Shell::new("");
    shell.json("account create bureau --system-id acme");
    shell.configure(SMALL);
    for command in ["plan", "apply"] {
        let said = shell.run(command);
        assert_eq!(said.code, 1, "{command}: {}", said.out);
        assert!(said.err.contains("system_id \"acme\""), "{}", said.err);
    }
    assert_eq!(shell.json("account list").as_array().unwrap().len(), 1);
}

#[test]
fn a_credential_moves_between_accounts_of_the_files() {
    let shell = Shell::new(SMALL);
    assert_eq!(shell.run("apply").code, 0);
    let credential = "[[account.smpp]]\nsystem_id = \"acme\"\npassword = \"secret\"\nwindow = 10\n";
    let first = format!("[[account]]\nname = \"new\"\n{credential}{}", SMALL.replace(credential, ""));
    shell.configure(&first);
    assert!(shell.run("plan").out.contains("~ credential acme of account new\n    account: acme -> new\n"));
    let applied = shell.run("apply");
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert_eq!(shell.json("account show new")["system_ids"][0], "acme");
    assert_eq!(shell.run("plan").out, NO_CHANGE);
}

#[test]
fn what_is_exported_is_taken_by_check_and_changes_nothing() {
    let shell = Shell::new(RICH);
    let applied = shell.run("apply");
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    shell.json("account create made --parent acme --credit 3");
    assert_eq!(shell.run("plan").out, NO_CHANGE);

    let export = shell.run("export");
    assert_eq!(export.code, 0, "{}", export.err);
    assert!(export.out.contains("\n# name = \"made\"\n"), "{}", export.out);
    assert!(!export.out.contains("secret"), "{}", export.out);
    shell.configure(&export.out);
    let check = shell.run("check");
    assert_eq!(check.code, 0, "{}\n{}", check.out, export.out);
    assert_eq!(shell.run("plan").out, NO_CHANGE, "{}", export.out);

    // In a file that the main one includes, beside what may only stand there.
    let main = RICH.split("[[protected_name]]").next().unwrap();
    shell.write("tollgate.toml", &format!("include = [\"exported.toml\"]\n{HEAD}{main}"));
    shell.write("exported.toml", &shell.run("export --included").out);
    let check = shell.run("check");
    assert_eq!(check.code, 0, "{}", check.out);
    assert_eq!(shell.run("plan").out, NO_CHANGE);

    // With --all a file takes over what was made by command.
    shell.configure(&shell.run("export --all").out);
    let plan = shell.run("plan");
    assert_eq!(
        plan.out,
        "~ account made\n    origin: store -> file\n0 to add, 1 to change, 0 to suspend, 0 to remove\n"
    );
    assert_eq!(shell.run("apply").code, 0);
    assert_eq!(shell.json("account show made")["origin"], "file");
    assert_eq!(shell.json("credit show made")["available"], "3");
}

#[test]
fn a_store_whose_protected_names_came_to_look_alike_opens_and_is_mended_by_a_file() {
    let named = |name: &str, enforce: bool| {
        format!("[[protected_name]]\nname = \"{name}\"\naccounts = [\"acme\"]\nenforce = {enforce}\n")
    };
    let policy = |second: &str| format!("{SMALL}{}{}", named("ACME", true), named(second, true));
    let shell = Shell::new(&policy("Zebra"));
    assert_eq!(shell.run("apply").code, 0);
    // As a version that told the two apart left it.
    let db = rusqlite::Connection::open(shell.path().join("gate.db")).unwrap();
    db.execute("UPDATE meta SET value = replace(value, 'Zebra', 'ΛCME') WHERE key = 'platform'", []).unwrap();
    drop(db);
    let explain = shell.run("explain --account acme --from ACME --to 34600111222 --text hi");
    assert_eq!(explain.code, 0, "{}", explain.err);
    shell.configure(&policy("ΛCME"));
    let refused = shell.run("check");
    assert!(refused.code == 64 && refused.out.contains("looks like \"ACME\""), "{}", refused.out);
    shell.configure(&policy("Giraffe"));
    let applied = shell.run("apply");
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert_eq!(shell.run("plan").out, NO_CHANGE);
    // A name beside itself in shadow is another one, whichever comes first.
    let both = format!("{SMALL}{}{}", named("ACME", false), named("ACME", true));
    shell.configure(&both);
    let told = shell.run("plan").out;
    assert!(told.starts_with("+ protected_name ACME in shadow\n"), "{told}");
    assert_eq!(shell.run("apply").code, 0);
    shell.configure(&format!("{SMALL}{}{}", named("ACME", true), named("ACME", false)));
    assert_eq!(shell.run("plan").out, NO_CHANGE);
}

#[test]
fn apply_tells_the_daemon_to_read_its_file_again() {
    let mut shell = Shell::new(SMALL);
    shell.start();
    assert_eq!(shell.run("plan").out, NO_CHANGE);
    shell.configure(&SMALL.replace("max_per_day = 100", "max_per_day = 99"));
    assert_eq!(shell.run("plan").out.lines().count(), 3, "a plan beside a daemon");
    let told = shell.json("explain --account acme --credential acme --from ACME --to 34600111222 --text hi");
    assert_eq!(told["route"]["operators"][0], serde_json::json!({"name": "north", "up": false}));
    assert_eq!((&told["accepted"], &told["price"]["total"]), (&true.into(), &"1".into()));
    let applied = shell.run("apply");
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert_eq!(
        applied.out,
        "~ account acme\n    filters.max_per_day: 100 -> 99\n0 added, 1 changed, 0 suspended, 0 removed\n"
    );
    assert_eq!(shell.json("account show acme")["filters"]["max_per_day"]["is"], 99);

    shell.write("other.toml", &format!("{HEAD}{SMALL}"));
    let other = shell.run("apply --config other.toml");
    assert_eq!(other.code, 1);
    assert!(
        other.err.contains("the daemon runs with ") && other.err.contains("nothing was applied"),
        "{}",
        other.err
    );
    assert_eq!(shell.json("account show acme")["filters"]["max_per_day"]["is"], 99);

    shell.configure(&SMALL.replace("max_per_day = 100", "max_per_dya = 98\nmax_per_month = 0.5"));
    let bad = shell.run("apply");
    assert_eq!((bad.code, bad.out.as_str()), (64, ""));
    assert!(bad.err.contains("tollgate.toml:30:1: unknown key \"max_per_dya\""), "{}", bad.err);
    assert!(
        bad.err.contains("did you mean \"max_per_day\"?") && bad.err.contains("tollgate.toml:31:17: "),
        "{}",
        bad.err
    );
    assert_eq!(
        shell.json("account show acme")["filters"]["max_per_day"]["is"],
        99,
        "a bad file changes nothing"
    );
}

#[test]
fn numbers_are_put_on_lists_and_taken_off() {
    let shell = Shell::new(SMALL);
    assert_eq!(shell.run("apply").code, 0);
    assert_eq!(shell.run("optout add --account acme +34600111222 22000").out, "2 added, 0 known already\n");
    let again = shell.run_all(&["optout", "add", "--account", "acme", "+34 600-111-222", "--why", "asked"]);
    assert_eq!(again.out, "0 added, 1 known already\n");
    assert_eq!(shell.json("blocklist add 1900555")["changed"], 1);
    let list = shell.json("optout list --account acme");
    assert_eq!((&list["count"], &list["numbers"][0][0]), (&2.into(), &"22000".into()));
    assert_eq!(shell.json("optout list --account acme --limit 1")["numbers"].as_array().unwrap().len(), 1);
    assert_eq!(shell.json("blocklist list")["numbers"][0][0], "1900555");

    let told = shell.json("explain --account acme --from ACME --to 34600111222 --text hi");
    assert_eq!((&told["accepted"], &told["reason"]), (&false.into(), &"opted_out".into()));
    let told = shell.run("explain --account acme --from ACME --to 1900555 --text hi");
    assert!(told.out.contains("answer    refused: destination_blocked (0x0000000B)\n"), "{}", told.out);

    assert_eq!(shell.run("optout remove --account acme 22000 22001").out, "1 taken off, 1 not on the list\n");
    for (words, why) in [
        ("optout add --account acme 34600111223 12", "\"12\" is no number"),
        ("optout add --account nobody 34600111223", "there is no account \"nobody\""),
        ("optout list", "--account NAME"),
    ] {
        let said = shell.run(words);
        assert_eq!(said.code, 1, "{words}");
        assert!(said.err.contains(why), "{words}: {}", said.err);
    }
    assert_eq!(shell.json("optout list --account acme")["count"], 1, "nothing of that was done");
}

#[test]
fn a_file_of_many_numbers_is_imported_and_its_bad_lines_are_named() {
    let mut shell = Shell::new(SMALL);
    shell.start();
    let mut text = "\u{feff}+34 600 000 000\n# a comment\n\nnonsense\n".to_owned();
    text.extend((0..25_000).map(|n| format!("346{n:08}\r\n")));
    text.push_str(&"9".repeat(5_000));
    text.push_str("\n34999");
    shell.write("numbers.txt", &text);
    let said = shell.run("optout import --account acme numbers.txt");
    assert_eq!(said.code, 1, "{}", said.err);
    assert_eq!(said.out, "25001 added, 1 known already, 2 no numbers\n");
    assert!(said.err.contains("numbers.txt:4: nonsense is no number\n"), "{}", said.err);
    assert!(said.err.contains("numbers.txt:25005: 9999"), "{}", said.err);
    let again = shell.run("optout import --account acme numbers.txt --json");
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((&again["added"], &again["known"]), (&0.into(), &25_002.into()));
    assert_eq!(shell.json("optout list --account acme")["count"], 25_001);
}

#[test]
fn what_binds_an_account_is_shown_with_whose_it_is_and_where_it_stands() {
    let shell = Shell::new(RICH);
    assert_eq!(shell.run("apply").code, 0);
    let shown = shell.run("account show acme --rules");
    assert!(shown.out.contains("filters.max_per_day 1000\n"), "{}", shown.out);
    let line =
        shown.out.lines().find(|line| line.starts_with("max_per_day ") && line.contains("credential acme"));
    assert!(
        line.is_some_and(|line| line.contains(" 7 ") && line.contains("tollgate.toml:")),
        "{}",
        shown.out
    );
    let json = shell.json("account show shop --rules");
    let rules = json["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["of"] == "account acme" && rule["rule"] == "max_per_day"));
    assert!(rules.iter().any(|rule| rule["of"] == "the platform" && rule["rule"] == "countries"));
    assert!(rules.iter().any(|rule| rule["rule"] == "spend_per_month" && rule["enforce"] == false));
    assert!(!rules.iter().any(|rule| rule["of"] == "credential acme"));
}

#[test]
fn f_083_credit_above_the_ceiling_is_refused() {
    let shell = Shell::new(RICH);
    assert_eq!(shell.run("apply").code, 0);
    shell.json("account create bureau --credit 2000");
    let refused = shell.run("credit transfer bureau acme 900.000001");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("\"acme\""), "{}", refused.err);
    assert_eq!(shell.json("credit show bureau")["available"], "2000", "nothing moved");
    assert_eq!(shell.json("credit transfer bureau acme 900")["available"], "1100");
    assert_eq!(shell.json("credit show acme")["available"], "1000");
    assert_eq!(shell.json("audit")["holds"], true);
}
