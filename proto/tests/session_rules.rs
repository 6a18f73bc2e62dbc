//! The rules of a session, against the table of the documents written out by hand, and a window against a model.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use smpp_proto::field::{CommandId, CommandStatus, InterfaceVersion};
use smpp_proto::session::{
    BindKind, Moment, Role, Session, State, Verdict, Window, WindowSettings, allowed, may,
};

const V34: InterfaceVersion = InterfaceVersion::V3_4;
const V50: InterfaceVersion = InterfaceVersion::V5_0;

const STATES: [State; 6] =
    [State::Open, State::Outbound, State::BoundTx, State::BoundRx, State::BoundTrx, State::Unbound];

/// Who may send what: one letter a state, in the order of [`STATES`]. E is the ESME, M the centre, B both.
const TABLE: [(CommandId, &str, &str); 18] = [
    // Command, on 3.4, on 5.0.
    (CommandId::BIND_RECEIVER, "EE----", "EE----"),
    (CommandId::BIND_TRANSMITTER, "EE----", "EE----"),
    (CommandId::BIND_TRANSCEIVER, "EE----", "EE----"),
    (CommandId::OUTBIND, "M-----", "M-----"),
    (CommandId::SUBMIT_SM, "--E-E-", "--E-E-"),
    (CommandId::SUBMIT_MULTI, "--E-E-", "--E-E-"),
    (CommandId::QUERY_SM, "--E-E-", "--E-E-"),
    (CommandId::CANCEL_SM, "--E-E-", "--E-E-"),
    (CommandId::REPLACE_SM, "--E-E-", "--E-E-"),
    (CommandId::BROADCAST_SM, "------", "--E-E-"),
    (CommandId::QUERY_BROADCAST_SM, "------", "--E-E-"),
    (CommandId::CANCEL_BROADCAST_SM, "------", "--E-E-"),
    (CommandId::DELIVER_SM, "---MM-", "---MM-"),
    (CommandId::ALERT_NOTIFICATION, "---MM-", "---MM-"),
    (CommandId::DATA_SM, "--BBB-", "--EMB-"),
    (CommandId::UNBIND, "--BBB-", "--BBB-"),
    (CommandId::ENQUIRE_LINK, "--BBB-", "BBBBBB"),
    (CommandId(0x0001_0203), "------", "------"),
];

#[test]
fn the_table_of_the_documents_holds() {
    for (command, on_3_4, on_5_0) in TABLE {
        for (version, row) in [(V34, on_3_4), (V50, on_5_0)] {
            for (state, letter) in STATES.into_iter().zip(row.chars()) {
                for (role, own) in [(Role::Esme, 'E'), (Role::Mc, 'M')] {
                    let expected = letter == own || letter == 'B';
                    let found = allowed(role, command, state, version);
                    assert_eq!(found, expected, "{command} from {role:?} in {state:?} on {version}");
                    if expected {
                        assert_eq!(may(role, command, state, version), Verdict::Accept);
                    }
                }
            }
        }
    }
}

#[test]
fn what_has_no_place_is_answered_as_the_table_of_answers_says() {
    use CommandId as Id;
    let invalid_state = Verdict::Respond(CommandStatus::RINVBNDSTS);
    let unknown = Verdict::Nack(CommandStatus::RINVCMDID);
    let answers = [
        (Id::SUBMIT_SM, State::Open, V50, invalid_state),
        (Id::UNBIND, State::Open, V50, invalid_state),
        (Id::BIND_TRANSCEIVER, State::BoundTrx, V34, Verdict::Respond(CommandStatus::RALYBND)),
        (Id::BIND_RECEIVER, State::Unbound, V34, invalid_state),
        (Id::SUBMIT_SM, State::BoundRx, V34, invalid_state),
        (Id::QUERY_SM, State::BoundRx, V34, invalid_state),
        (Id::DATA_SM, State::BoundRx, V50, invalid_state),
        (Id::DATA_SM, State::BoundTrx, InterfaceVersion::V3_3, unknown),
        (Id::DELIVER_SM, State::BoundTrx, V34, invalid_state),
        (Id::ALERT_NOTIFICATION, State::BoundTrx, V34, unknown),
        (Id::OUTBIND, State::Open, V34, unknown),
        (Id::ENQUIRE_LINK, State::Open, V34, Verdict::Accept),
        (Id::ENQUIRE_LINK, State::Unbound, V34, Verdict::Accept),
        (Id::GENERIC_NACK, State::Open, V34, Verdict::Accept),
        (Id::DELIVER_SM_RESP, State::BoundRx, V34, Verdict::Accept),
        (Id(0x8000_0FFF), State::BoundTrx, V34, Verdict::Ignore),
        (Id(0x0000_0FFF), State::Open, V34, unknown),
        (Id::BROADCAST_SM, State::BoundTrx, V34, unknown),
        (Id::SUBMIT_SM, State::Unbound, V34, invalid_state),
        (Id::SUBMIT_SM, State::Closed, V34, Verdict::Ignore),
    ];
    for (command, state, version, expected) in answers {
        assert_eq!(may(Role::Esme, command, state, version), expected, "{command} in {state:?} on {version}");
    }
    assert_eq!(invalid_state.answer(Id::SUBMIT_SM), Some((Id::SUBMIT_SM_RESP, CommandStatus::RINVBNDSTS)));
    assert_eq!(unknown.answer(Id(0x0FFF)), Some((Id::GENERIC_NACK, CommandStatus::RINVCMDID)));
    assert_eq!(may(Role::Mc, Id::OUTBIND, State::BoundTrx, V34), Verdict::Ignore);
}

#[test]
fn a_session_goes_from_open_to_closed() {
    let mut session = Session::new(Role::Mc, V50);
    assert_eq!(session.receive(CommandId::SUBMIT_SM), Verdict::Respond(CommandStatus::RINVBNDSTS));
    session.bound(BindKind::Transceiver, V34).unwrap();
    assert_eq!((session.state(), session.version()), (State::BoundTrx, V34));
    assert!(session.may_send(CommandId::DELIVER_SM) && !session.may_send(CommandId::SUBMIT_SM));

    session.unbind_sent().unwrap();
    assert!(!session.may_send(CommandId::DELIVER_SM), "nothing new is begun");
    assert_eq!(session.receive(CommandId::SUBMIT_SM), Verdict::Accept, "what comes is still answered");
    session.unbound().unwrap();
    assert_eq!(session.receive(CommandId::SUBMIT_SM), Verdict::Respond(CommandStatus::RINVBNDSTS));
    session.closed();
    session.closed();
    assert_eq!(session.state(), State::Closed);
}

#[test]
fn behind_its_own_unbind_a_peer_asks_for_nothing_more() {
    let mut session = Session::new(Role::Mc, V34);
    session.bound(BindKind::Transmitter, V34).unwrap();
    session.unbind_sent().unwrap();
    session.unbind_received().unwrap();
    assert_eq!(session.receive(CommandId::SUBMIT_SM), Verdict::Respond(CommandStatus::RINVBNDSTS));
    assert_eq!(session.receive(CommandId::DELIVER_SM_RESP), Verdict::Accept);
    assert_eq!(session.receive(CommandId::ENQUIRE_LINK), Verdict::Accept);
    session.unbound().unwrap();
    assert_eq!(session.state(), State::Unbound);
}

#[test]
fn an_outbind_waits_for_its_bind() {
    let mut session = Session::new(Role::Esme, V34);
    session.outbound().unwrap();
    assert!(session.may_send(CommandId::BIND_RECEIVER));
    assert!(session.outbound().is_err());
    session.bound(BindKind::Receiver, V34).unwrap();
    assert_eq!(session.receive(CommandId::DELIVER_SM), Verdict::Accept);
}

#[test]
fn illegal_events_are_errors_and_change_nothing() {
    let mut session = Session::new(Role::Esme, V34);
    assert!(
        session.unbind_sent().is_err() && session.unbind_received().is_err() && session.unbound().is_err()
    );
    assert_eq!(session.state(), State::Open);
    session.bound(BindKind::Transmitter, V34).unwrap();
    assert_eq!(session.bound(BindKind::Receiver, V50).unwrap_err().state, State::BoundTx);
    assert!(session.outbound().is_err() && session.unbound().is_err());
    session.unbind_received().unwrap();
    assert!(session.unbind_received().is_err() && session.unbind_sent().is_err());
    assert_eq!((session.state(), session.version()), (State::BoundTx, V34));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Open,
    Complete(usize),
    Foreign(u32),
    Pass(u64),
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Open),
        3 => any::<usize>().prop_map(Step::Complete),
        1 => any::<u32>().prop_map(Step::Foreign),
        2 => (0_u64..60).prop_map(Step::Pass),
        1 => (0_u8..20).prop_map(|chance| if chance == 0 { Step::Drain } else { Step::Open }),
    ]
}

proptest! {
    /// The model is a map from number to (moment of sending, order of sending).
    #[test]
    fn a_window_does_what_a_plain_map_does(size in 1_u16..9, steps in proptest::collection::vec(step(), 0..400)) {
        let mut window = Window::new(WindowSettings { size, response: Duration::from_millis(100) });
        let mut model: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        let (mut now, mut order) = (0, 0);
        for step in steps {
            match step {
                Step::Open => match window.open(order, Moment(now)) {
                    Ok(number) => {
                        prop_assert!((1..=0x7FFF_FFFF).contains(&number));
                        prop_assert!(model.insert(number, (now, order)).is_none(), "in flight already");
                        order += 1;
                    }
                    Err(full) => prop_assert_eq!((full.0, model.len()), (order, usize::from(size))),
                },
                Step::Complete(which) if !model.is_empty() => {
                    let number = *model.keys().nth(which % model.len()).unwrap();
                    prop_assert_eq!(window.complete(number), model.remove(&number).map(|(_, order)| order));
                }
                Step::Complete(_) => {}
                Step::Foreign(number) => {
                    let expected = model.remove(&number).map(|(_, order)| order);
                    prop_assert_eq!(window.complete(number), expected);
                }
                Step::Pass(time) => {
                    now += time;
                    let mut late: Vec<_> = model.iter().filter(|(_, sent)| sent.0 + 100 <= now).collect();
                    late.sort_by_key(|(_, sent)| sent.1);
                    let late: Vec<_> = late.into_iter().map(|(number, sent)| (*number, sent.1)).collect();
                    let expired: Vec<_> = std::iter::from_fn(|| window.expire(Moment(now))).collect();
                    prop_assert_eq!(&expired, &late);
                    late.iter().for_each(|(number, _)| { model.remove(number); });
                }
                Step::Drain => {
                    let drained: Vec<_> = window.drain().map(|(_, order)| order).collect();
                    prop_assert_eq!(drained.len(), model.len());
                    prop_assert!(drained.is_sorted());
                    model.clear();
                }
            }
            prop_assert_eq!(window.len(), model.len());
            let oldest = model.values().min_by_key(|sent| sent.1).map(|sent| Moment(sent.0 + 100));
            prop_assert_eq!(window.deadline(), oldest);
        }
    }
}
