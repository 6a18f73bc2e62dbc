//! The configuration: raw text to each room's own settings, with every problem at once.
//!
//! Knows the keys of every room and where they stand in a file. No room knows it. It neither opens the store nor
//! listens; it only looks whether files that are named are there.

mod account;
mod declare;
mod operation;
mod read;
mod smpp;
mod store;
mod traffic;
mod upstream;

pub use account::{ConfiguredAccount, ConfiguredCredential, Proof};
pub use declare::{
    ExportForm, HashingFailed, NotApplied, RunningSettings, apply, compare, export, policy_change,
    policy_change_knowing, written_filters,
};
pub use operation::{LogFormat, LogSettings};
pub use read::{Environment, Problem, Problems};

use std::path::{Path, PathBuf};
use std::time::Duration;

use account::{AccountNames, filters, parents, tighter};
use read::{Names, Section, Sources, Spot, Texts};
use traffic::price::{self, PriceNames};
use traffic::route::{self, Around};

use crate::admin;
use crate::policy::{Billing, Platform, TextLimits};
use crate::store::{TrafficDraft, UpstreamDraft};
use crate::{esme, smsc};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Every file that was read, the main one first.
    pub files: Vec<PathBuf>,
    /// The store.
    pub store: crate::store::Settings,
    /// The door for clients.
    pub esme: esme::Settings,
    /// The operators.
    pub smsc: smsc::Settings,
    /// Accounts, prices, routes: what the store is to hold.
    pub policy: Policy,
    /// The admin socket and the listener for health and metrics.
    pub admin: admin::Settings,
    /// The log.
    pub log: LogSettings,
}

/// What the store is to hold; [`policy_change`] makes a change of it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Accounts in the order of the files.
    pub accounts: Vec<ConfiguredAccount>,
    /// Prices, routes, operators and bounds.
    pub traffic: TrafficDraft,
}

/// What a command needs that works on the store alone.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The store.
    pub store: crate::store::Settings,
    /// Where a running daemon listens for administration.
    pub admin: admin::Settings,
}

/// Reads a configuration with everything that it includes.
///
/// # Errors
/// Everything that is wrong with it, each with file, line and column.
pub fn load(path: &Path, environment: &Environment) -> Result<Config, Problems> {
    let mut texts = Texts::main(path);
    let main = Sources::parse(&texts, environment);
    let patterns = included(&mut Section::root(&main, 0)).unwrap_or_default();
    if patterns.is_empty() {
        // Nothing comes to it: the file may have ten thousand accounts, and is parsed once.
        return whole(&main, &texts);
    }
    drop(main);
    texts.include(&patterns);
    whole(&Sources::parse(&texts, environment), &texts)
}

fn whole(sources: &Sources<'_>, texts: &Texts) -> Result<Config, Problems> {
    let config = read_all(sources, texts);
    sources.outcome()?;
    config.ok_or_else(|| Problems(Vec::new()))
}

/// What the main file includes.
fn included(root: &mut Section<'_>) -> Option<Vec<(Spot, String)>> {
    root.value("include")?.list(|v| Some((v.spot(), v.text()?)))
}

/// Reads of a configuration only where the store and the admin socket are; other problems do not matter for that.
///
/// # Errors
/// What is wrong with `[store]` and `[admin]`, or with the file as TOML.
pub fn load_store(path: &Path, environment: &Environment) -> Result<StoreConfig, Problems> {
    let texts = Texts::main(path);
    let sources = Sources::parse(&texts, environment);
    sources.outcome()?;
    let mut root = Section::root(&sources, 0);
    let store = store::read(&mut root);
    let admin = operation::read_admin(&mut root, store.as_ref().map_or(Path::new(""), |store| &store.path));
    sources.outcome()?;
    store.map(|store| StoreConfig { store, admin }).ok_or_else(|| Problems(Vec::new()))
}

/// The environment of this process.
#[must_use]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn read_all(sources: &Sources<'_>, texts: &Texts) -> Option<Config> {
    let files = texts.paths();
    let mut roots: Vec<Section<'_>> = (0..files.len()).map(|file| Section::root(sources, file)).collect();
    let (main, others) = roots.split_first_mut()?;
    // The files are there already; what is wrong with the list itself is told now.
    let _ = included(main);
    let store = store::read(main);
    let mut esme = smpp::read(main);
    let mut smsc = upstream::read_delivery(main);
    let admin = operation::read_admin(main, store.as_ref().map_or(Path::new(""), |store| &store.path));
    let log = operation::read_log(main);
    let limits = traffic::read_limits(main);
    let billing = price::read_billing(main);
    for root in others {
        for key in ["include", "store", "smpp", "delivery", "admin", "log", "limits", "billing", "filters"] {
            root.refuse(key, "stands in an included file", "move it to the main file");
        }
    }
    let mut policy = read_policy(&mut roots, sources, &mut smsc, billing);
    policy.traffic.limits = limits;
    let credentials = policy.accounts.iter().flat_map(|account| &account.credentials);
    esme.outbinds = credentials.filter_map(|credential| credential.outbind.clone()).collect();
    roots.into_iter().for_each(Section::finish);
    Some(Config { files, store: store?, esme, smsc, policy, admin, log })
}

fn read_policy(
    roots: &mut [Section<'_>],
    sources: &Sources<'_>,
    smsc: &mut smsc::Settings,
    billing: Option<Billing>,
) -> Policy {
    let mut upstream_names = Names::of("upstream");
    let tables = each(roots, "upstream", "[[upstream]]").into_iter();
    smsc.upstreams = tables.filter_map(|table| upstream::read(table, &mut upstream_names)).collect();
    let mut priced = PriceNames::new();
    let tables = each(roots, "network", "[[network]]").into_iter();
    let networks: Vec<_> = tables.filter_map(|table| price::read_network(table, &mut priced)).collect();
    let tables = each(roots, "price_list", "[[price_list]]").into_iter();
    let price_lists =
        tables.filter_map(|table| price::read_list(table, &mut priced, billing.as_ref())).collect();
    let tables = each(roots, "price", "[[price]]");
    let written = tables.len();
    let prices: Vec<_> =
        tables.into_iter().filter_map(|table| price::read_price(table, &mut priced)).collect();
    // Prices that could not be read may be the ones that a route needs.
    let known = (prices.len() == written && !sources.is_partial())
        .then_some((prices.as_slice(), networks.as_slice()));
    let mut names = AccountNames {
        accounts: Names::of("account"),
        system_ids: Names::of("system_id"),
        price_lists: priced.lists,
    };
    let tables = each(roots, "account", "[[account]]").into_iter();
    let accounts: Vec<_> = tables.filter_map(|table| account::read(table, &mut names)).collect();
    parents::check(&accounts, &names.accounts, sources);
    let mut protected = filters::Protected::new();
    for table in each(roots, "protected_name", "[[protected_name]]") {
        protected.read(table, &names.accounts);
    }
    let protected = protected.checked(sources);
    let platform = match roots.first_mut() {
        Some(main) => filters::read_platform(main, protected),
        None => Platform::default(),
    };
    tighter::check(&accounts, &platform.filters, &names.accounts, sources);
    let around = Around { upstreams: &upstream_names, accounts: &names.accounts, prices: known };
    let mut route_names = Names::of("route");
    let tables = each(roots, "route", "[[route]]").into_iter();
    let routes: Vec<_> =
        tables.filter_map(|table| route::read_route(table, &mut route_names, &around)).collect();
    route::check_ways(&routes, &route_names, &smsc.upstreams, sources);
    let mut inbound = Names::of("an account for the prefix");
    let tables = each(roots, "mo", "[[mo]]").into_iter();
    let read = |table| traffic::read_mo(table, &mut inbound, &names.accounts, &accounts);
    let mo_routes = tables.filter_map(read).collect();
    let upstreams = smsc
        .upstreams
        .iter()
        .map(|upstream| UpstreamDraft { name: upstream.name.clone(), traits: upstream.traits() })
        .collect();
    let traffic = TrafficDraft {
        prices,
        networks,
        price_lists,
        billing,
        routes,
        mo_routes,
        upstreams,
        limits: TextLimits::default(),
        platform,
    };
    Policy { accounts, traffic }
}

/// The tables of this name in every file, in the order of the files.
fn each<'a>(roots: &mut [Section<'a>], key: &'static str, name: &str) -> Vec<Section<'a>> {
    roots.iter_mut().flat_map(|root| root.sections(key, name)).collect()
}
