//! Doing what is asked, on an open store: the same code in the daemon and, when none runs, in the command itself.

use smpp_proto::pdu::SubmitSm;

use super::request::{
    AccountLine, Answer, AuditResult, CreditEntry, CreditLine, MessageTrace, Refused, Request,
};
use super::{account, policy};
use crate::account::AccountId;
use crate::message::MessageId;
use crate::policy::Billing;
use crate::policy::admit::user_data;
use crate::store::{AccountView, AuditLine, Balance, Reader, Store, StoreError, Trace};

/// The most entries of an account that are shown.
const MAX_ENTRIES: u32 = 10_000;

/// Does what is asked.
///
/// # Errors
/// When it cannot be done; nothing changed then.
pub async fn perform(store: &Store, request: Request) -> Result<Answer, Refused> {
    match request {
        Request::AccountList => {
            let accounts = read(store, |reader| reader.accounts()).await?;
            Ok(Answer::Accounts(accounts.into_iter().map(|view| shown(store, view)).collect()))
        }
        Request::AccountShow { name } => Ok(Answer::Account(Box::new(line(store, name).await?))),
        Request::AccountCreate(new) => account::create(store, new).await,
        Request::AccountSuspend { name } => account::suspend(store, line(store, name).await?, true).await,
        Request::AccountResume { name } => account::suspend(store, line(store, name).await?, false).await,
        Request::CreditAdd { account, amount, note } => {
            let id = id_of(store, &account)?;
            let Balance { available, held } = store.credit(id, amount, note).await?;
            let worth = |amount| Some(store.policy().billing(id)?.shown(amount));
            let (worth, held_worth) = (worth(available), worth(held));
            Ok(Answer::Credit(CreditLine {
                account,
                available,
                held,
                worth,
                held_worth,
                entries: Vec::new(),
            }))
        }
        Request::CreditShow { account, entries } => credit(store, account, entries).await,
        Request::CreditTransfer { from, to, amount, note } => {
            let (giver, getter) = (id_of(store, &from)?, id_of(store, &to)?);
            if giver == getter {
                return Err(Refused::because("bad_request", "an account cannot give credit to itself"));
            }
            store.transfer(giver, getter, amount, note).await?;
            credit(store, from, 0).await
        }
        Request::Trace { message } => {
            let id: MessageId = message.parse().map_err(|_| {
                Refused::because(
                    "bad_request",
                    format!(
                        "{message:?} is no message id: they are decimal numbers, or 8 hexadecimal digits for \
                         clients of SMPP 3.3"
                    ),
                )
            })?;
            // Named as it was asked for: a short id may be written in more than one way.
            let asked = move |failure| match failure {
                StoreError::Unknown { what, .. } => StoreError::Unknown { what, name: message.clone() },
                other => other,
            };
            let trace = read(store, move |reader| reader.trace(id).map_err(asked)).await?;
            let billing = id_of(store, &trace.account).ok().and_then(|id| store.policy().billing(id));
            Ok(Answer::Trace(Box::new(told(trace, billing))))
        }
        Request::Audit => {
            let lines = read(store, |reader| reader.audit()).await?;
            let result = |line: AuditLine| AuditResult {
                invariant: line.invariant.to_owned(),
                holds: line.holds,
                detail: line.detail,
            };
            Ok(Answer::Audit(lines.into_iter().map(result).collect()))
        }
        Request::Backup { file } => {
            store.backup(&file).await?;
            Ok(Answer::Backup(file))
        }
        Request::Explain(question) => policy::explain(store, question).await,
        Request::AccountRules { name } => Ok(Answer::Rules(policy::of_account(store, &name)?)),
        Request::AccountUsage { name, days } => policy::of_branch(store, name, days).await,
        Request::NumbersShow { account, most } => policy::show(store, account, most).await,
        Request::NumbersChange(numbers) => policy::change(store, numbers).await,
        Request::Status | Request::Reload { .. } => {
            Err(Refused::because("no_daemon", "no daemon runs on this store"))
        }
    }
}

/// Reads on a thread that may block.
pub(super) async fn read<T: Send + 'static>(
    store: &Store,
    look: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Refused> {
    let store = store.clone();
    match tokio::task::spawn_blocking(move || look(&store.reader()?)).await {
        Ok(found) => Ok(found?),
        Err(broken) => Err(Refused::because("store", broken.to_string())),
    }
}

async fn line(store: &Store, name: String) -> Result<AccountLine, Refused> {
    let asked = store.clone();
    let found = read(store, move |reader| {
        let view = reader.account(&name)?;
        let uses = asked.entry_uses(reader, AccountId(view.id), &view.terms.access)?;
        Ok((view, uses))
    });
    let (view, uses) = found.await?;
    let access = uses.into_iter().map(Into::into).collect();
    Ok(AccountLine { access, ..shown(store, view) })
}

/// An account with its money in the currency of its price list.
fn shown(store: &Store, view: AccountView) -> AccountLine {
    let billing = store.policy().billing(AccountId(view.id));
    let line = AccountLine::from(view);
    AccountLine { worth: billing.map(|billing| billing.shown(line.available)), ..line }
}

async fn credit(store: &Store, account: String, entries: u32) -> Result<Answer, Refused> {
    let policy = store.policy();
    let line = read(store, move |reader| {
        let view = reader.account(&account)?;
        let billing = policy.billing(AccountId(view.id));
        let worth = |amount| billing.map(|billing| billing.shown(amount));
        let entries = reader.entries(AccountId(view.id), entries.min(MAX_ENTRIES))?;
        Ok(CreditLine {
            account: view.name,
            available: view.balance.available,
            held: view.balance.held,
            worth: worth(view.balance.available),
            held_worth: worth(view.balance.held),
            entries: entries
                .into_iter()
                .map(|entry| CreditEntry {
                    at: entry.at,
                    kind: entry.kind,
                    worth: worth(entry.amount),
                    amount: entry.amount,
                    note: entry.note,
                })
                .collect(),
        })
    });
    Ok(Answer::Credit(line.await?))
}

fn id_of(store: &Store, name: &str) -> Result<AccountId, Refused> {
    let policy = store.policy();
    let found = policy.accounts().find(|account| account.name == name).map(|account| account.id);
    found.ok_or_else(|| StoreError::Unknown { what: "account", name: name.to_owned() }.into())
}

fn told(trace: Trace, billing: Option<Billing>) -> MessageTrace {
    let worth = |amount| billing.map(|billing| billing.shown(amount));
    let pdu = SubmitSm::decode(trace.pdu).ok();
    MessageTrace {
        message_id: trace.message_id,
        short_id: trace.short_id,
        account: trace.account,
        system_id: trace.system_id,
        source: trace.source,
        destination: trace.destination,
        text: pdu.as_ref().and_then(|pdu| Some(user_data(pdu).ok()?.decode())),
        data_coding: pdu.as_ref().map(|pdu| pdu.data_coding.0),
        state: trace.state.to_owned(),
        reason: trace.reason.map(str::to_owned),
        error: trace.error,
        parts: trace.parts,
        price: trace.price,
        posted: trace.posted,
        price_worth: worth(trace.price),
        posted_worth: worth(trace.posted),
        in_doubt: trace.in_doubt,
        upstream: trace.upstream,
        upstream_id: trace.upstream_id,
        timeline: trace.timeline.into_iter().map(Into::into).collect(),
    }
}
