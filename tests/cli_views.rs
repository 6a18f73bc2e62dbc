//! What commands show of policy and money, and how they end where nobody reads on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use support::Shell;

/// A price without a way, a way without a price, and amounts in euros.
const ABROAD: &str = r#"
[billing]
currency = "EUR"
credit_value = "0.01"
[[price]]
country = "ES"
credits = "1.5"
[[route]]
name = "uk"
prefixes = ["44"]
upstreams = ["north"]
[[account]]
name = "acme"
opening_credit = "100"
"#;

#[test]
fn amounts_are_shown_with_their_worth_in_every_view() {
    let shell = Shell::new(ABROAD);
    assert_eq!(shell.run("apply").code, 0);
    for (words, told) in [
        ("account show acme", "worth           1 EUR\n"),
        ("account list", "100 (1 EUR)"),
        ("account usage acme", "100 (1 EUR)"),
        ("credit show acme", "acme: 100 (1 EUR) available, 0 (0 EUR) held\n"),
        ("credit show acme", "opening  100 (1 EUR)"),
    ] {
        let said = shell.run(words).out;
        assert!(said.contains(told), "{words}: {said}");
    }
    assert_eq!(shell.json("account list")[0]["worth"], "1 EUR");
    assert_eq!(shell.json("credit show acme")["entries"][0]["worth"], "1 EUR");
    assert_eq!(shell.json("credit add acme 50")["worth"], "1.5 EUR");
    let usage = shell.json("account usage acme");
    assert_eq!(
        (&usage["total"]["worth"], &usage["total"]["spent_worth"]),
        (&"1.5 EUR".into(), &"0 EUR".into())
    );
}

#[test]
fn explain_tells_a_price_without_a_way_and_a_way_without_a_price() {
    let shell = Shell::new(ABROAD);
    assert_eq!(shell.run("apply").code, 0);
    let to =
        |number: &str| shell.run(&format!("explain --account acme --from ACME --to {number} --text hi")).out;
    let spain = to("34600111222");
    for told in [
        "price     1.5 (0.015 EUR) a part, 1.5 (0.015 EUR) in all\n",
        "balance   100 (1 EUR) available, floor 0: enough\n",
        "route     none\n",
        "answer    refused: no_route (0x0000000B)\n",
        "because   no route takes this message\n",
    ] {
        assert!(spain.contains(told), "{told} is not in {spain}");
    }
    let britain = to("447400123456");
    for told in ["price     none\n", "route     uk: north\n", "because   no price is for this number\n"] {
        assert!(britain.contains(told), "{told} is not in {britain}");
    }
    assert!(to("33612345678").contains("because   no price and no route is for this number\n"));
    let told = shell.json("explain --account acme --from ACME --to 34600111222 --text hi");
    assert_eq!((&told["price"]["segment_worth"], &told["route"]), (&"0.015 EUR".into(), &Value::Null));
}

#[test]
fn a_command_whose_output_nobody_reads_on_ends_quietly() {
    let shell = Shell::new(ABROAD);
    assert_eq!(shell.run("apply").code, 0);
    for words in [
        "check",
        "plan",
        "plan --exit-code",
        "export",
        "account list",
        "account show acme --rules",
        "optout list --account acme",
        "audit --json",
    ] {
        assert_eq!(unread(&shell, words), (Some(0), String::new()), "{words}");
    }
}

/// How a command ends, and what it complains of, when nobody reads what it prints.
fn unread(shell: &Shell, words: &str) -> (Option<i32>, String) {
    // What is read from is closed at once: the first octet that is written finds nobody.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let said = shell.command().args(words.split(' ')).stdout(writer).output().unwrap();
    (said.status.code(), String::from_utf8(said.stderr).unwrap())
}

#[test]
fn a_verdict_is_the_exit_code_also_where_nobody_reads_on() {
    let shell = Shell::new(ABROAD);
    assert_eq!(shell.run("apply").code, 0);
    shell.write("numbers", "34600111222\nno number\n");
    for json in ["", " --json"] {
        let said = unread(&shell, &format!("optout import numbers --account acme{json}"));
        assert_eq!(said.0, Some(1), "{json}: {}", said.1);
        assert!(!said.1.contains("nobody reads"), "{}", said.1);
        assert_eq!(unread(&shell, &format!("decode 0000001{json}")), (Some(1), String::new()));
    }
    shell.configure(&ABROAD.replace("1.5", "2"));
    assert_eq!(unread(&shell, "plan --exit-code"), (Some(3), String::new()));
    let db = rusqlite::Connection::open(shell.path().join("gate.db")).unwrap();
    db.execute("UPDATE account SET available = available + 1", []).unwrap();
    drop(db);
    shell.configure("nonsense = 1\n");
    assert_eq!(unread(&shell, "check"), (Some(64), String::new()));
    assert_eq!(unread(&shell, "check --json"), (Some(64), String::new()));
    shell.configure(ABROAD);
    assert_eq!(unread(&shell, "audit"), (Some(1), String::new()));
    assert_eq!(unread(&shell, "audit --json"), (Some(1), String::new()));
}

#[test]
fn a_plan_tells_the_elements_of_lists_that_came_and_went() {
    let words = |last: &str| {
        let words: Vec<_> = (0..60).map(|n| format!("\"word {n}\"")).collect();
        let content = format!(
            "[[account.filters.content]]\nname = \"long\"\nwords = [{}, \"{last}\"]\n",
            words.join(", ")
        );
        let senders: Vec<_> = (0..60).map(|n| format!("\"SENDER{n}\"")).collect();
        format!(
            "[[account]]\nname = \"acme\"\n[account.filters]\nsenders = [{}, \"{last}\"]\nvelocity = {{ most = 5, per = \"1h\" }}\n\
             {content}",
            senders.join(", ")
        )
    };
    let shell = Shell::new(&words("OLD"));
    assert_eq!(shell.run("apply").code, 0);
    shell.configure(&words("NEW").replace("most = 5", "most = 4"));
    let told = shell.run("plan").out;
    for line in [
        "    filters.content.long.words: -\"OLD\" +\"NEW\"\n",
        "    filters.senders: -\"OLD\" +\"NEW\"\n",
        "most = 5",
        "most = 4",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    let json = shell.json("plan");
    let keys = json["changes"][0]["keys"].as_array().unwrap();
    assert!(
        keys.iter()
            .any(|key| key["key"] == "filters.senders" && key["came"] == serde_json::json!(["\"NEW\""]))
    );
}

#[test]
fn a_plan_names_what_the_store_knows_of_an_operator_by_the_keys_of_a_file() {
    let upstream = |keys: &str| {
        format!(
            "[[upstream]]\nname = \"west\"\naddress = \"127.0.0.1:9\"\nsystem_id = \"gate\"\npassword = \"secret\"\n{keys}"
        )
    };
    let shell = Shell::new(&upstream("in_doubt = \"wait\"\nnational_languages = [\"tr\"]\npark = \"5m\"\n"));
    let told = shell.run("plan").out;
    assert!(
        told.contains(
            "+ upstream west\n    in_doubt = \"wait\"\n    in_doubt_wait = \"10m\"\n    \
             national_languages = [\"tr\"]\n    park = \"5m\"\n"
        ) && told.contains("+ upstream north\n+ "),
        "{told}"
    );
    assert_eq!(shell.run("apply").code, 0);
    shell.configure(&upstream("in_doubt = \"fail\"\nnational_languages = [\"tr\"]\npark = \"5m\"\n"));
    let told = shell.run("plan").out;
    assert!(told.contains("~ upstream west\n    in_doubt: \"wait\" -> \"query or fail\"\n"), "{told}");
}

#[test]
fn an_export_says_whose_outbind_it_leaves_out() {
    let credential = "[[account.smpp]]\nsystem_id = \"shop\"\npassword = \"secret\"\n";
    let called = "[account.smpp.outbind]\naddress = \"127.0.0.1:9\"\nsystem_id = \"\"\npassword = \"\"\n";
    let shell = Shell::new(&format!("{ABROAD}{credential}{called}"));
    assert_eq!(shell.run("apply").code, 0);
    let head = "# How clients are called ([account.smpp.outbind]) is not here either. The files have it for ";
    let told = shell.run("export").out;
    assert!(told.contains(&format!("{head}the credentials: shop.\n")), "{told}");
    shell.configure(&format!("{ABROAD}{credential}"));
    assert!(shell.run("export").out.contains(&format!("{head}nobody.\n")));
}
