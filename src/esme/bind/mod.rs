//! Who may bind: how often, address and TLS first, then the password, then the account, last a place among its binds.
//!
//! It knows policy and the roster. It does not know the socket: a session brings the request and writes the answer.

mod patience;
mod proof;
mod rate;
mod told;

pub(super) use patience::Patience;
pub(super) use proof::Proofs;
pub(super) use rate::Rates;
pub(super) use told::Told;

use std::net::SocketAddr;
use std::sync::Arc;

use smpp_proto::field::{COctets, CommandStatus, InterfaceVersion};
use smpp_proto::pdu::{self, BindKind, Quirk, Quirks};

use super::Shared;
use super::roster::{Facts, Place};
use crate::account::credential::{BindType, Bounds};
use crate::account::{Account, Credential, Manners, Secret, Surface};
use crate::policy::{Refusal, Snapshot};

/// A bind request, and how it came.
pub(super) struct Asked {
    pub(super) kind: BindKind,
    pub(super) request: pdu::Bind,
    /// What its request was forgiven so far.
    pub(super) met: Quirks,
    pub(super) peer: SocketAddr,
    pub(super) tls: bool,
}

/// The proof that a session may speak for an account. Only [`check`] makes one; dropping it gives the place back.
pub(super) struct Bound {
    pub(super) place: Place,
    /// Unanswered requests in each direction.
    pub(super) window: usize,
}

impl Bound {
    pub(super) fn facts(&self) -> &Facts {
        &self.place.seat.facts
    }
}

/// Lets a client bind, or says why not (contract §4). May take as long as a password check, the delay that failures
/// earned, and a probe of other binds; all of them are bounded.
pub(super) async fn check(shared: Arc<Shared>, asked: Asked) -> Result<Bound, Refusal> {
    let refusal = match admit(&shared, &asked).await {
        Ok(bound) => return Ok(bound),
        Err(refusal) => refusal,
    };
    shared.metrics.bind_refused(refusal);
    shared.told.tell(&shared.store.policy(), &asked, refusal, shared.clock.monotonic());
    Err(refusal)
}

async fn admit(shared: &Shared, asked: &Asked) -> Result<Bound, Refusal> {
    let policy = shared.store.policy();
    let name = asked.request.system_id.as_str().unwrap_or_default();
    if !shared.rates.allows(asked.peer.ip().to_canonical(), name, shared.clock.monotonic()) {
        return Err(Refusal::RateLimited);
    }
    let credential = policy.credential(name);
    if let Some(credential) = credential {
        // Before the password is looked at: a stolen one is of no use elsewhere (conformance C-039).
        check_way(&policy, credential, asked)?;
    }
    prove(shared, asked, name, credential.map(Arc::as_ref)).await?;
    let credential = credential.ok_or(Refusal::AuthInvalid)?;
    check_manners(&credential.bounds, shared.settings.lenience, asked)?;
    let account = check_grant(&policy, credential, asked)?;
    let place =
        take_place(shared, facts(credential, &account, shared.settings.version, asked), credential).await?;
    // The checks took their time, and the roster only sends away whom it knew when the policy changed.
    check_still(&shared.store.policy(), credential, asked)?;
    shared.store.saw_address(account.id, Surface::Smpp, asked.peer.ip());
    let window = usize::try_from(credential.bounds.window).unwrap_or(usize::MAX).clamp(1, MAX_WINDOW);
    Ok(Bound { place, window })
}

/// The largest window: what a session may hold of unanswered requests in each direction.
const MAX_WINDOW: usize = 10_000;

fn check_way(policy: &Snapshot, credential: &Credential, asked: &Asked) -> Result<(), Refusal> {
    let (bounds, address) = (&credential.bounds, asked.peer.ip());
    // A credential may only tighten the list of its account.
    if !bounds.allows_ip(address) || !policy.admits_address(credential.account, Surface::Smpp, address) {
        return Err(Refusal::IpNotAllowed);
    }
    if bounds.tls_required && !asked.tls {
        return Err(Refusal::TlsRequired);
    }
    Ok(())
}

/// What the credential decides whether to forgive: only then is it known whose it is (conformance C-028, C-030).
pub(super) const BY_CREDENTIAL: [Quirk; 2] = [Quirk::LongPassword, Quirk::MissingAddressRange];

/// The statuses are those of a reader that never forgave.
fn check_manners(bounds: &Bounds, by_default: Manners, asked: &Asked) -> Result<(), Refusal> {
    let lenience = bounds.lenience.unwrap_or(by_default).lenience();
    match BY_CREDENTIAL.into_iter().find(|quirk| asked.met.has(*quirk) && !lenience.forgives(*quirk)) {
        None => Ok(()),
        Some(Quirk::LongPassword) => Err(Refusal::Malformed(CommandStatus::RINVPASWD)),
        Some(_) => Err(Refusal::Malformed(CommandStatus::RINVCMDLEN)),
    }
}

/// How the refusal of a bind is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) status: CommandStatus,
    /// Whether it has a body (conformance C-025).
    pub(super) with_body: bool,
}

impl Answer {
    /// To somebody of whom nothing is known.
    pub(super) const fn to_anybody(refusal: Refusal) -> Self {
        Self { status: refusal.status(), with_body: false }
    }

    /// As the account of this system_id wants it. What may be answered to somebody who only guesses is the same for
    /// everybody, so that it does not tell whether there is such an account.
    pub(super) fn to(policy: &Snapshot, system_id: &COctets, refusal: Refusal) -> Self {
        let usual = Self::to_anybody(refusal);
        let credential = system_id.as_str().and_then(|name| policy.credential(name));
        let account = credential.and_then(|credential| policy.account(credential.account));
        match account.map(|account| &account.terms) {
            Some(terms) if !matches!(refusal, Refusal::AuthInvalid | Refusal::RateLimited) => {
                let status = refusal.chosen_by(terms).unwrap_or(usual.status);
                Self { status, with_body: terms.error_bodies }
            }
            _ => usual,
        }
    }
}

/// Proves that the password is right. An unknown name takes the same way and as long.
async fn prove(
    shared: &Shared,
    asked: &Asked,
    name: &str,
    credential: Option<&Credential>,
) -> Result<(), Refusal> {
    let given = asked.request.password.expose();
    let password = Secret::new(credential.map_or(given, |known| known.bounds.counted(given)));
    // Who proved this before is not made to wait for others' guessing.
    if credential.is_some_and(|known| shared.proofs.knows(name, &password, &known.password)) {
        return Ok(());
    }
    let address = asked.peer.ip().to_canonical();
    let now = shared.clock.monotonic();
    let delay = shared.patience.delay(address, name, now);
    if !delay.is_zero() {
        let until = now.saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        shared.clock.sleep_until_monotonic(until).await;
    }
    if shared.proofs.verify(name, password, credential.map(|known| known.password.clone())).await {
        shared.patience.forgive(name);
        return Ok(());
    }
    shared.patience.failed(address, name, shared.clock.monotonic());
    Err(Refusal::AuthInvalid)
}

fn check_grant(policy: &Snapshot, credential: &Credential, asked: &Asked) -> Result<Arc<Account>, Refusal> {
    let account = policy.account(credential.account).ok_or(Refusal::AccountSuspended)?;
    if policy.is_suspended(account.id) {
        return Err(Refusal::AccountSuspended);
    }
    if !credential.bounds.bind_types.contains(bind_type(asked.kind)) {
        return Err(Refusal::BindTypeNotAllowed);
    }
    Ok(Arc::clone(account))
}

/// Nothing of what was checked has changed meanwhile.
fn check_still(policy: &Snapshot, known: &Credential, asked: &Asked) -> Result<(), Refusal> {
    let now = policy.credential(&known.system_id).ok_or(Refusal::AuthInvalid)?;
    if now.id != known.id || now.password != known.password {
        return Err(Refusal::AuthInvalid);
    }
    check_way(policy, now, asked)?;
    check_grant(policy, now, asked).map(drop)
}

/// A place among the binds of the credential; when all are taken, those that are dead are found and evicted.
async fn take_place(shared: &Shared, facts: Facts, credential: &Credential) -> Result<Place, Refusal> {
    let most = credential.bounds.max_binds;
    let full = match shared.roster.claim(&facts, most) {
        Ok(place) => return Ok(place),
        Err(full) => full,
    };
    full.probe(&shared.clock, shared.settings.probe).await;
    shared.roster.claim(&facts, most).map_err(|_| Refusal::TooManyBinds)
}

fn facts(credential: &Credential, account: &Account, ours: InterfaceVersion, asked: &Asked) -> Facts {
    Facts {
        account: account.id,
        account_name: account.name.clone(),
        credential: credential.id,
        system_id: credential.system_id.clone(),
        kind: bind_type(asked.kind),
        version: ours.agreed(asked.request.interface_version),
        peer: asked.peer,
        tls: asked.tls,
    }
}

/// The kind of a bind in the words of the account.
fn bind_type(kind: BindKind) -> BindType {
    match kind {
        BindKind::Transmitter => BindType::Transmitter,
        BindKind::Receiver => BindType::Receiver,
        BindKind::Transceiver => BindType::Transceiver,
    }
}

/// Whether the connection ends after this refusal (contract §4). A wrong password may be tried again on the same
/// connection, a few times.
pub(super) const fn closes(refusal: Refusal) -> bool {
    !matches!(refusal, Refusal::AuthInvalid | Refusal::Malformed(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_between_are_the_lower_one() {
        let read = |theirs| InterfaceVersion::V5_0.agreed(InterfaceVersion(theirs)).0;
        assert_eq!(
            [0x00, 0x33, 0x34, 0x35, 0x4F, 0x50, 0x51].map(read),
            [0, 0x33, 0x34, 0x34, 0x34, 0x50, 0x50]
        );
        assert_eq!(InterfaceVersion::V3_4.agreed(InterfaceVersion(0x50)), InterfaceVersion::V3_4);
    }
}
