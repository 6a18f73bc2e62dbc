//! `tollgate quickstart`: the main job on one screen. A gateway, a practice operator, a demo account, one SMS.

mod client;
mod folder;
mod show;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use tokio::net::TcpListener;

use self::client::Client;
use self::folder::Folder;
use self::show::Show;
use super::exit::BadSettings;
use super::serve::{log_to_stderr, runtime};
use crate::clock::Clock;
use crate::config::{self, Config, LogSettings};
use crate::message::MessageId;
use crate::sim::{self, Operator};
use crate::store::Store;
use crate::{Gate, Signals, run_until_told};

/// See it work: a gateway, a practice operator and one SMS, in a folder of its own.
///
/// Makes ./tollgate-data (or --dir) with a commented tollgate.toml, starts the gateway with its embedded store and a
/// practice operator on loopback, binds to itself as a client over TCP, sends one SMS and shows what becomes of it.
/// Then it stays up, so that you can bind with a client of your own. Run it again whenever you like.
#[derive(Debug, Args)]
pub(super) struct QuickstartArgs {
    /// The data folder; made when it is not there
    #[arg(long, value_name = "DIR", default_value = "tollgate-data")]
    dir: PathBuf,
    /// End after the receipt: 0 if it came back, else 1
    #[arg(long)]
    once: bool,
    /// Show the gateway's log on stderr as well
    #[arg(long)]
    log: bool,
}

/// How long the demonstration may take altogether.
const PATIENCE: Duration = Duration::from_secs(30);

impl QuickstartArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        if self.log {
            log_to_stderr(&LogSettings::default());
        }
        runtime(0)?.block_on(self.demonstrate())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn demonstrate(self) -> anyhow::Result<()> {
        let folder = Folder::prepare(&self.dir)?;
        let mut config = read(&folder)?;
        let operator = start_operator(&mut config).await?;
        let free = FreePorts::find(&mut config).await?;
        let show = Show::begin(&folder, &free.notes)?;
        let password =
            folder::demo_password(&config).context("tollgate.toml has no account \"demo\" any more")?;
        let gate = Gate::start(config, Clock::system()).await?;
        let address =
            *gate.addresses().smpp.first().context("tollgate.toml names no [smpp] listen address")?;
        let sent = tokio::time::timeout(PATIENCE, send_one(&gate, address, &password, &show));
        match sent.await {
            Ok(done) => done?,
            Err(_) => bail!("the receipt did not come back within {} s", PATIENCE.as_secs()),
        }
        if self.once {
            gate.drain().await;
        } else {
            show.how_to_go_on(&gate.addresses(), operator.address(), &password)?;
            run_until_told(gate, &folder.config(), Signals::heed()?).await;
        }
        operator.stop().await;
        Ok(())
    }
}

fn read(folder: &Folder) -> anyhow::Result<Config> {
    let config = config::load(&folder.config(), &config::process_environment);
    Ok(config.map_err(|problems| BadSettings(problems.to_string()))?)
}

/// The practice operator, at the address that the configuration names or, when that is taken, at a free one.
async fn start_operator(config: &mut Config) -> anyhow::Result<Operator> {
    let upstream = config.smsc.upstreams.first_mut().context("tollgate.toml has no [[upstream]] any more")?;
    let wanted: SocketAddr =
        upstream.address.parse().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
    let at = |address| sim::Settings {
        listen: vec![address],
        receipt_delay: sim::delay::Delay::fixed(Duration::from_millis(300)),
        ..sim::Settings::default()
    };
    let operator = match Operator::start(at(wanted)).await {
        Ok(operator) => operator,
        Err(_) => Operator::start(at(SocketAddr::from(([127, 0, 0, 1], 0)))).await?,
    };
    upstream.address = operator.address().to_string();
    Ok(operator)
}

/// Another program may have the usual ports; then free ones are taken, and it is said.
struct FreePorts {
    notes: Vec<String>,
}

impl FreePorts {
    async fn find(config: &mut Config) -> anyhow::Result<Self> {
        let mut notes = Vec::new();
        for address in config.esme.listen.iter_mut().chain(&mut config.admin.listen) {
            if TcpListener::bind(*address).await.is_err() {
                let taken = *address;
                address.set_port(0);
                notes.push(format!("{taken} is taken by another program; a free port is used this time"));
            }
        }
        Ok(Self { notes })
    }
}

/// Binds, sends, and follows the message until its receipt is back.
async fn send_one(gate: &Gate, address: SocketAddr, password: &[u8], show: &Show) -> anyhow::Result<()> {
    let mut client = Client::connect(address).await?;
    client.bind(folder::DEMO, password).await?;
    show.step("bound", &format!("as transceiver \"{}\" over TCP to {address}", folder::DEMO))?;
    let id = client.submit("TOLLGATE", "34600123456", "Hello from Tollgate").await?;
    show_accepted(gate.store(), id, show).await?;
    let receipt = client.receipt();
    tokio::pin!(receipt);
    let mut follow = tokio::time::interval(Duration::from_millis(20));
    let mut shown = 1;
    loop {
        tokio::select! {
            text = &mut receipt => {
                follow_timeline(gate.store(), id, &mut shown, show).await?;
                show.step("receipt returned", &text?)?;
                return Ok(());
            }
            _ = follow.tick() => follow_timeline(gate.store(), id, &mut shown, show).await?,
        }
    }
}

async fn show_accepted(store: &Store, id: MessageId, show: &Show) -> anyhow::Result<()> {
    let reader = store.clone();
    let (trace, account) = tokio::task::spawn_blocking(move || {
        let reader = reader.reader()?;
        Ok::<_, crate::store::StoreError>((reader.trace(id)?, reader.account(folder::DEMO)?))
    })
    .await??;
    let total = trace.price.times(u32::from(trace.parts)).unwrap_or_default();
    show.step(
        "accepted",
        &format!(
            "message id {id}, {} part, price {total}, balance {}",
            trace.parts, account.balance.available
        ),
    )
}

/// Shows what the store knows and was not shown yet.
async fn follow_timeline(store: &Store, id: MessageId, shown: &mut usize, show: &Show) -> anyhow::Result<()> {
    let store = store.clone();
    let trace = tokio::task::spawn_blocking(move || store.reader()?.trace(id)).await??;
    for entry in trace.timeline.iter().skip(*shown) {
        if entry.what != "receipt" {
            let what = if entry.what == "sent" { "sent to the operator" } else { &entry.what };
            show.step(what, &entry.detail)?;
        }
        *shown += 1;
    }
    Ok(())
}
