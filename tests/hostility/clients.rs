//! Every rogue of `tollgate load --hostile` against the daemon, beside a good client.

use std::time::Duration;

use smpp_proto::CommandStatus;
use smpp_proto::pdu::BindKind;
use tollgate::sim::hostile::client::{Report, Rogue, Settings, play};

use super::good::Good;
use super::house::House;

async fn against(house: &House, mode: Rogue) -> Report {
    let settings = Settings {
        connect: house.gate.address.to_string(),
        system_id: "acme".to_owned(),
        password: "secret".into(),
        to: "34600111222".to_owned(),
        count: 100,
        pause: Duration::from_millis(20),
        patience: Duration::from_secs(6),
        seed: 7,
    };
    let good = Good::start(house.gate.address, BindKind::Transceiver, u32::MAX, 3);
    good.has(1).await;
    let rogue = async { play(&settings, mode).await.expect("a connection") };
    // Sessions that are asked whether they live have 60 s for that: 3 s of ours.
    let report = house.gate.advance_until(Duration::from_secs(1), rogue).await;
    // It goes on being served with the rogue still there, or gone.
    good.has(good.so_far() + 5).await;
    let served = good.leave().await;
    assert!(served.refused == 0 && !served.sent_away, "{mode:?}: {served:?}");
    house.settle(mode.word()).await;
    report
}

/// How many PDUs came with this command and this status.
fn came(report: &Report, command: &str, status: CommandStatus) -> u64 {
    let fits = |what: &str| what.starts_with(command) && what.ends_with(&status.to_string());
    report.came.iter().filter(|(what, _)| fits(what)).map(|(_, count)| count).sum()
}

/// Rogues whom the daemon has to end itself.
const ENDED: [Rogue; 11] = [
    Rogue::Silent,
    Rogue::SlowSender,
    Rogue::ConnectFlood,
    Rogue::BindAgain,
    Rogue::Garbage,
    Rogue::Http,
    Rogue::Tls,
    Rogue::Oversize,
    Rogue::Undersize,
    Rogue::NeverRead,
    Rogue::NeverAnswer,
];

async fn all_of(share: usize) {
    let house = House::open(1, |plan| plan.esme.max_enquire_links = 20).await;
    for mode in Rogue::ALL.iter().copied().skip(share).step_by(SHARES) {
        let report = against(&house, mode).await;
        println!("{}: {report:?}", mode.word());
        if ENDED.contains(&mode) {
            assert!(report.closed, "{mode:?} was not ended: {report}");
        }
        match mode {
            Rogue::BindFlood => {
                // Checking a password takes its time, and the rogue is not that patient.
                let refused = came(&report, "bind_transceiver_resp", CommandStatus::RINVPASWD);
                assert!(refused > 0 && refused == report.came.values().sum::<u64>(), "{report}");
            }
            Rogue::BindAgain => {
                assert!(came(&report, "bind_transceiver_resp", CommandStatus::RALYBND) > 50, "{report}");
            }
            Rogue::Oversize | Rogue::Undersize => {
                assert_eq!(came(&report, "generic_nack", CommandStatus::RINVCMDLEN), 1, "{report}");
            }
            Rogue::UnknownCommands => {
                assert!(came(&report, "generic_nack", CommandStatus::RINVCMDID) > 0, "{report}");
            }
            Rogue::EnquireFlood => {
                assert!(came(&report, "enquire_link_resp", CommandStatus::ROK) >= 20, "{report}");
            }
            Rogue::IgnoreWindow | Rogue::SameSequence | Rogue::OddSequence => {
                assert_eq!(report.accepted, 100, "{report}");
            }
            Rogue::NulQuirks => assert!(report.accepted >= 33, "{report}"),
            Rogue::OddAnswers => assert!(came(&report, "deliver_sm", CommandStatus::ROK) > 0, "{report}"),
            Rogue::BadBodies => assert_eq!(report.accepted, 0, "{report}"),
            Rogue::AfterUnbind => assert_eq!(report.accepted, 0, "{report}"),
            Rogue::HalfPdu | Rogue::SlowSender | Rogue::Silent | Rogue::Http | Rogue::Tls => {
                assert_eq!(report.accepted, 0, "{report}");
            }
            _ => {}
        }
    }
}

const SHARES: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rogue_harms_the_daemon_or_a_good_client() {
    all_of(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_any_of_the_others() {
    all_of(1).await;
}
