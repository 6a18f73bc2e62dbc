//! Every kind of problem of a configuration, with its exact place and words.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use tollgate::config::{self, Config, Problems};

/// The smallest useful file.
const SMALLEST: &str = r#"[store]
path = "gate.db"

[smpp]
listen = ["127.0.0.1:2775"]

[[upstream]]
name = "north"
address = "127.0.0.1:2776"
system_id = "gate"
password = "secret"
bind_type = "transceiver"
connections = 1
window = 100

[[route]]
name = "everywhere"
prefixes = [""]
upstreams = ["north"]

[[price]]
prefix = ""
credits = "1"

[[account]]
name = "acme"
opening_credit = "1000000"

[[account.smpp]]
system_id = "acme"
password = "secret"
allowed_ips = ["127.0.0.0/8"]
"#;

fn load_in(folder: &Path, text: &str) -> Result<Config, Problems> {
    let path = folder.join("gate.toml");
    std::fs::write(&path, text).unwrap();
    config::load(&path, &|name| (name == "SECRET").then(|| "from outside".to_owned()))
}

/// The problems of `text`, one a line, without the folder.
fn problems(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    match load_in(folder.path(), text) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string().replace(&format!("{}/", folder.path().display()), ""),
    }
}

#[test]
fn the_smallest_file_is_in_order() {
    assert_eq!(problems(SMALLEST), "");
}

#[test]
fn all_problems_are_told_at_once_in_their_order() {
    let text = SMALLEST
        .replace("listen = [\"127.0.0.1:2775\"]", "lisen = [\"127.0.0.1:2775\"]")
        .replace("connections = 1", "connections = 0")
        .replace("upstreams = [\"north\"]", "upstreams = [\"nort\"]")
        .replace("credits = \"1\"", "credits = \"1,5\"")
        .replace("127.0.0.0/8", "127.0.0.0/33");
    assert_eq!(
        problems(&text),
        "\
gate.toml:4:1: [smpp] listen is missing: add listen = [\"127.0.0.1:2775\"] under [smpp]
gate.toml:5:1: unknown key \"lisen\" in [smpp]: did you mean \"listen\"?
gate.toml:13:15: connections is 0: write a whole number from 1 to 100
gate.toml:19:14: there is no upstream \"nort\": did you mean \"north\"?
gate.toml:23:11: credits is \"1,5\": an amount is a decimal number such as \"12\" or \"0.0125\"
gate.toml:32:16: allowed_ips is \"127.0.0.0/33\": write an IPv4 or IPv6 address or network, such as \"192.0.2.0/24\""
    );
}

/// The problems of the smallest file with one thing changed.
fn changed(from: &str, to: &str) -> String {
    assert!(SMALLEST.contains(from), "{from}");
    problems(&SMALLEST.replacen(from, to, 1))
}

/// The problems of the smallest file with lines added at its end; line 33 is the first of them.
fn added(lines: &str) -> String {
    problems(&format!("{SMALLEST}{lines}"))
}

#[test]
fn what_is_not_toml_is_told_with_its_place_and_nothing_is_read_on() {
    assert_eq!(changed("connections = 1\n", "connections = \nwindow = 1\n").lines().count(), 2);
    let twice = changed("connections = 1\n", "name = \"south\"\n");
    assert_eq!(twice, "gate.toml:13:1: duplicate key: correct the TOML here");
    let open = changed("password = \"secret\"", "password = \"secret");
    assert!(open.starts_with("gate.toml:11:"), "{open}");
}

#[test]
fn nobody_is_granted_more_at_first_than_he_may_own() {
    assert_eq!(
        changed("opening_credit = \"1000000\"", "opening_credit = \"10.5\"\nceiling = \"10\""),
        "gate.toml:27:18: opening_credit = 10.5 is above ceiling = 10: write no more than the ceiling, or raise the ceiling"
    );
    assert_eq!(changed("opening_credit = \"1000000\"", "ceiling = \"10\"\nopening_credit = \"10\""), "");
}

#[test]
fn unknown_keys_and_tables_are_refused_with_the_nearest_known_one() {
    assert_eq!(added("\n[smp]\n"), "gate.toml:34:2: unknown key \"smp\": did you mean \"smpp\"?");
    assert_eq!(
        changed("window = 100", "widnow = 100"),
        "gate.toml:14:1: unknown key \"widnow\" in [[upstream]]: did you mean \"window\"?"
    );
    assert_eq!(
        changed("opening_credit", "openingcredit"),
        "gate.toml:27:1: unknown key \"openingcredit\" in [[account]]: did you mean \"opening_credit\"?"
    );
    assert!(added("colour = 1\n").starts_with(
        "gate.toml:33:1: unknown key \"colour\" in [[account.smpp]]: write one of allowed_ips, bind_types,"
    ));
}

#[test]
fn what_must_be_there_is_missed() {
    assert_eq!(
        changed("path = \"gate.db\"", ""),
        "gate.toml:1:1: [store] path is missing: add path = \"gate.db\""
    );
    assert_eq!(
        problems(""),
        "gate.toml:1:1: [store] path is missing: add path = \"gate.db\"\n\
         gate.toml:1:1: [smpp] listen is missing: add listen = [\"127.0.0.1:2775\"] under [smpp]"
    );
    assert_eq!(
        changed("system_id = \"gate\"\npassword = \"secret\"\n", ""),
        "gate.toml:7:1: [[upstream]] system_id is missing: add system_id = \"gate\"\n\
         gate.toml:7:1: [[upstream]] has no password: add password or password_file"
    );
    assert_eq!(
        changed("system_id = \"acme\"\npassword = \"secret\"\n", "system_id = \"acme\"\n"),
        "gate.toml:29:1: [[account.smpp]] has no password: add password, password_file or password_hash"
    );
}

#[test]
fn types_and_bounds_say_what_to_write() {
    for (from, to, told) in [
        (
            "window = 100",
            "window = \"100\"",
            "14:10: window is \"100\": write a whole number from 1 to 10000",
        ),
        ("window = 100", "window = 1.5", "14:10: window is 1.5: write a whole number from 1 to 10000"),
        ("window = 100", "window = 10_001", "14:10: window is 10001: write a whole number from 1 to 10000"),
        ("window = 100", "window = 0x10", ""),
        ("path = \"gate.db\"", "path = 1", "2:8: path is 1: write a string in quotes"),
        (
            "bind_type = \"transceiver\"",
            "bind_type = \"tranceiver\"",
            "12:13: bind_type is \"tranceiver\": did you mean \"transceiver\"?",
        ),
        (
            "[\"127.0.0.1:2775\"]",
            "[\"127.0.0.1:2775\", \"localhost:1\"]",
            "5:29: listen is \"localhost:1\": write an IP address and a port, such as \"0.0.0.0:2775\" or \"[::]:2775\"",
        ),
        (
            "[\"127.0.0.1:2775\"]",
            "\"127.0.0.1:2775\"",
            "5:10: listen is \"127.0.0.1:2775\": write a list in square brackets",
        ),
        (
            "\"127.0.0.1:2776\"",
            "\"smsc\"",
            "9:11: address is \"smsc\": write host:port, such as \"smsc.example.com:2775\"",
        ),
        ("\"127.0.0.1:2776\"", "\"smsc.example.com:2775\"", ""),
        ("\"127.0.0.1:2776\"", "\"[2001:db8::1]:2775\"", ""),
        (
            "prefixes = [\"\"]",
            "prefixes = [\"+34\"]",
            "18:13: prefixes is \"+34\": write digits without + or 00, the country code first, or \"\" for every number",
        ),
        ("prefixes = [\"\"]", "prefixes = []", "18:12: prefixes is a list: write at least one"),
        (
            "credits = \"1\"",
            "credits = 0.5",
            "23:11: credits is 0.5: write the amount in quotes, such as \"0.0125\"",
        ),
        ("credits = \"1\"", "credits = 2", ""),
        ("credits = \"1\"", "credits = \"-1\"", "23:11: credits is \"-1\": write a price of 0 or more"),
        (
            "credits = \"1\"",
            "credits = \"0.0000001\"",
            "23:11: credits is \"0.0000001\": an amount has at most 6 decimal places",
        ),
        (
            "name = \"acme\"",
            "name = \"a c\"",
            "26:8: name is \"a c\": write 1 to 64 letters, digits, dots, hyphens or underscores",
        ),
        (
            "password = \"secret\"\nallowed",
            "throughput = \"fast\"\npassword = \"secret\"\nallowed",
            "31:14: throughput is \"fast\": a throughput is segments a second such as \"50/s\" or \"50/s burst 100\", \
             each from 1 to 1000000",
        ),
        (
            "password = \"secret\"\nallowed",
            "bind_types = []\npassword = \"secret\"\nallowed",
            "31:14: bind_types is a list: bind_types names at least one of transmitter, receiver, transceiver",
        ),
        (
            "password = \"secret\"\nallowed",
            "password_hash = \"secret\"\nallowed",
            "31:17: password_hash cannot be used: a password_hash is an argon2 hash in PHC form \
             ($argon2id$v=19$m=19456,t=2,p=1$…$…)",
        ),
    ] {
        let expected = if told.is_empty() { String::new() } else { format!("gate.toml:{told}") };
        assert_eq!(changed(from, to), expected, "{to}");
    }
}

#[test]
fn lists_of_addresses_are_refused_when_they_cannot_work() {
    assert_eq!(
        added("[account.access.smpp]\nrestricted = true\n"),
        "gate.toml:33:1: restricted without entries lets nobody in: add entries, or take restricted out"
    );
    assert_eq!(
        added("[account.access.api]\nentries = [\"10.0.0.0/8\", { network = \"10.0.0.0/33\" }]\n"),
        "gate.toml:34:38: network is \"10.0.0.0/33\": write an IPv4 or IPv6 address or network, such as \"192.0.2.0/24\""
    );
    assert_eq!(
        added("[account.access.consol]\nrestricted = false\n"),
        "gate.toml:33:17: unknown key \"consol\" in [account.access]: did you mean \"console\"?"
    );
    assert_eq!(
        changed("listen = [\"127.0.0.1:2775\"]", "listen = [\"127.0.0.1:2775\"]\ntrusted_proxies = [\"lb\"]"),
        "gate.toml:6:20: trusted_proxies is \"lb\": write an IPv4 or IPv6 address or network, such as \"192.0.2.0/24\""
    );
}

#[test]
fn times_want_a_unit_and_have_bounds() {
    for (line, told) in [
        (
            "response = 10",
            "6:12: response is 10: write a time from \"1s\" to \"10m\" (units: ms, s, m, h, d)",
        ),
        (
            "response = \"11m\"",
            "6:12: response is \"11m\": write a time from \"1s\" to \"10m\" (units: ms, s, m, h, d)",
        ),
        ("enquire_link = \"off\"", ""),
        ("inactivity = \"1h30m\"", ""),
    ] {
        let expected = if told.is_empty() { String::new() } else { format!("gate.toml:{told}") };
        let listen = "listen = [\"127.0.0.1:2775\"]\n";
        assert_eq!(changed(listen, &format!("{listen}{line}\n")), expected);
    }
}

#[test]
fn names_are_taken_once_and_refer_to_what_is_there() {
    assert_eq!(
        added("[[account]]\nname = \"acme\"\n[[account.smpp]]\nsystem_id = \"acme\"\npassword = \"x\"\n"),
        "gate.toml:34:8: account \"acme\" is there already, at gate.toml:26: write each one once\n\
         gate.toml:36:13: system_id \"acme\" is there already, at gate.toml:30: write each one once"
    );
    assert_eq!(
        added("[[price]]\nprefix = \"\"\ncredits = \"1\"\n"),
        "gate.toml:34:10: a price for the prefix \"\" is there already, at gate.toml:22: write each one once"
    );
    assert_eq!(
        added("[[account]]\nname = \"sub\"\nparent = \"acne\"\n"),
        "gate.toml:34:8: the parent \"acne\" of account \"sub\" is not there: did you mean \"acme\"?"
    );
    assert_eq!(
        changed("name = \"acme\"", "name = \"acme\"\nparent = \"acme\""),
        "gate.toml:26:8: account \"acme\" stands under itself, or too deep: let at most 14 accounts stand above it"
    );
    assert_eq!(
        added("[[mo]]\nprefixes = [\"34600\"]\naccount = \"acm\"\n"),
        "gate.toml:35:11: there is no account \"acm\": did you mean \"acme\"?"
    );
    assert_eq!(
        changed("upstreams = [\"north\"]", "upstreams = [\"north\", \"north\"]"),
        "gate.toml:19:23: in this route the upstream \"north\" is there already, at gate.toml:19: write each one once"
    );
}

#[test]
fn a_route_to_an_operator_that_takes_nothing_is_told() {
    assert_eq!(
        changed("\"transceiver\"", "\"receiver\""),
        "gate.toml:17:8: route \"everywhere\" leads to \"north\", which is bound as receiver only: bind it as transceiver, \
         transmitter or pair, or take it out of the route"
    );
}

#[test]
fn a_route_that_nobody_could_pay_for_is_told() {
    let text = SMALLEST
        .replace("prefixes = [\"\"]", "prefixes = [\"34\", \"44\"]")
        .replace("prefix = \"\"", "prefix = \"346\"");
    assert_eq!(
        problems(&text),
        "gate.toml:18:19: no [[price]] covers the prefix \"44\" of this route: add a [[price]] with prefix = \"44\", \
         or one with prefix = \"\" for every number"
    );
}

#[test]
fn a_quirk_has_a_name_and_some_cannot_be_refused() {
    let lenience =
        |written: &str| changed("\"transceiver\"", &format!("\"transceiver\"\nlenience = {written}"));
    assert_eq!(lenience("{ profile = \"strict\", accept = [\"one_over\"], refuse = [] }"), "");
    for (written, told) in [
        ("\"strickt\"", "did you mean \"strict\"?"),
        ("{ accept = [\"one_ovr\"] }", "did you mean \"one_over\"?"),
        ("{ refuses = [] }", "unknown key \"refuses\" in lenience: did you mean \"refuse\"?"),
        ("{ refuse = [\"sequence_range\"] }", "sequence_range cannot be refused"),
    ] {
        let problems = lenience(written);
        assert!(problems.contains(told), "{written}: {problems}");
    }
}

#[test]
fn what_this_version_does_not_do_is_refused_rather_than_ignored() {
    assert!(
        changed("window = 100", "profile = \"odd\"").contains("14:1: [[upstream]] profile is not available")
    );
}

#[test]
fn every_filter_that_makes_no_sense_is_told_with_its_place() {
    let problems = added(
        "[account.filters]\ncountries = [\"ES\", \"Spain\"]\nunicod = \"reject\"\nunicode = \"rejekt\"\n\
         max_per_day = -1\nhours = { closed_from = \"25:00\", closed_to = \"08:00\", zone = \"Europe/Madird\" }\n\
         duplicate = { window = \"60\" }\nsenders = { allow = [\"A\"], enforce = 1 }\n\
         velocity = [{ most = 0, per = \"1h\" }]\n[[account.filters.content]]\nname = \"x\"\npattern = \"(\"\n",
    );
    for told in [
        "34:20: countries is \"Spain\"",
        "35:1: unknown key \"unicod\" in [account.filters]: did you mean \"unicode\"?",
        "36:11: unicode is \"rejekt\": did you mean \"reject\"?",
        "37:15: max_per_day is",
        "38:25: closed_from is \"25:00\"",
        "38:62: zone is \"Europe/Madird\"",
        "39:24: window is \"60\"",
        "40:38: enforce is 1",
        "41:22: most is 0",
        "44:11: pattern is",
    ] {
        assert!(problems.contains(told), "{told} is not in:\n{problems}");
    }
}

#[test]
fn protected_names_that_look_alike_are_told_where_the_second_stands() {
    let named = |name: &str, rest: &str| {
        format!("[[protected_name]]\nname = \"{name}\"\naccounts = [\"acme\"]\n{rest}")
    };
    let several = [
        named("ACME", ""),
        named("АСМЕ", "match = \"contained\"\n"),
        named("ΔCME", ""),
        named("ACME", ""),
        named("ACME", "enforce = false\n"),
        named("Λcme", "enforce = false\n"),
    ];
    let advice = "leave one of them out: nobody could tell which one a sender is";
    let told = format!(
        "gate.toml:37:8: the protected name \"АСМЕ\" looks like \"ACME\", which is protected already, at gate.toml:34: {advice}\n\
         gate.toml:41:8: the protected name \"ΔCME\" looks like \"ACME\", which is protected already, at gate.toml:34: {advice}\n\
         gate.toml:44:8: protected name \"ACME\" is there already, at gate.toml:34: write each one once\n\
         gate.toml:51:8: the protected name \"Λcme\" looks like \"ACME\", which is protected already, at gate.toml:47: {advice}"
    );
    assert_eq!(added(&several.concat()), told);
    // One that is tried out beside one that is enforced is in order.
    assert_eq!(added(&[named("ACME", ""), named("ACME", "enforce = false\n")].concat()), "");
}

#[test]
fn a_credential_has_no_opt_outs() {
    assert_eq!(
        added("[account.smpp.filters]\nopt_outs = true\n"),
        "gate.toml:34:1: [account.smpp.filters] opt_outs would do nothing, since phones write to accounts: write it in \
         [account.filters]"
    );
}

#[test]
fn an_account_may_only_be_tighter_than_those_above_it() {
    let child = |filters: &str| {
        added(&format!(
            "[account.filters]\nmax_per_day = 10\ncountries = [\"ES\"]\nunicode = \"reject\"\n\
             certified = false\n[[account]]\nname = \"child\"\nparent = \"acme\"\n[account.filters]\n{filters}\n"
        ))
    };
    assert_eq!(child("max_per_day = 10\ncountries = [\"ES\"]\nunicode = \"reject\""), "");
    for (filters, told) in [
        ("max_per_day = 11", "account \"child\" sets max_per_day to 11, and account \"acme\" above it to 10"),
        ("countries = [\"ES\", \"FR\"]", "sets countries to FR, and account \"acme\" above it to ES"),
        ("certified = true", "sets certified to true, and account \"acme\" above it to false"),
        ("unicode = \"allow\"", "sets unicode to allow, and account \"acme\" above it to reject"),
    ] {
        let problems = child(filters);
        assert!(problems.contains(told), "{filters}: {problems}");
    }
    // Empty is every country.
    assert!(child("countries = []").contains("sets countries to all, and account \"acme\" above it to ES"));
    // What is only tried binds nobody, neither above nor below.
    assert_eq!(child("max_per_day = { most = 11, enforce = false }"), "");
    let tried = "[filters]\nunicode = { mode = \"reject\", enforce = false }\nmax_per_day = 10\n";
    let user = "[[account]]\nname = \"child\"\nparent = \"acme\"\n[[account.smpp]]\nsystem_id = \"user\"\n\
        password = \"secret\"\n[account.smpp.filters]\nmax_per_day = 11\nunicode = \"allow\"\n";
    let problems = added(&format!("{tried}{user}"));
    assert!(problems.contains("credential \"user\" sets max_per_day to 11, and the platform above it to 10"));
    assert_eq!(problems.lines().count(), 1, "{problems}");
}

/// The problems of a child with `own` under an account with `above`.
fn under(above: &str, own: &str) -> String {
    added(&format!(
        "[account.filters]\n{above}\n[[account]]\nname = \"child\"\nparent = \"acme\"\n[account.filters]\n{own}\n"
    ))
}

#[test]
fn every_value_that_can_be_compared_is() {
    let paces = "velocity = [{ prefix = \"34\", digits = 7, most = 5, per = \"1h\" }]";
    for (above, own, told) in [
        (
            "throughput = \"10/s burst 20\"",
            "throughput = \"10/s burst 21\"",
            "throughput to 10/s burst 21, and",
        ),
        (
            "country_caps = { country = \"GB\", messages = 1 }",
            "country_caps = { country = \"GB\", messages = 100 }",
            {
                "country_caps to 100 messages a day to GB, and account \"acme\" above it to 1 messages a day to GB"
            },
        ),
        (
            "country_caps = { messages = 9 }",
            "country_caps = { country = \"GB\", messages = 10 }",
            "to 10 messages a day",
        ),
        (
            "country_caps = { credits = \"2\" }",
            "country_caps = { credits = \"2.5\", messages = 1 }",
            "2.5 credits a day",
        ),
        (paces, "velocity = { prefix = \"346\", most = 6, per = \"1h\" }", "velocity to 6 in 1h, and"),
        (
            "senders = [\"A*\"]",
            "senders = [\"*\", \"AC?E\"]",
            "senders to *, and account \"acme\" above it to A*",
        ),
    ] {
        let problems = under(above, own);
        assert!(problems.contains(told) && problems.lines().count() == 1, "{own}: {problems}");
    }
    for (above, own) in [
        ("throughput = \"10/s burst 20\"", "throughput = \"10/s burst 20\""),
        ("country_caps = { country = \"GB\", messages = 1 }", "country_caps = { messages = 100 }"),
        ("country_caps = { messages = 1 }", "country_caps = { credits = \"100\" }"),
        (paces, "velocity = [{ most = 6, per = \"1h\" }, { prefix = \"34\", most = 20, per = \"1d\" }]"),
        ("senders = [\"A*\", \"22???\"]", "senders = [\"AC?E*\", \"22000\"]"),
        ("numbers = { refuse = [\"premium\"] }", "numbers = { refuse = [\"pager\"] }"),
        ("senders = { allow = [\"A*\"], enforce = false }", "senders = [\"*\"]"),
    ] {
        assert_eq!(under(above, own), "", "{own}");
    }
    // It would read as if it allowed them.
    let none = under("numbers = { refuse = [\"premium\"] }", "numbers = { refuse = [] }");
    assert!(none.contains("refuse is a list: write at least one"), "{none}");
}

#[test]
fn credentials_and_children_have_no_more_addresses_and_no_higher_rate_than_their_account() {
    let credential = |keys: &str| {
        added(&format!(
            "throughput = \"20/s\"\n[account.filters]\nthroughput = \"20/s\"\n[account.access.smpp]\n\
             restricted = true\nentries = [\"127.0.0.0/9\", \"127.128.0.0/9\"]\n[[account]]\nname = \"child\"\n\
             parent = \"acme\"\n{keys}"
        ))
    };
    let user = "[[account.smpp]]\nsystem_id = \"user\"\npassword = \"secret\"\n";
    assert_eq!(credential(&format!("{user}allowed_ips = [\"127.0.0.0/8\"]\n")), "");
    for (keys, told) in [
        (format!("{user}allowed_ips = [\"127.0.0.1\", \"0.0.0.0/0\"]\n"), {
            "credential \"user\" sets allowed_ips to 0.0.0.0/0, and account \"acme\" above it to 127.0.0.0/9 127.128.0.0/9"
        }),
        (
            format!("{user}throughput = \"21/s\"\n"),
            "credential \"user\" sets throughput to 21/s burst 21, and",
        ),
        ("access.smpp = { restricted = true, entries = [\"126.0.0.0/7\"] }\n".to_owned(), {
            "account \"child\" sets access.smpp.entries to 126.0.0.0/7, and account \"acme\" above it to"
        }),
    ] {
        let problems = credential(&keys);
        assert!(problems.contains(told) && problems.lines().count() == 1, "{keys}: {problems}");
    }
}

#[test]
fn files_that_are_named_must_be_there() {
    assert_eq!(
        changed("\"gate.db\"", "\"data/gate.db\""),
        "gate.toml:2:8: the folder of the store, data, is not there: make it, for the user that the daemon runs as, or \
         name another"
    );
    let told = changed(
        "listen = [\"127.0.0.1:2775\"]",
        "listen = []\n[smpp.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificate = \"a.pem\"",
    );
    assert_eq!(
        told,
        "gate.toml:6:1: [smpp.tls] private_key is missing: add private_key = \"server.key\"\n\
         gate.toml:8:15: certificate names a.pem, which cannot be opened (No such file or directory (os error 2)): \
         write the path of a file that this user may read"
    );
    let told = changed("password = \"secret\"\nbind", "password_file = \"pw\"\nbind");
    assert_eq!(
        told,
        "gate.toml:11:17: password_file names pw, which cannot be opened (No such file or directory (os error 2)): \
         write the path of a file that this user may read"
    );
}

#[test]
fn a_configuration_that_is_not_there_is_told() {
    let told = config::load(Path::new("/nowhere/gate.toml"), &|_| None).unwrap_err().to_string();
    assert_eq!(
        told,
        "/nowhere/gate.toml:1:1: the configuration cannot be read (No such file or directory (os error 2)): name \
         another with --config FILE, or make one with `tollgate quickstart`"
    );
}

#[test]
fn secrets_and_the_environment_never_show_in_problems() {
    let told = changed("password = \"secret\"\nallowed", "password = \"\"\nallowed");
    assert_eq!(told, "gate.toml:31:12: the password has 0 octets: take one of 1 to 256 octets");
    let told = changed("system_id = \"gate\"", "system_id = \"${SECRET}${SECRET}\"");
    assert_eq!(told, "gate.toml:10:13: system_id is \"${SECRET}${SECRET}\": write 0 to 15 octets");
    let told = changed("system_id = \"gate\"", "system_id = \"${MISSING}\"");
    assert_eq!(
        told,
        "gate.toml:10:13: the environment variable MISSING is not set: set MISSING, or write the value itself"
    );
}

#[test]
fn columns_count_characters() {
    let told = changed("[\"127.0.0.1:2775\"]", "[\"127.0.0.1:2775\", \"äöü\", 7]");
    let places: Vec<_> = told.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["gate.toml:5:29", "gate.toml:5:36"]);
}
