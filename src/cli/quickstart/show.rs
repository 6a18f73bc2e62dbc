//! What the quickstart prints.

use std::net::SocketAddr;
use std::time::Instant;

use super::super::exit::outln;
use super::folder::{DEMO, Folder};
use crate::Addresses;

/// Prints steps with the time since the first.
pub(super) struct Show {
    began: Instant,
    folder: String,
}

impl Show {
    pub(super) fn begin(folder: &Folder, notes: &[String]) -> anyhow::Result<Self> {
        let path = folder.path.display().to_string();
        let what = if folder.is_new { "made" } else { "found" };
        outln!("Tollgate quickstart: {what} {path}/tollgate.toml")?;
        for note in notes {
            outln!("  note: {note}")?;
        }
        outln!()?;
        Ok(Self { began: Instant::now(), folder: path })
    }

    pub(super) fn step(&self, what: &str, detail: &str) -> anyhow::Result<()> {
        outln!("  {:>7.3} s  {what:<21} {detail}", self.began.elapsed().as_secs_f64())
    }

    pub(super) fn how_to_go_on(
        &self,
        addresses: &Addresses,
        operator: SocketAddr,
        password: &[u8],
    ) -> anyhow::Result<()> {
        let list = |list: &[SocketAddr]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let config = format!("--config {}/tollgate.toml", self.folder);
        outln!()?;
        outln!("It stays up until you press Ctrl-C. Bind with your own client:")?;
        outln!("  address      {}", list(&addresses.smpp))?;
        outln!("  system_id    {DEMO}")?;
        outln!("  password     {}", String::from_utf8_lossy(password))?;
        outln!("  bind as      transceiver, transmitter or receiver, SMPP 3.3, 3.4 or 5.0")?;
        outln!("  operator     practice SMSC on {operator}; delivers everything")?;
        for address in &addresses.admin {
            outln!("  metrics      http://{address}/metrics")?;
        }
        outln!()?;
        outln!("Look inside from another shell:")?;
        outln!("  tollgate account show {DEMO} {config}")?;
        outln!("  tollgate trace MESSAGE_ID {config}")?;
        outln!("  tollgate audit {config}")?;
        outln!("  tollgate load --connect {} --system-id {DEMO} \\", list(&addresses.smpp))?;
        outln!("    --password {} --count 500 --receipts", String::from_utf8_lossy(password))
    }
}
