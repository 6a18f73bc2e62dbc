//! The country of a number, as prices and routes name it.

use crate::policy::number::Plan;

/// The country of a number in international form, ISO 3166-1 alpha-2; nothing where the numbering plan has none.
#[must_use]
pub fn country_of(number: &[u8]) -> Option<[u8; 2]> {
    let country = Plan::known().look(number).country?;
    country.code().as_bytes().try_into().ok()
}
