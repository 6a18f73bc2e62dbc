//! The data folder of the quickstart and the configuration that it writes there.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::config::{Config, Proof};

/// The name of the demo account and of its credential.
pub(super) const DEMO: &str = "demo";

/// A folder with a `tollgate.toml`.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) is_new: bool,
}

impl Folder {
    /// Makes folder and file unless they are there; a file that is there is never changed.
    pub(super) fn prepare(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        let folder = Self { path: path.to_path_buf(), is_new: !path.join("tollgate.toml").exists() };
        if folder.is_new {
            let name = folder.config();
            let written = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&name)
                .and_then(|mut file| file.write_all(template(&password()).as_bytes()));
            written.with_context(|| format!("cannot write {}", name.display()))?;
        }
        Ok(folder)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.path.join("tollgate.toml")
    }
}

/// The password that the file gives the demo account.
pub(super) fn demo_password(config: &Config) -> Option<Vec<u8>> {
    let credentials = config.policy.accounts.iter().flat_map(|account| &account.credentials);
    let demo = credentials.into_iter().find(|credential| credential.system_id == DEMO)?;
    match &demo.proof {
        Proof::Password(password) => Some(password.expose().to_vec()),
        Proof::Hash(_) => None,
    }
}

/// Eight characters, which is what SMPP allows a password (SMPP 3.4 §5.2.2).
fn password() -> String {
    const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
    (0..8).map(|_| char::from(ALPHABET[usize::from(rand::random::<u8>()) % ALPHABET.len()])).collect()
}

fn template(password: &str) -> String {
    format!(
        r#"# Tollgate, as `tollgate quickstart` set it up. Change what you like: the file is never written again.
# Every other key, its default and its reason: etc/tollgate.toml in the source.
# Look for mistakes with `tollgate check --config FILE`; run it for good with `tollgate serve --config FILE`.

[store]
path = "gate.db"                 # everything that must survive a crash; relative to this file

[smpp]
listen = ["127.0.0.1:2775"]      # where clients bind; 0.0.0.0:2775 lets in the network

[[upstream]]                     # an operator's SMSC that we bind to; this one is the practice operator
name = "practice"
address = "127.0.0.1:2776"
system_id = "gate"
password = "secret"
bind_type = "transceiver"
window = 100                     # unanswered submits a bind

[[route]]                        # first match wins
name = "everywhere"
prefixes = [""]                  # number prefixes; "" is every number
upstreams = ["practice"]

[[price]]
prefix = ""
credits = "1"                    # a segment; decimal, up to 6 places

[[mo]]                           # messages from phones to this number go to the account
prefixes = ["12345"]
account = "{DEMO}"

[[account]]
name = "{DEMO}"
opening_credit = "1000"          # granted once, when the account first appears

[[account.smpp]]                 # who may bind for it
system_id = "{DEMO}"
password = "{password}"
allowed_ips = ["127.0.0.0/8"]    # empty lets in every address
"#
    )
}
