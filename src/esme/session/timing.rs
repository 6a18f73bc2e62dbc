//! What falls due in a session: its timers, deadlines of endings and probes, deliveries without an answer; and orders.

use std::time::Duration;

use smpp_proto::field::CommandId;
use smpp_proto::session::{Event, Moment, Traffic};

use super::{Ended, Session};
use crate::esme::deliver::Receiving;
use crate::esme::roster::{Leave, Orders};

impl Session {
    /// Does what has fallen due.
    pub(super) fn tick(&mut self) -> Result<(), Ended> {
        let now = self.shared.clock.monotonic();
        if let Some(client) = self.client.as_deref_mut()
            && client.expire_deliveries(&self.shared.clock)
        {
            self.timers.on_unanswered(Moment(now));
        }
        self.tick_timers(Moment(now))?;
        if let Some(closing) = self.closing.take_if(|closing| closing.until <= now) {
            return Err(closing.ended);
        }
        if let Some(leaving) = self.leaving.take_if(|leaving| leaving.until <= now) {
            return Err(leaving.ended);
        }
        if self.probe_until.is_some_and(|until| until <= now) {
            if self.reads() {
                return Err(Ended::Ghost);
            }
            self.alive();
        }
        Ok(())
    }

    fn tick_timers(&mut self, now: Moment) -> Result<(), Ended> {
        if self.binding.is_some() {
            // The client has done its part; now it is we who take our time.
            return Ok(());
        }
        if self.client.is_some() && !self.reads() {
            // Who is not read from cannot show that he lives.
            self.timers.on_received(Traffic::Link, now);
        }
        while let Some(event) = self.timers.due(now) {
            match event {
                Event::SessionInit => return Err(Ended::NotBound),
                Event::LinkDead => return Err(Ended::LinkDead),
                Event::EnquireLink => {
                    self.request(CommandId::ENQUIRE_LINK);
                    self.timers.on_sent(Traffic::Link, now);
                }
                Event::Inactive => self.leave(Ended::Inactive, LEAVE_PATIENCE),
            }
        }
        Ok(())
    }

    /// Something was put into the write buffer.
    pub(super) fn sent(&mut self, traffic: Traffic) {
        self.timers.on_sent(traffic, Moment(self.shared.clock.monotonic()));
    }

    /// Sets the alarm to the next that falls due.
    pub(super) fn set_alarm(&mut self) {
        let now = self.shared.clock.monotonic();
        let timers = if self.binding.is_some() { None } else { self.timers.next().map(|moment| moment.0) };
        let receiving = self.client.as_ref().and_then(|client| client.receiving.as_ref());
        let starves = receiving.is_some_and(Receiving::starves);
        let dues = [
            timers,
            self.closing.as_ref().map(|closing| closing.until),
            self.leaving.as_ref().map(|leaving| leaving.until),
            self.probe_until,
            receiving.and_then(|receiving| receiving.due(now)),
            // A lane whose rest is in the store could not ask for it while the mailbox was full.
            starves.then(|| now.saturating_add(REFILL_LOOK)),
        ];
        self.alarm.set(dues.into_iter().flatten().min(), &self.shared.clock);
    }

    /// Does what the roster says.
    pub(super) fn obey(&mut self, orders: Orders) {
        if let Some(why) = orders.leave {
            // A daemon that drains waits as for any request; whoever is sent away has not much time.
            let patience = match why {
                Leave::Draining => self.shared.settings.response,
                Leave::Suspended | Leave::Withdrawn | Leave::Dismissed => LEAVE_PATIENCE,
            };
            self.leave(Ended::Ordered(why), patience);
        }
        if !orders.probes.is_empty() && self.probe_until.is_none() {
            self.probe_until = Some(self.after(self.shared.settings.probe));
            self.request(CommandId::ENQUIRE_LINK);
        }
        self.probes.extend(orders.probes);
    }

    /// Something came, or nothing can come because we do not read: it counts as alive.
    pub(super) fn alive(&mut self) {
        self.probe_until = None;
        self.probes.clear();
    }
}

/// How long a session that was sent away may take for its unbind_resp: it is gone within a second.
const LEAVE_PATIENCE: Duration = Duration::from_millis(500);
/// Milliseconds after which a lane that waits for a refill is looked at again.
const REFILL_LOOK: u64 = 1_000;
