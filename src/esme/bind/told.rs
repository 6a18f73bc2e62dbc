//! Refusals of binds in the log: one line for a credential and a reason, whose limit it was, and then none for an hour.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tracing::{debug, info};

use super::Asked;
use crate::account::{Credential, CredentialId, Surface};
use crate::policy::{Refusal, Snapshot};

/// When the log was told what. Times are monotonic milliseconds.
#[derive(Debug, Default)]
pub(in crate::esme) struct Told(Mutex<HashMap<(CredentialId, Refusal), u64>>);

/// Milliseconds until the same is told again.
const AGAIN: u64 = 3_600_000;
/// What is remembered at most; then it begins anew.
const MOST: usize = 10_000;

impl Told {
    /// Tells of a refusal. Names that nobody has are not told to the level that is read by default: guesses would fill
    /// the log.
    pub(super) fn tell(&self, policy: &Snapshot, asked: &Asked, refusal: Refusal, now: u64) {
        let system_id = asked.request.system_id.to_text();
        let known = policy.credential(&system_id);
        match known.filter(|credential| self.is_news(credential.id, refusal, now)) {
            Some(credential) => {
                let account = policy.account(credential.account).map_or("", |account| &account.name);
                let rule = rule(policy, credential, asked, refusal).map(tracing::field::display);
                info!(account, %system_id, peer = %asked.peer, kind = ?asked.kind, reason = refusal.word(), rule,
                    "a bind was refused; further ones are counted, not logged");
            }
            None => {
                debug!(peer = %asked.peer, %system_id, kind = ?asked.kind, reason = refusal.word(), "a bind was refused");
            }
        }
    }

    fn is_news(&self, credential: CredentialId, refusal: Refusal, now: u64) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST {
            told.clear();
        }
        let is_news = told.get(&(credential, refusal)).is_none_or(|at| now.saturating_sub(*at) >= AGAIN);
        if is_news {
            told.insert((credential, refusal), now);
        }
        is_news
    }
}

/// Whose limit it was.
fn rule(policy: &Snapshot, credential: &Credential, asked: &Asked, refusal: Refusal) -> Option<String> {
    let (name, bounds) = (&credential.system_id, &credential.bounds);
    Some(match refusal {
        Refusal::IpNotAllowed if !bounds.allows_ip(asked.peer.ip()) => {
            format!("allowed_ips of credential {name}")
        }
        Refusal::IpNotAllowed => {
            let mut above = policy.lineage(credential.account).filter_map(|id| policy.account(id));
            let refuses =
                above.find(|account| !account.terms.access.list(Surface::Smpp).admits(asked.peer.ip()))?;
            format!("access.smpp of account {}", refuses.name)
        }
        Refusal::TlsRequired => format!("tls_required of credential {name}"),
        Refusal::BindTypeNotAllowed => format!("bind_types of credential {name}"),
        Refusal::TooManyBinds => format!("{}, max_binds of credential {name}", bounds.max_binds),
        refusal => return policy.told(refusal.into(), credential.account),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_credential_and_reason_is_told_once_an_hour() {
        let told = Told::default();
        let (one, other) = (CredentialId(1), CredentialId(2));
        assert!(told.is_news(one, Refusal::IpNotAllowed, 5));
        assert!(!told.is_news(one, Refusal::IpNotAllowed, 5 + AGAIN - 1));
        assert!(told.is_news(one, Refusal::TlsRequired, 6) && told.is_news(other, Refusal::IpNotAllowed, 6));
        assert!(told.is_news(one, Refusal::IpNotAllowed, 5 + AGAIN));
        for id in 0..30_000 {
            told.is_news(CredentialId(id), Refusal::AuthInvalid, 7);
        }
        assert!(told.0.lock().unwrap().len() <= MOST);
    }
}
