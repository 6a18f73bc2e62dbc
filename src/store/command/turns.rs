//! Whose command is next: accounts and operators take turns, so that one that floods the writer keeps the others waiting
//! for a transaction, and not for all that it has sent.
//!
//! What one asker sent is done in the order in which it was sent. An administrative command is done after everything
//! that was sent before it, and before everything after.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;
use tokio::sync::oneshot;

use super::Command;
use crate::account::AccountId;
use crate::message::UpstreamId;

/// Commands that wait their turn here; the others wait in the mailbox.
const MOST: usize = 1_024;

/// Who takes turns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Asker {
    Account(AccountId),
    /// What receivers of an account answer.
    Receivers(AccountId),
    Upstream(UpstreamId),
    House,
}

/// Commands in the order in which they will be done.
#[derive(Default)]
pub(in crate::store) struct Turns {
    queues: HashMap<Asker, VecDeque<Command>, RandomState>,
    /// Who has something to do.
    order: VecDeque<Asker>,
    waiting: usize,
    /// Done when all before it is; nothing comes in until then.
    barrier: Option<Command>,
}

impl Turns {
    /// Whether nothing waits.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.waiting == 0 && self.barrier.is_none()
    }

    /// Whether more may come in.
    pub(in crate::store) fn has_room(&self) -> bool {
        self.waiting < MOST && self.barrier.is_none()
    }

    /// Puts a command behind those of its asker.
    pub(in crate::store) fn put(&mut self, command: Command) {
        let asker = match &command {
            Command::Admin(_) | Command::Stop(_) => {
                self.barrier = Some(command);
                return;
            }
            Command::Client(batch) => batch.account().map_or(Asker::House, Asker::Account),
            Command::Operator(batch) => Asker::Upstream(batch.upstream),
            Command::Answered(answers) => {
                answers.first().map_or(Asker::House, |a| Asker::Receivers(a.account))
            }
            Command::Refill(_) | Command::Tick | Command::Forget(_) => Asker::House,
        };
        let queue = self.queues.entry(asker).or_default();
        if queue.is_empty() {
            self.order.push_back(asker);
        }
        queue.push_back(command);
        self.waiting += 1;
    }

    /// Takes commands for one transaction, up to a weight of about `most`; gives their weight.
    pub(in crate::store) fn take(&mut self, most: usize, into: &mut Vec<Command>) -> usize {
        let mut weight = 0;
        while weight < most {
            let Some(asker) = self.order.pop_front() else { break };
            let Some(queue) = self.queues.get_mut(&asker) else { continue };
            if let Some(command) = queue.pop_front() {
                weight += command.weight();
                into.push(command);
                self.waiting -= 1;
            }
            if queue.is_empty() {
                self.queues.remove(&asker);
            } else {
                self.order.push_back(asker);
            }
        }
        if self.waiting == 0
            && let Some(command) = self.barrier.take_if(|barrier| matches!(barrier, Command::Admin(_)))
        {
            weight += command.weight();
            into.push(command);
        }
        weight
    }

    /// The order to stop, once everything before it is done.
    pub(in crate::store) fn stop(&mut self) -> Option<oneshot::Sender<()>> {
        if self.waiting > 0 {
            return None;
        }
        match self.barrier.take_if(|barrier| matches!(barrier, Command::Stop(_)))? {
            Command::Stop(done) => Some(done),
            _ => None,
        }
    }
}
