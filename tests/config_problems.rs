//! Every kind of problem of a configuration, with its exact place and words.

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
