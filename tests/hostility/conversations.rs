//! Conversations that are drawn from seeds: one to three clients, good and hostile, with two operators, good and
//! hostile, while the clock is moved. What is said is the seed's; how the threads meet is not.
//!
//! `TOLLGATE_CONVERSATIONS` sets how many are played (200), `TOLLGATE_CONVERSATION_SEED` the first seed; the others
//! follow it. A failure names its seed: with that and a count of 1 the same conversation is played alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use smpp_proto::pdu::BindKind;
use tokio::task::JoinSet;
use tollgate::sim::hostile::client::{self, Rogue};
use tollgate::sim::hostile::{Hostile, Mode};

use super::good::Good;
use super::house::{ANSWER_WITHIN, House};

/// Conversations when nothing else is asked for.
const CONVERSATIONS: u64 = 200;
/// Conversations that one house sees before it is torn down.
const A_HOUSE: u64 = 25;
/// Houses at the same time.
const HOUSES: u64 = 12;

/// What one conversation consists of.
#[derive(Debug, Clone)]
struct Script {
    operators: Vec<Vec<Hostile>>,
    clients: Vec<Client>,
    /// How far the clock moves, and how long the peers have at each place.
    clock: Vec<(Duration, Duration)>,
}

#[derive(Debug, Clone)]
enum Client {
    Good { kind: BindKind, messages: u32, window: u32 },
    Hostile { mode: Rogue, count: u32, seed: u64 },
}

impl Script {
    fn draw(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let manners = |random: &mut SmallRng| -> Vec<Hostile> {
            let count = *[0, 0, 1, 1, 2].choose(random).expect("a choice");
            let one = |_| Hostile {
                mode: *Mode::ALL.choose(random).expect("a mode"),
                after: random.random_range(0..4),
            };
            (0..count).map(one).collect()
        };
        let operators = (0..2).map(|_| manners(&mut random)).collect();
        let clients = (0..random.random_range(1..=3)).map(|_| Client::draw(&mut random)).collect();
        let moves = random.random_range(0..8);
        let clock = (0..moves).map(|_| {
            let span = *[100, 1_000, 10_000, 31_000, 75_000].choose(&mut random).expect("a span");
            (Duration::from_millis(span), Duration::from_micros(random.random_range(0..3_000)))
        });
        Self { operators, clients, clock: clock.collect() }
    }
}

impl Client {
    fn draw(random: &mut SmallRng) -> Self {
        if random.random_bool(0.5) {
            let kinds = [BindKind::Transceiver, BindKind::Transceiver, BindKind::Transmitter];
            Self::Good {
                kind: *kinds.choose(random).expect("a kind"),
                messages: random.random_range(1..=12),
                window: random.random_range(1..=6),
            }
        } else {
            Self::Hostile {
                mode: *Rogue::ALL.choose(random).expect("a mode"),
                count: random.random_range(1..=15),
                seed: random.random(),
            }
        }
    }

    async fn play(self, address: std::net::SocketAddr) -> Result<(), String> {
        match self {
            Self::Good { kind, messages, window } => {
                let served = Good::start(address, kind, messages, window).done().await;
                let answered = served.accepted + served.refused;
                match answered == messages || served.sent_away {
                    true => Ok(()),
                    false => Err(format!("{messages} messages were answered so: {served:?}")),
                }
            }
            Self::Hostile { mode, count, seed } => {
                let settings = client::Settings {
                    connect: address.to_string(),
                    system_id: "acme".to_owned(),
                    password: "secret".into(),
                    to: "34600111222".to_owned(),
                    count,
                    pause: Duration::from_millis(1),
                    patience: Duration::from_millis(30),
                    seed,
                };
                // What the server did to it is not judged here.
                client::play(&settings, mode).await.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

async fn converse(house: &House, seed: u64) {
    let script = Script::draw(seed);
    let what = format!("TOLLGATE_CONVERSATIONS=1 TOLLGATE_CONVERSATION_SEED={seed} ({script:?})");
    for (operator, manners) in house.operators.iter().zip(&script.operators) {
        operator.behave(manners.clone());
    }
    let mut clients = JoinSet::new();
    for client in script.clients {
        clients.spawn(client.play(house.gate.address));
    }
    for (span, pause) in script.clock {
        tokio::time::sleep(pause).await;
        house.gate.clock.advance(span);
    }
    while let Some(played) = clients.join_next().await {
        match played {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => panic!("{what}: {problem}"),
            Err(panic) => panic!("{what}: {panic}"),
        }
    }
    house.settle(&what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_end_well_whoever_takes_part() {
    let count = number_in("TOLLGATE_CONVERSATIONS").unwrap_or(CONVERSATIONS);
    let first = number_in("TOLLGATE_CONVERSATION_SEED").unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("TOLLGATE_CONVERSATIONS={count} TOLLGATE_CONVERSATION_SEED={first}");
    let begun = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let mut houses = JoinSet::new();
    for _ in 0..HOUSES.min(count) {
        let next = Arc::clone(&next);
        houses.spawn(async move {
            let mut place = next.fetch_add(1, Ordering::Relaxed);
            while place < count {
                let house = House::open(2, |plan| plan.esme.response = ANSWER_WITHIN).await;
                for _ in 0..A_HOUSE {
                    if place < count {
                        converse(&house, first.wrapping_add(place)).await;
                        place = next.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
    }
    houses.join_all().await;
    println!("conversations: {count} from seed {first} in {:.1} s", begun.elapsed().as_secs_f64());
}

fn number_in(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
