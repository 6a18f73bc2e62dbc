//! submit_multi, query_sm, cancel_sm and replace_sm, answered from the memory of the last messages.

use std::sync::atomic::Ordering;

use bytes::BytesMut;
use smpp_proto::field::{COctets, MessageState};
use smpp_proto::pdu::{
    CancelSm, Destination, QuerySm, QuerySmResp, ReplaceSm, SubmitMulti, SubmitMultiResp, Unsuccessful,
    encode_empty,
};
use smpp_proto::text::receipt::Date;
use smpp_proto::{CommandId, CommandStatus, Tlvs};
use tokio::time::Instant;

use super::session::{End, Session};
use super::submit::{Submission, reference_of};

impl Session {
    /// Judges every destination alone. One id covers all, as the document has it: that of the first accepted one.
    pub(super) fn submit_multi(&mut self, sequence: u32, multi: SubmitMulti) {
        let template = Submission {
            command: CommandId::SUBMIT_MULTI,
            source: multi.source.clone(),
            destination: Default::default(),
            esm_class: multi.esm_class,
            data_coding: multi.data_coding,
            registered_delivery: multi.registered_delivery,
            reference: reference_of(&multi.tlvs),
            text: multi.user_data().clone(),
        };
        let mut first = None;
        let mut unsuccessful = Vec::new();
        for destination in multi.destinations {
            match destination {
                Destination::Address(address) => {
                    match self.judge(Submission { destination: address.clone(), ..template.clone() }) {
                        Ok(id) => first = first.or(Some(id)),
                        Err(status) => unsuccessful.push(Unsuccessful { destination: address, status }),
                    }
                }
                Destination::List(name) => unsuccessful.push(Unsuccessful {
                    destination: smpp_proto::Address { digits: name, ..Default::default() },
                    status: CommandStatus::RINVDLNAME,
                }),
            }
        }
        let mut answer = BytesMut::new();
        let command = CommandId::SUBMIT_MULTI_RESP;
        match first {
            None => encode_empty(&mut answer, command, CommandStatus::RSUBMITFAIL, sequence),
            Some(id) => {
                let message_id = Some(COctets::from(id.as_bytes()));
                let resp = SubmitMultiResp { message_id, unsuccessful, tlvs: Tlvs::EMPTY };
                if resp.encode(&mut answer, CommandStatus::ROK, sequence).is_err() {
                    encode_empty(&mut answer, command, CommandStatus::RSYSERR, sequence);
                }
            }
        }
        self.reply(sequence, answer);
    }

    pub(super) fn query(&mut self, sequence: u32, query: &QuerySm) {
        self.shared.counters.managed.add(1);
        let found = self.find(&query.message_id, &query.source.digits, |state, done, done_ms| {
            let is_over = done <= Instant::now();
            QuerySmResp {
                message_id: Some(query.message_id.clone()),
                final_date: if is_over { absolute(done_ms) } else { COctets::EMPTY },
                message_state: if is_over { *state } else { MessageState::ENROUTE },
                error_code: 0,
                tlvs: Tlvs::EMPTY,
            }
        });
        let out = self.link.out();
        match found {
            None => encode_empty(out, CommandId::QUERY_SM_RESP, CommandStatus::RQUERYFAIL, sequence),
            Some(resp) => {
                if resp.encode(out, CommandStatus::ROK, sequence).is_err() {
                    self.close(End::Abrupt);
                }
            }
        }
    }

    /// Cancels one message by id, or all that are under way from one address to another.
    pub(super) fn cancel(&mut self, sequence: u32, cancel: &CancelSm) {
        self.shared.counters.managed.add(1);
        let now = Instant::now();
        let cancelled = if cancel.message_id.is_empty() {
            self.account.as_ref().is_some_and(|account| {
                let mut state = account.lock();
                let mut count = 0;
                let ours = |source: &COctets, destination: &COctets| {
                    *source == cancel.source.digits && *destination == cancel.destination.digits
                };
                for entry in state.book.pending(now).filter(|entry| ours(&entry.source, &entry.destination)) {
                    entry.state = MessageState::DELETED;
                    count += 1;
                }
                count > 0
            })
        } else {
            self.find(&cancel.message_id, &cancel.source.digits, |state, done, _| {
                let is_pending = done > now;
                if is_pending {
                    *state = MessageState::DELETED;
                }
                is_pending
            }) == Some(true)
        };
        if cancelled && let Some(account) = &self.account {
            account.any_cancelled.store(true, Ordering::Release);
        }
        let status = if cancelled { CommandStatus::ROK } else { CommandStatus::RCANCELFAIL };
        encode_empty(self.link.out(), CommandId::CANCEL_SM_RESP, status, sequence);
    }

    /// Says yes as long as the message is under way. The new text shows nowhere: nobody gets it.
    pub(super) fn replace(&mut self, sequence: u32, replace: &ReplaceSm) {
        self.shared.counters.managed.add(1);
        let now = Instant::now();
        let pending = self.find(&replace.message_id, &replace.source.digits, |_, done, _| done > now);
        let status = if pending == Some(true) { CommandStatus::ROK } else { CommandStatus::RREPLACEFAIL };
        encode_empty(self.link.out(), CommandId::REPLACE_SM_RESP, status, sequence);
    }

    /// Looks a message up by the id that was given for it; the source must be that of the message.
    fn find<T>(
        &self,
        id: &COctets,
        source: &COctets,
        read: impl FnOnce(&mut MessageState, Instant, i64) -> T,
    ) -> Option<T> {
        let number = self.shared.settings.id_format.number(id.as_bytes())?;
        let account = self.account.as_ref()?;
        let mut state = account.lock();
        let entry = state.book.find(number).filter(|entry| entry.source == *source)?;
        Some(read(&mut entry.state, entry.done, entry.done_ms))
    }
}

/// `YYMMDDhhmmss000+`, in UTC (SMPP 3.4 §7.1.1).
fn absolute(unix_ms: i64) -> COctets {
    let date = Date::of_unix_ms(unix_ms, 0);
    COctets::from(format!(
        "{:02}{:02}{:02}{:02}{:02}{:02}000+",
        date.year % 100,
        date.month,
        date.day,
        date.hour,
        date.minute,
        date.second
    ))
}
