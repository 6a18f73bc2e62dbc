//! What the quickstart prints.

use std::net::SocketAddr;
use std::time::Instant;

use super::folder::{DEMO, Folder};
use crate::Addresses;

/// Prints steps with the time since the first.
pub(super) struct Show {
    began: Instant,
    folder: String,
}

impl Show {
    pub(super) fn begin(folder: &Folder, notes: &[String]) -> Self {
        let path = folder.path.display().to_string();
        let what = if folder.is_new { "made" } else { "found" };
        println!("Tollgate quickstart: {what} {path}/tollgate.toml");
        for note in notes {
            println!("  note: {note}");
        }
        println!();
        Self { began: Instant::now(), folder: path }
    }

    pub(super) fn step(&self, what: &str, detail: &str) {
        println!("  {:>7.3} s  {what:<21} {detail}", self.began.elapsed().as_secs_f64());
    }

    pub(super) fn how_to_go_on(&self, addresses: &Addresses, operator: SocketAddr, password: &[u8]) {
        let list = |list: &[SocketAddr]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let config = format!("--config {}/tollgate.toml", self.folder);
        println!();
        println!("It stays up until you press Ctrl-C. Bind with your own client:");
        println!("  address      {}", list(&addresses.smpp));
        println!("  system_id    {DEMO}");
        println!("  password     {}", String::from_utf8_lossy(password));
        println!("  bind as      transceiver, transmitter or receiver, SMPP 3.3, 3.4 or 5.0");
        println!("  operator     practice SMSC on {operator}; delivers everything");
        for address in &addresses.admin {
            println!("  metrics      http://{address}/metrics");
        }
        println!();
        println!("Look inside from another shell:");
        println!("  tollgate account show {DEMO} {config}");
        println!("  tollgate trace MESSAGE_ID {config}");
        println!("  tollgate audit {config}");
        println!("  tollgate load --connect {} --system-id {DEMO} \\", list(&addresses.smpp));
        println!("    --password {} --count 500 --receipts", String::from_utf8_lossy(password));
    }
}
