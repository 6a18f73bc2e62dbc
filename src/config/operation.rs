//! `[admin]` and `[log]`: what who runs the gateway sees of it.

use std::path::{Path, PathBuf};

use tracing_subscriber::EnvFilter;

use super::read::{Section, Value};
use super::smpp;
use crate::admin;

/// How the daemon logs to stderr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// What a line looks like.
    pub format: LogFormat,
    /// What is logged, as in the environment variable `RUST_LOG`; `info` by default.
    pub filter: String,
}

/// What a log line looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: "info".to_owned() }
    }
}

/// The longest path that a Unix socket can have on Linux (`sun_path`, less its NUL).
const MAX_SOCKET_PATH: usize = 107;

/// The socket that belongs to a store when none is named.
pub(super) fn default_socket(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".sock");
    path.into()
}

/// Reads `[admin]`.
pub(super) fn read_admin(root: &mut Section<'_>, store: &Path) -> admin::Settings {
    let mut table = root.section("admin", "[admin]");
    let mut settings = admin::Settings::at(default_socket(store));
    table.put("socket", &mut settings.socket, Value::path);
    table.put("listen", &mut settings.listen, |v| v.list(smpp::address));
    if settings.socket.as_os_str().len() > MAX_SOCKET_PATH {
        table.report(
            format!("the path of the admin socket, {}, is too long", settings.socket.display()),
            format!("name a shorter one with socket = … under [admin]: at most {MAX_SOCKET_PATH} octets"),
        );
    }
    table.finish();
    settings
}

/// Reads `[log]`.
pub(super) fn read_log(root: &mut Section<'_>) -> LogSettings {
    let mut table = root.section("log", "[log]");
    let mut settings = LogSettings::default();
    table.put("format", &mut settings.format, |v| {
        v.one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)])
    });
    table.put("filter", &mut settings.filter, |v| {
        let text = v.text()?;
        match EnvFilter::builder().parse(&text) {
            Ok(_) => Some(text),
            Err(_) => {
                v.refuse("write a level such as \"info\", or levels by part: \"info,tollgate::smsc=debug\"")
            }
        }
    });
    table.finish();
    settings
}
