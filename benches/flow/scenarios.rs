//! Which scenarios there are, one question each.

/// One question.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// `group/variant`, for filters and in the report.
    pub name: String,
    /// What is asked, for people.
    pub about: String,
    /// What is done.
    pub work: Work,
    /// Whether the short version has it.
    pub short: bool,
    /// Runs at most; what takes minutes runs once.
    pub most_runs: u32,
}

/// What a scenario does.
#[derive(Clone, Debug)]
pub enum Work {
    /// The best that this machine can do: durable accept without a gateway.
    Reference(Clients),
    /// Accept alone: no operator is there.
    Accept(Clients),
    /// Client, gateway, operator, receipt, client; with so many operators.
    Through(Clients, usize),
    /// Through, with receipts that come so long after the operator's answer.
    Late(Clients, &'static str),
    /// Below what it can carry: how long a message takes from the client to its receipt.
    Steady { rate: u32 },
    /// Eight operators; the last answers 80 % at 10 ms, 15 % at 100 ms and 5 % at 1 s, or as fast as the others.
    Slow { is_slow: bool },
    /// Receipts are owed to a client that binds again.
    Owed { count: u64 },
    /// Bound and silent.
    Idle { binds: usize },
    /// So many ended messages are in the history before the clients come.
    History { count: u64, through: bool },
    /// A start with messages that wait, after a good end or after SIGKILL.
    Start { count: u64, killed: bool },
    /// One account at a low rate, alone or beside one that floods.
    Fairness { flood: bool },
    /// Many messages one after the other.
    Memory { count: u64 },
}

/// Clients that send as fast as they can.
#[derive(Clone, Copy, Debug)]
pub struct Clients {
    pub connections: usize,
    pub window: usize,
    pub text: &'static [&'static str],
    pub tls: bool,
    /// Every filter of policy is on: [`super::stage::full`].
    pub filters: bool,
}

impl Clients {
    const fn new(connections: usize, window: usize) -> Self {
        Self { connections, window, text: PLAIN, tls: false, filters: false }
    }
}

/// 160 characters of the default alphabet: one part.
pub const PLAIN: &[&str] = &["--length", "160"];
/// 459 characters: three submit_sm.
const LONG: &[&str] = &["--length", "459", "--parts", "3"];
/// 70 characters of UCS2: one part.
const UCS2: &[&str] = &["--length", "70", "--ucs2"];

/// Connections and windows that are combined.
pub const CONNECTIONS: [usize; 3] = [1, 4, 64];
pub const WINDOWS: [usize; 4] = [1, 10, 100, 1_000];

/// All of them, in the order in which they run.
pub fn all(short: bool) -> Vec<Scenario> {
    let mut list = Vec::new();
    let many = |full: u64, few: u64| if short { few } else { full };
    // Side by side in time, so that what else the machine does falls on both sides of a ratio.
    for (connections, window) in CONNECTIONS.into_iter().flat_map(|c| WINDOWS.map(|w| (c, w))) {
        let clients = Clients::new(connections, window);
        for (kind, about, work) in [
            ("reference", "durable accept without a gateway", Work::Reference(clients)),
            ("accept", "accept alone", Work::Accept(clients)),
            ("through", "client, gateway, operator, receipt, client", Work::Through(clients, 1)),
        ] {
            let short = matches!((connections, window), (4, 100))
                || kind != "through" && matches!((connections, window), (1, 1 | 100 | 1_000));
            let about = format!("{about}: {connections} × {window}");
            let name = format!("{kind}/{connections}x{window}");
            list.push(Scenario { short, ..scenario(&name, &about, work) });
        }
    }
    let four = Clients::new(4, 100);
    for (name, about, text) in [
        ("3-part", "4 × 100, texts of three parts, each its own submit_sm", LONG),
        ("ucs2", "4 × 100, texts of 70 UCS2 characters", UCS2),
    ] {
        let clients = Clients { text, ..four };
        list.push(scenario(&format!("text/accept-{name}"), about, Work::Accept(clients)));
        list.push(scenario(&format!("text/through-{name}"), about, Work::Through(clients, 1)));
    }
    let secure = Clients { tls: true, ..four };
    list.push(scenario("tls/accept", "4 × 100, TLS from the clients", Work::Accept(secure)));
    list.push(scenario(
        "tls/through",
        "4 × 100, TLS from the clients and to the operator",
        Work::Through(secure, 1),
    ));
    // The same clients one after the other, so that the ratio is of one run.
    for (name, filters) in [("off", false), ("on", true)] {
        let clients = Clients { filters, ..four };
        let about = format!("4 × 100, every filter {name}");
        for (kind, work) in [("accept", Work::Accept(clients)), ("through", Work::Through(clients, 1))] {
            let name = format!("filters/{kind}-{name}");
            list.push(Scenario { short: true, ..scenario(&name, &format!("{kind}: {about}"), work) });
        }
    }
    list.push(scenario("upstreams/8", "4 × 100, eight operators of two binds each", Work::Through(four, 8)));
    list.push(scenario("late/5s", "4 × 100, receipts after 5 s", Work::Late(four, "5s")));
    for rate in [1_000, 10_000] {
        let about = format!("{rate} messages a second, far below the most");
        list.push(Scenario {
            short: rate == 1_000,
            ..scenario(&format!("steady/{rate}"), &about, Work::Steady { rate })
        });
    }
    list.push(scenario("slow/none", "eight fast operators", Work::Slow { is_slow: false }));
    list.push(scenario("slow/one", "seven fast operators and a slow one", Work::Slow { is_slow: true }));
    list.push(scenario("fairness/alone", "an account at 200 a second", Work::Fairness { flood: false }));
    list.push(scenario("fairness/flood", "the same beside one that floods", Work::Fairness { flood: true }));
    let count = many(1_000_000, 50_000);
    list.push(scenario(
        "owed",
        &format!("{count} receipts for a client that comes back"),
        Work::Owed { count },
    ));
    let binds = many(2_000, 500) as usize;
    let clients = Clients::new(binds, 10);
    list.push(scenario("binds/busy", &format!("{binds} binds that send"), Work::Accept(clients)));
    list.push(scenario("binds/idle", &format!("{binds} binds that are silent"), Work::Idle { binds }));
    for (name, killed) in [("stopped", false), ("killed", true)] {
        let about = format!("a start with {count} messages that wait, {name} before");
        list.push(scenario(&format!("start/{name}"), &about, Work::Start { count, killed }));
    }
    let count = many(10_000_000, 200_000);
    for (name, through) in [("accept", false), ("through", true)] {
        let about = format!("{name} with {count} ended messages in the history");
        let work = Work::History { count, through };
        list.push(Scenario { most_runs: 1, ..scenario(&format!("history/{name}"), &about, work) });
    }
    let about = format!("{count} messages through, and the memory meanwhile");
    list.push(Scenario { most_runs: 1, ..scenario("memory", &about, Work::Memory { count }) });
    if short {
        list.retain(|scenario| scenario.short);
    }
    list
}

fn scenario(name: &str, about: &str, work: Work) -> Scenario {
    Scenario { name: name.to_owned(), about: about.to_owned(), work, short: true, most_runs: u32::MAX }
}
