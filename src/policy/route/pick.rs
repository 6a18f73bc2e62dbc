//! In which order a message tries the operators of its route.
//!
//! Weights and shares are drawn by rendezvous: each operator draws a number from the message and its own, and the highest
//! goes first. So the choice needs no memory, the rest of the order is as fair as its head, and a message keeps its way
//! when another operator is added or taken out.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::Width;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Order;
use crate::account::{AccountId, Credits};
use crate::message::UpstreamId;
use crate::policy::admit::user_data;

/// An operator of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayTo {
    /// The operator.
    pub upstream: UpstreamId,
    /// Its weight, or its share in percent: 0 to 1,000,000. 0 goes behind all others.
    pub weight: u32,
    /// What a segment costs us there.
    pub cost: Option<Credits>,
}

/// How the order comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// As it is written.
    #[default]
    Order,
    /// By chance: twice the weight is first twice as often.
    Weight,
    /// By chance: first in so many of a hundred messages.
    Share,
    /// The least cost first; those without one last.
    Cheapest,
}

impl Pick {
    /// Whether it depends on the message.
    #[must_use]
    pub const fn spreads(self) -> bool {
        matches!(self, Self::Weight | Self::Share)
    }
}

/// The order for a message with this [`spread`].
pub(super) fn order(ways: &[WayTo], pick: Pick, spread: u64) -> Order {
    match pick {
        Pick::Order => ways.iter().map(|way| way.upstream).collect(),
        Pick::Cheapest => {
            let mut sorted: SmallVec<[&WayTo; 4]> = ways.iter().collect();
            sorted.sort_by_key(|way| (way.cost.is_none(), way.cost));
            sorted.into_iter().map(|way| way.upstream).collect()
        }
        Pick::Weight | Pick::Share => {
            let mut drawn: SmallVec<[(f64, UpstreamId); 4]> =
                ways.iter().map(|way| (draw(way, spread), way.upstream)).collect();
            // Stable: what draws alike, and what has no weight, stays as it is written.
            drawn.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            drawn.into_iter().map(|(_, upstream)| upstream).collect()
        }
    }
}

/// Exponential with the weight as its rate: the least of several comes from each as often as its weight says.
fn draw(way: &WayTo, spread: u64) -> f64 {
    if way.weight == 0 {
        return f64::INFINITY;
    }
    let drawn = xxh3_64_with_seed(&way.upstream.0.to_le_bytes(), spread);
    // 53 bits within (0, 1), both ends excluded.
    let even = ((drawn >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    -even.ln() / f64::from(way.weight)
}

/// A number that is the same for all that must go the same way: a message whenever it is looked at, and all parts that a
/// client made of one (the same addresses, reference and total). Others differ as their texts do.
#[must_use]
pub fn spread(account: AccountId, pdu: &SubmitSm) -> u64 {
    let source = xxh3_64_with_seed(pdu.source.digits.as_bytes(), u64::from(account.0));
    let addresses = xxh3_64_with_seed(pdu.destination.digits.as_bytes(), source);
    match user_data(pdu).ok().and_then(|data| data.part()) {
        Some(part) => {
            let [high, low] = part.reference.to_be_bytes();
            let width = match part.width {
                Width::Eight => 8,
                Width::Sixteen => 16,
            };
            xxh3_64_with_seed(&[width, high, low, part.total], addresses)
        }
        None => xxh3_64_with_seed(pdu.user_data(), addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;
    use smpp_proto::field::{Address, EsmClass};

    fn ways(weights: &[u32]) -> Vec<WayTo> {
        let way = |(weight, id): (&u32, u32)| WayTo { upstream: UpstreamId(id), weight: *weight, cost: None };
        weights.iter().zip(1..).map(way).collect()
    }

    /// How often each is first among so many different messages.
    fn firsts(ways: &[WayTo], messages: u32) -> Vec<u32> {
        let mut firsts = vec![0; ways.len()];
        for number in 0..messages {
            let spread = spread(AccountId(1), &to(&format!("346{number:08}"), "hello"));
            firsts[order(ways, Pick::Share, spread)[0].0 as usize - 1] += 1;
        }
        firsts
    }

    fn to(number: &str, text: &str) -> SubmitSm {
        SubmitSm {
            source: Address::alphanumeric("ACME"),
            destination: Address::international(number),
            short_message: Bytes::copy_from_slice(text.as_bytes()),
            ..SubmitSm::default()
        }
    }

    #[test]
    fn the_order_is_as_written_or_by_cost() {
        let cost = |text: &str| Some(text.parse().unwrap());
        let mut three = ways(&[1, 1, 1]);
        let by = |ways: &[WayTo], pick| order(ways, pick, 7).iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(by(&three, Pick::Order), [1, 2, 3]);
        assert_eq!(by(&three, Pick::Cheapest), [1, 2, 3]);
        (three[1].cost, three[2].cost) = (cost("0.5"), cost("0.25"));
        assert_eq!(by(&three, Pick::Cheapest), [3, 2, 1]);
    }

    #[test]
    fn what_has_no_weight_comes_last_as_written() {
        let last = ways(&[0, 5, 0, 5]);
        for spread in 0..100 {
            let order = order(&last, Pick::Weight, spread);
            assert_eq!(order[2..], [UpstreamId(1), UpstreamId(3)]);
        }
    }

    proptest! {
        /// Within five standard deviations of what the weights say.
        #[test]
        fn shares_hold_over_many_messages(weights in prop::collection::vec(0_u32..100, 2..5)) {
            let all: u32 = weights.iter().sum();
            prop_assume!(all > 0);
            let messages = 4_000;
            for (first, weight) in firsts(&ways(&weights), messages).into_iter().zip(&weights) {
                let share = f64::from(*weight) / f64::from(all);
                let expected = share * f64::from(messages);
                let slack = 5.0 * (expected * (1.0 - share)).sqrt();
                prop_assert!((f64::from(first) - expected).abs() <= slack, "{weights:?}: {first} of {expected}");
            }
        }

        #[test]
        fn every_operator_is_tried_once_and_parts_are_never_split(
            weights in prop::collection::vec(0_u32..100, 1..6),
            reference: u8,
            total in 2_u8..10,
            number in "346[0-9]{8}",
            texts in prop::collection::vec("[a-z]{0,20}", 2..6),
        ) {
            let ways = ways(&weights);
            let part = |(text, part): (&String, u8)| SubmitSm {
                esm_class: EsmClass(0x40),
                short_message: [&[5, 0, 3, reference, total, part], text.as_bytes()].concat().into(),
                ..to(&number, "")
            };
            let orders: Vec<_> = texts
                .iter()
                .zip(1..=total)
                .map(|one| order(&ways, Pick::Weight, spread(AccountId(7), &part(one))))
                .collect();
            prop_assert!(orders.windows(2).all(|pair| pair[0] == pair[1]));
            let mut seen: Vec<_> = orders[0].iter().map(|id| id.0).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (1..=weights.len() as u32).collect::<Vec<_>>());
        }

        /// Who is not concerned keeps its operator when another one goes.
        #[test]
        fn a_message_keeps_its_operator_when_another_is_taken_out(spread: u64) {
            let three = ways(&[1, 2, 3]);
            let before = order(&three, Pick::Weight, spread);
            let after = order(&three[..2], Pick::Weight, spread);
            let rest: Vec<_> = before.iter().copied().filter(|id| id.0 != 3).collect();
            prop_assert_eq!(rest, after.to_vec());
        }
    }
}
