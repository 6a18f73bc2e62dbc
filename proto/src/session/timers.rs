//! The timers of a session as one small table: session_init, enquire_link, inactivity, and the answer to an
//! enquire_link (SMPP 3.4 §7.2).

use std::time::Duration;

use super::moment::Moment;

/// How long a session waits for what. The documents name the timers and give no values (SMPP 3.4 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimersSettings {
    /// From the connection, or the outbind, to the bind. Default 10 s.
    pub session_init: Duration,
    /// From the last PDU in either direction to an enquire_link of ours; `None` sends none. Default 30 s.
    pub enquire_link: Option<Duration>,
    /// From the last transaction to the end of the session; `None` never ends it. Default none.
    pub inactivity: Option<Duration>,
    /// Whether enquire_link and its response are transactions for `inactivity`. Default no.
    pub enquire_link_is_activity: bool,
    /// From our enquire_link to any sign of life; then the link is dead. Default 60 s.
    pub response: Duration,
}

impl Default for TimersSettings {
    fn default() -> Self {
        TimersSettings {
            session_init: Duration::from_secs(10),
            enquire_link: Some(Duration::from_secs(30)),
            inactivity: None,
            enquire_link_is_activity: false,
            response: Duration::from_secs(60),
        }
    }
}

/// What a PDU means for the timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// enquire_link or enquire_link_resp, with whatever status.
    Link,
    /// Any other PDU.
    Transaction,
}

/// What has fallen due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nobody has bound in time: close.
    SessionInit,
    /// Send enquire_link now. Its response time is running.
    EnquireLink,
    /// The peer gave no sign of life within the response time: close, the requests in flight have failed.
    LinkDead,
    /// No transaction for the inactivity time: unbind, or close.
    Inactive,
}

/// The timers of one session. Each row of the table is the moment it falls due, if it runs (SMPP 3.4 §7.2).
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    settings: TimersSettings,
    session_init: Option<Moment>,
    enquire_link: Option<Moment>,
    link_dead: Option<Moment>,
    inactivity: Option<Moment>,
}

impl Timers {
    /// The timers of a connection that was made `now`, or on which outbind was sent `now`.
    #[must_use]
    pub fn new(settings: TimersSettings, now: Moment) -> Timers {
        Timers {
            settings,
            session_init: Some(now + settings.session_init),
            enquire_link: None,
            link_dead: None,
            inactivity: None,
        }
    }

    /// A bind was answered with status 0: session_init stops, the others start.
    pub fn on_bound(&mut self, now: Moment) {
        self.session_init = None;
        self.enquire_link = self.settings.enquire_link.map(|time| now + time);
        self.inactivity = self.settings.inactivity.map(|time| now + time);
    }

    /// A PDU came. Any PDU is a sign of life.
    pub fn on_received(&mut self, traffic: Traffic, now: Moment) {
        if self.link_dead.take().is_some() {
            self.enquire_link = self.settings.enquire_link.map(|time| now + time);
        }
        self.on_traffic(traffic, now);
    }

    /// A PDU was sent.
    pub fn on_sent(&mut self, traffic: Traffic, now: Moment) {
        self.on_traffic(traffic, now);
    }

    /// A request of ours was not answered in time: the peer is asked now whether it is there, unless it is being asked.
    /// Without this a peer that is sent to without end would never be asked (conformance C-061).
    pub fn on_unanswered(&mut self, now: Moment) {
        if let Some(at) = self.enquire_link.as_mut() {
            *at = (*at).min(now);
        }
    }

    /// What has fallen due by `now`, the gravest first. Each event is told once; ask until there is none.
    pub fn due(&mut self, now: Moment) -> Option<Event> {
        let passed = |row: &mut Option<Moment>| row.take_if(|at| *at <= now).is_some();
        if passed(&mut self.link_dead) {
            self.stop();
            return Some(Event::LinkDead);
        }
        if passed(&mut self.session_init) {
            self.stop();
            return Some(Event::SessionInit);
        }
        if passed(&mut self.inactivity) {
            return Some(Event::Inactive);
        }
        if passed(&mut self.enquire_link) {
            self.link_dead = Some(now + self.settings.response);
            return Some(Event::EnquireLink);
        }
        None
    }

    /// When to ask [`Timers::due`] again, if nothing is sent or received until then.
    #[must_use]
    pub fn next(&self) -> Option<Moment> {
        [self.session_init, self.enquire_link, self.link_dead, self.inactivity].into_iter().flatten().min()
    }

    /// Moves what is running; what is not bound, or waits for its answer, stays as it is.
    fn on_traffic(&mut self, traffic: Traffic, now: Moment) {
        let restart = |row: &mut Option<Moment>, time: Option<Duration>| {
            if let (Some(at), Some(time)) = (row.as_mut(), time) {
                *at = (*at).max(now + time);
            }
        };
        restart(&mut self.enquire_link, self.settings.enquire_link);
        if traffic == Traffic::Transaction || self.settings.enquire_link_is_activity {
            restart(&mut self.inactivity, self.settings.inactivity);
        }
    }

    fn stop(&mut self) {
        (self.session_init, self.enquire_link, self.link_dead, self.inactivity) = (None, None, None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1000;

    fn at(seconds: u64) -> Moment {
        Moment(seconds * SECOND)
    }

    fn settings() -> TimersSettings {
        TimersSettings { inactivity: Some(Duration::from_secs(300)), ..TimersSettings::default() }
    }

    #[test]
    fn an_unanswered_request_is_reason_to_ask_at_once_and_only_once() {
        let mut timers = bound();
        timers.on_sent(Traffic::Transaction, at(20));
        timers.on_unanswered(at(21));
        assert_eq!(timers.due(at(21)), Some(Event::EnquireLink));
        timers.on_unanswered(at(22));
        timers.on_sent(Traffic::Transaction, at(80));
        assert_eq!(timers.due(at(80)), None);
        assert_eq!(timers.due(at(81)), Some(Event::LinkDead));
        timers.on_unanswered(at(82));
        assert_eq!(timers.due(at(999)), None);
    }

    fn bound() -> Timers {
        let mut timers = Timers::new(settings(), at(0));
        timers.on_bound(at(0));
        timers
    }

    #[test]
    fn who_does_not_bind_in_time_is_closed_also_if_it_says_enquire_link() {
        let mut timers = Timers::new(settings(), at(0));
        assert_eq!(timers.next(), Some(at(10)));
        timers.on_received(Traffic::Link, at(9));
        timers.on_sent(Traffic::Link, at(9));
        assert_eq!(timers.due(Moment(10 * SECOND - 1)), None);
        assert_eq!(timers.due(at(10)), Some(Event::SessionInit));
        assert_eq!((timers.due(at(99)), timers.next()), (None, None));
    }

    #[test]
    fn enquire_link_counts_from_the_last_pdu_in_either_direction() {
        let mut timers = bound();
        timers.on_received(Traffic::Transaction, at(10));
        timers.on_sent(Traffic::Transaction, at(20));
        assert_eq!(timers.due(at(49)), None);
        assert_eq!(timers.due(at(50)), Some(Event::EnquireLink));
        assert_eq!(timers.due(at(50)), None, "told once");
    }

    #[test]
    fn an_enquire_link_without_answer_means_a_dead_link() {
        let mut timers = bound();
        assert_eq!(timers.due(at(30)), Some(Event::EnquireLink));
        timers.on_sent(Traffic::Link, at(30));
        timers.on_sent(Traffic::Transaction, at(80));
        assert_eq!(timers.next(), Some(at(90)), "what we send is no sign of life");
        assert_eq!(timers.due(at(90)), Some(Event::LinkDead));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn any_pdu_is_a_sign_of_life() {
        for traffic in [Traffic::Link, Traffic::Transaction] {
            let mut timers = bound();
            assert_eq!(timers.due(at(30)), Some(Event::EnquireLink));
            timers.on_received(traffic, at(31));
            assert_eq!(timers.due(at(60)), None);
            assert_eq!(timers.due(at(61)), Some(Event::EnquireLink));
        }
    }

    #[test]
    fn enquire_link_is_activity_only_if_configured() {
        for (counts, expected) in [(false, Some(Event::Inactive)), (true, None)] {
            let settings =
                TimersSettings { enquire_link_is_activity: counts, enquire_link: None, ..settings() };
            let mut timers = Timers::new(settings, at(0));
            timers.on_bound(at(0));
            timers.on_received(Traffic::Link, at(200));
            assert_eq!(timers.due(at(300)), expected);
            assert_eq!(timers.due(at(300)), None);
        }
    }

    #[test]
    fn what_is_switched_off_never_falls_due() {
        let mut timers =
            Timers::new(TimersSettings { enquire_link: None, ..TimersSettings::default() }, at(0));
        timers.on_bound(at(1));
        timers.on_received(Traffic::Transaction, at(2));
        assert_eq!((timers.due(at(1_000_000)), timers.next()), (None, None));
    }
}
