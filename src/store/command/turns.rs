//! Whose command is next. What brings messages to their end goes before new ones: its amount is bounded by the windows,
//! and a gateway that took new messages first would pile up receipts at its operators. Accounts take turns, so that one
//! that floods the writer keeps the others waiting for a transaction, and not for all that it has sent; every
//! transaction has something of one of them.
//!
//! What one account asked is done in the order in which it was asked, and so is what came from operators and receivers.
//! An administrative command is done after everything that was sent before it, and before everything after.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;
use tokio::sync::oneshot;

use super::Command;
use crate::account::AccountId;

/// Commands that wait their turn here; the others wait in the mailbox.
const MOST: usize = 16_384;

/// Commands in the order in which they will be done.
#[derive(Default)]
pub(in crate::store) struct Turns {
    /// What brings messages to their end, and what the store asks of itself.
    first: VecDeque<Command>,
    accounts: HashMap<AccountId, VecDeque<Command>, RandomState>,
    /// Accounts that have something to do.
    order: VecDeque<AccountId>,
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

    /// Puts a command behind those it must not overtake.
    pub(in crate::store) fn put(&mut self, command: Command) {
        let account = match &command {
            Command::Admin(_) | Command::Stop(_) => {
                self.barrier = Some(command);
                return;
            }
            Command::Client(batch) => batch.account(),
            _ => None,
        };
        self.waiting += 1;
        let Some(account) = account else { return self.first.push_back(command) };
        let queue = self.accounts.entry(account).or_default();
        if queue.is_empty() {
            self.order.push_back(account);
        }
        queue.push_back(command);
    }

    /// Takes commands for one transaction, up to a weight of about `most`; gives their weight.
    pub(in crate::store) fn take(&mut self, most: usize, into: &mut Vec<Command>) -> usize {
        let mut weight = 0;
        let mut next = self.of_an_account().or_else(|| self.first.pop_front());
        while let Some(command) = next {
            weight += command.weight();
            into.push(command);
            self.waiting -= 1;
            next = if weight < most { self.next() } else { None };
        }
        if self.waiting == 0
            && let Some(command) = self.barrier.take_if(|barrier| matches!(barrier, Command::Admin(_)))
        {
            weight += command.weight();
            into.push(command);
        }
        weight
    }

    fn next(&mut self) -> Option<Command> {
        self.first.pop_front().or_else(|| self.of_an_account())
    }

    fn of_an_account(&mut self) -> Option<Command> {
        let account = self.order.pop_front()?;
        let queue = self.accounts.get_mut(&account)?;
        let command = queue.pop_front();
        if queue.is_empty() {
            self.accounts.remove(&account);
        } else {
            self.order.push_back(account);
        }
        command
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

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::message::MessageId;
    use crate::store::command::{Admin, ClientBatch, ClientRequest};

    fn query(account: u32) -> Command {
        let reply = mpsc::channel(1).0;
        let id = MessageId::from_raw(1);
        let query =
            ClientRequest::Query { tag: 0, account: AccountId(account), id, source: bytes::Bytes::new() };
        Command::Client(ClientBatch { requests: vec![query], reply })
    }

    /// Whose the commands are, in their order: an account's number, 0 for what brings an end, 9 for administration.
    fn taken(turns: &mut Turns, most: usize) -> Vec<u32> {
        let mut commands = Vec::new();
        turns.take(most, &mut commands);
        let whose = |command: &Command| match command {
            Command::Client(batch) => batch.account().map_or(0, |account| account.0),
            Command::Admin(_) => 9,
            _ => 0,
        };
        commands.iter().map(whose).collect()
    }

    #[test]
    fn accounts_take_turns_and_ends_go_first() {
        let mut turns = Turns::default();
        for account in [1, 1, 1, 1, 2, 3, 3] {
            turns.put(query(account));
        }
        turns.put(Command::Answered(Vec::new()));
        assert_eq!(taken(&mut turns, 4), [1, 0, 2, 3, 1]);
        turns.put(query(2));
        assert_eq!(taken(&mut turns, 100), [3, 1, 2, 1]);
        assert!(turns.is_empty());
    }

    #[test]
    fn administration_waits_for_what_was_asked_before_it_and_holds_up_what_comes_after() {
        let mut turns = Turns::default();
        for _ in 0..3 {
            turns.put(query(1));
        }
        turns.put(Command::Admin(Admin::Backup("copy.db".into(), oneshot::channel().0)));
        assert!(!turns.has_room());
        assert_eq!(taken(&mut turns, 2), [1, 1]);
        assert_eq!(taken(&mut turns, 2), [1, 9]);
        assert!(turns.has_room() && turns.is_empty());
        let (done, _closed) = oneshot::channel();
        turns.put(query(1));
        turns.put(Command::Stop(done));
        assert!(turns.stop().is_none());
        assert_eq!(taken(&mut turns, 2), [1]);
        assert!(!turns.is_empty() && turns.stop().is_some());
    }
}
