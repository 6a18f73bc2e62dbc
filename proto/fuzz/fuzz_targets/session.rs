//! A byte stream into a session, whole: frames are judged, requests go out and are answered, time moves, and either
//! side leaves. Whatever comes, the window is never over its size, nothing in the past stays due, and what has no
//! place is an error that changes nothing.
#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use smpp_proto::field::{CommandId, InterfaceVersion};
use smpp_proto::session::{
    BindKind, Event, Moment, Role, Session, State, Timers, TimersSettings, Traffic, Verdict, Window,
    WindowSettings,
};
use smpp_proto::{Frame, FrameCodec};

fuzz_target!(|octets: &[u8]| {
    let mut from = Unstructured::new(octets);
    let Ok(mut talk) = Talk::begin(&mut from) else { return };
    while !from.is_empty() && talk.session.state() != State::Closed {
        if talk.step(&mut from).is_err() {
            break;
        }
        talk.check();
    }
    talk.end();
});

struct Talk {
    codec: FrameCodec,
    buffer: BytesMut,
    session: Session,
    timers: Timers,
    window: Window<u32>,
    size: usize,
    /// The numbers that are in flight, as a plain set knows them.
    open: BTreeSet<u32>,
    now: Moment,
}

/// Commands that a stream should meet often.
const COMMANDS: [CommandId; 16] = [
    CommandId::BIND_RECEIVER,
    CommandId::BIND_TRANSMITTER,
    CommandId::BIND_TRANSCEIVER,
    CommandId::SUBMIT_SM,
    CommandId::DELIVER_SM,
    CommandId::DATA_SM,
    CommandId::QUERY_SM,
    CommandId::OUTBIND,
    CommandId::ALERT_NOTIFICATION,
    CommandId::BROADCAST_SM,
    CommandId::ENQUIRE_LINK,
    CommandId::UNBIND,
    CommandId::GENERIC_NACK,
    CommandId::UNBIND_RESP,
    CommandId::SUBMIT_SM_RESP,
    CommandId::DELIVER_SM_RESP,
];

impl Talk {
    fn begin(from: &mut Unstructured<'_>) -> Result<Self> {
        let seconds = |from: &mut Unstructured<'_>| Ok(Duration::from_secs(from.int_in_range(0..=90_u64)?));
        let role = if from.arbitrary()? { Role::Mc } else { Role::Esme };
        let version = InterfaceVersion(*from.choose(&[0x33, 0x34, 0x50])?);
        let size = from.int_in_range(1..=9_u16)?;
        let settings = TimersSettings {
            session_init: seconds(from)?,
            enquire_link: if from.arbitrary()? { Some(seconds(from)?) } else { None },
            inactivity: if from.arbitrary()? { Some(seconds(from)?) } else { None },
            enquire_link_is_activity: from.arbitrary()?,
            response: seconds(from)?,
        };
        let now = Moment(from.arbitrary()?);
        Ok(Self {
            codec: FrameCodec::new(256),
            buffer: BytesMut::new(),
            session: Session::new(role, version),
            timers: Timers::new(settings, now),
            window: Window::new(WindowSettings { size, response: settings.response }),
            size: usize::from(size),
            open: BTreeSet::new(),
            now,
        })
    }

    fn step(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        match from.int_in_range(0..=7_u8)? {
            0 => {
                let length = usize::from(from.arbitrary::<u8>()?).min(from.len());
                self.buffer.extend_from_slice(from.bytes(length)?);
                self.cut();
            }
            1 | 2 => {
                let command = *from.choose(&COMMANDS)?;
                let sequence = match from.arbitrary()? {
                    true => self.open.iter().next().copied().unwrap_or(1),
                    false => from.arbitrary()?,
                };
                // Behind octets that are left over from another step this is a body, or out of step.
                for word in [16, command.0, 0, sequence] {
                    self.buffer.put_u32(word);
                }
                self.cut();
            }
            3 => {
                let past = self.now;
                let millis = u64::from(from.arbitrary::<u16>()?) * 4;
                self.now = self.now + Duration::from_millis(millis);
                assert!(self.now >= past);
                self.ring();
            }
            4 | 5 => self.send(*from.choose(&COMMANDS)?),
            6 => {
                let before = self.session;
                let left = self.session.unbind_sent();
                assert_eq!(left.is_err(), before == self.session, "an error changes nothing");
                assert!(left.is_err() || before.state().is_bound());
            }
            _ => {
                let sequence = from.arbitrary()?;
                assert_eq!(self.window.complete(sequence).is_some(), self.open.remove(&sequence));
            }
        }
        Ok(())
    }

    fn cut(&mut self) {
        loop {
            let before = self.buffer.len();
            match self.codec.cut(&mut self.buffer) {
                Ok(Some(frame)) => {
                    assert_eq!(before - self.buffer.len(), frame.header.length as usize);
                    self.receive(&frame);
                }
                Ok(None) => {
                    assert!(self.buffer.len() < 256, "a whole frame is never left lying");
                    return;
                }
                // Out of step: the owner closes.
                Err(_) => return self.session.closed(),
            }
        }
    }

    fn receive(&mut self, frame: &Frame) {
        let (command, sequence) = (frame.header.command, frame.header.sequence);
        let (before, verdict) = (self.session, self.session.receive(command));
        let link = matches!(command, CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP);
        self.timers.on_received(if link { Traffic::Link } else { Traffic::Transaction }, self.now);
        if let Some((answer, status)) = verdict.answer(command) {
            assert!(answer.is_response() && !status.is_ok() && !command.is_response());
        }
        if verdict != Verdict::Accept {
            return;
        }
        match (BindKind::of(command).filter(|_| !command.is_response()), command) {
            (Some(kind), _) => {
                self.session.bound(kind, before.version()).expect("a bind that is accepted binds");
                self.timers.on_bound(self.now);
                assert!(self.session.state().is_bound());
            }
            (None, CommandId::OUTBIND) => self.session.outbound().expect("an outbind that is accepted"),
            (None, CommandId::UNBIND) => {
                self.session.unbind_received().expect("an unbind that is accepted");
                self.session.unbound().expect("it can be answered");
                assert!(!self.session.may_send(CommandId::DELIVER_SM));
            }
            (None, CommandId::UNBIND_RESP) => {
                let ended = self.session.unbound();
                assert_eq!(ended.is_err(), before == self.session);
                assert_eq!(ended.is_ok(), before.is_leaving() && before.state().is_bound());
            }
            (None, other) if other.is_response() => {
                assert_eq!(self.window.complete(sequence).is_some(), self.open.remove(&sequence));
            }
            _ => {}
        }
    }

    fn send(&mut self, command: CommandId) {
        if !self.session.may_send(command) {
            return;
        }
        assert!(self.session.state() != State::Closed && !command.is_response());
        match self.window.open(command.0, self.now) {
            Ok(number) => {
                assert!((1..=0x7FFF_FFFF).contains(&number));
                assert!(self.open.insert(number), "{number} is in flight already");
                self.timers.on_sent(Traffic::Transaction, self.now);
            }
            Err(full) => assert_eq!((full.0, self.open.len()), (command.0, self.size)),
        }
        if command == CommandId::ENQUIRE_LINK {
            assert!(!self.open.contains(&self.window.number()), "it passes a full window under a number of its own");
        }
    }

    /// What has fallen due is told once, and then nothing of it is left.
    fn ring(&mut self) {
        let mut rung = 0;
        while let Some(event) = self.timers.due(self.now) {
            rung += 1;
            assert!(rung <= 4, "each of four timers rings once");
            match event {
                Event::SessionInit => {
                    assert!(!self.session.state().is_bound());
                    self.session.closed();
                }
                Event::LinkDead => self.session.closed(),
                Event::EnquireLink => self.timers.on_sent(Traffic::Link, self.now),
                Event::Inactive => drop(self.session.unbind_sent()),
            }
        }
        assert!(self.timers.next().is_none_or(|due| due > self.now), "a timer in the past stayed due");
        while let Some((number, _)) = self.window.expire(self.now) {
            assert!(self.open.remove(&number), "{number} was not in flight");
        }
        assert!(self.window.deadline().is_none_or(|due| due > self.now || due == Moment(u64::MAX)));
    }

    fn check(&self) {
        assert!(self.window.len() <= self.size, "over the window");
        assert_eq!(self.window.len() + self.window.room(), self.size);
        assert_eq!(self.window.len(), self.open.len());
        assert_eq!(self.window.is_empty(), self.window.deadline().is_none());
    }

    /// The connection is gone: everything comes back once, oldest first, and nothing is said any more.
    fn end(mut self) {
        let sent: Vec<Moment> = self.window.in_flight().map(|(_, sent, _)| sent).collect();
        assert!(sent.is_sorted());
        let drained: BTreeSet<u32> = self.window.drain().map(|(number, _)| number).collect();
        assert_eq!(drained, self.open);
        assert!(self.window.is_empty());
        self.session.closed();
        for command in COMMANDS {
            assert_eq!(self.session.receive(command), Verdict::Ignore);
            assert!(!self.session.may_send(command));
            assert!(self.session.bound(BindKind::Transceiver, InterfaceVersion::V3_4).is_err());
        }
        assert!(self.session.unbind_sent().is_err() && self.session.unbind_received().is_err());
        assert!(self.session.outbound().is_err() && self.session.unbound().is_err());
        assert_eq!(self.session.state(), State::Closed);
    }
}
