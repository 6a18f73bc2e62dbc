//! A whole gateway as its configuration file says, with a clock that the test moves and scripted peers on both sides.

use std::net::SocketAddr;
use std::path::PathBuf;

use smpp_proto::pdu::BindKind;
use tollgate::clock::{Clock, Timestamp};
use tollgate::config::{self, Config};
use tollgate::store::{AccountView, Reader, Store};

use super::gate::NOON;
use super::peer::within;
use super::{Esme, Smsc, SmscLink};

/// A gateway that runs.
pub struct House {
    gate: Option<tollgate::Gate>,
    pub clock: Clock,
    pub address: SocketAddr,
    /// The operator "north".
    pub north: Smsc,
    /// Further keys of the operator.
    keys: String,
    config: PathBuf,
    folder: tempfile::TempDir,
}

impl House {
    /// Opens one: `toml` stands behind a store, a listener, the operator "north", a route and a price of 1 for every
    /// number. Its clock stands still at noon.
    pub async fn open(toml: &str) -> Self {
        Self::open_at(NOON, toml).await
    }

    /// The same at another time.
    pub async fn open_at(now: Timestamp, toml: &str) -> Self {
        Self::open_with(now, toml, "").await
    }

    /// The same with further keys for the operator.
    pub async fn open_with(now: Timestamp, toml: &str, north: &str) -> Self {
        let keys = north.to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let north = Smsc::listen().await;
        let clock = Clock::manual(now);
        let config = folder.path().join("tollgate.toml");
        let mut house = Self { gate: None, clock, address: north.address, north, keys, config, folder };
        house.start(toml).await;
        house
    }

    async fn start(&mut self, toml: &str) {
        let config = self.write(toml);
        let gate = tollgate::Gate::start(config, self.clock.clone()).await.expect("a gateway");
        self.address = *gate.addresses().smpp.first().expect("a listener");
        self.gate = Some(gate);
    }

    /// What a configuration says; panics with all problems when it is wrong.
    fn write(&self, toml: &str) -> Config {
        self.write_file(toml);
        config::load(&self.config, &config::process_environment).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    fn write_file(&self, toml: &str) {
        let north = self.north.address;
        let whole = format!(
            "{toml}\n[store]\npath = \"gate.db\"\n[smpp]\nlisten = [\"127.0.0.1:0\"]\n[admin]\nlisten = []\n\
             [[upstream]]\nname = \"north\"\naddress = \"{north}\"\nsystem_id = \"gate\"\npassword = \"secret\"\n{}\n",
            self.keys
        );
        let everywhere = "[[route]]\nname = \"everywhere\"\nprefixes = [\"\"]\nupstreams = [\"north\"]\n\
             [[price]]\nprefix = \"\"\ncredits = \"1\"\n";
        let whole = if toml.contains("[[route]]") { whole } else { whole + everywhere };
        std::fs::write(&self.config, whole).expect("a file");
    }

    /// Takes a changed configuration while the gateway runs.
    pub async fn reload(&mut self, toml: &str) {
        let config = self.write(toml);
        self.gate.as_mut().expect("it runs").reload(config).await.expect("a policy");
    }

    /// The same with other keys for the operator.
    pub async fn reload_with(&mut self, toml: &str, north: &str) {
        self.keys = north.to_owned();
        self.reload(toml).await;
    }

    /// Stops, and starts again on the same store.
    pub async fn restart(&mut self, toml: &str) {
        self.close().await;
        self.start(toml).await;
    }

    /// Stops. Clients must be gone: who does not answer an unbind is waited for as long as the clock says, and it stands.
    pub async fn close(&mut self) {
        if let Some(gate) = self.gate.take() {
            within("the drain", gate.drain()).await;
        }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        self.gate.as_ref().expect("it runs").store()
    }

    /// A bound transceiver.
    pub async fn bound(&self, system_id: &str) -> Esme {
        Esme::bound(self.address, system_id, "secret").await
    }

    /// A bound transmitter: receipts of what ends meanwhile do not come between.
    pub async fn transmitter(&self, system_id: &str) -> Esme {
        Esme::bound_as(BindKind::Transmitter, self.address, system_id, "secret").await
    }

    /// The operator's side of the gateway's bind.
    pub async fn operator(&self) -> SmscLink {
        self.north.bound().await
    }

    /// An account as administration sees it.
    pub fn account(&self, name: &str) -> AccountView {
        self.reader().account(name).expect("an account")
    }

    pub fn reader(&self) -> Reader {
        self.store().reader().expect("a reader")
    }

    /// What can be spent, what is held; and every invariant of the books holds.
    pub fn books(&self, name: &str) -> (String, String) {
        for line in self.reader().audit().expect("an audit") {
            assert!(line.holds, "{}: {}", line.invariant, line.detail);
        }
        let balance = self.account(name).balance;
        (balance.available.to_string(), balance.held.to_string())
    }
}
