//! A gate between a client and scripted operators, with routes of the test's own.

use smpp_proto::pdu::SubmitSm;
use tollgate::store::{PolicyChange, RouteDraft};

use super::{Esme, Gate, Plan, Smsc, SmscLink, upstream, within};

/// The gate "acme" is a client of (10 credits, 1 a segment), and its operators.
pub struct Ways<const N: usize> {
    pub gate: Gate,
    pub esme: Esme,
    pub operators: [Smsc; N],
    pub links: [SmscLink; N],
}

/// Names of the operators, in their order.
const NAMES: [&str; 3] = ["north", "south", "west"];

impl<const N: usize> Ways<N> {
    /// Opens it with all operators bound.
    pub async fn open(change: impl FnOnce(&mut Plan)) -> Self {
        let mut operators = Vec::new();
        for _ in 0..N {
            operators.push(Smsc::listen().await);
        }
        let upstreams =
            operators.iter().zip(NAMES).map(|(operator, name)| upstream(name, operator)).collect();
        let gate = Gate::open(|plan| {
            plan.upstreams = upstreams;
            plan.credit = "10";
            change(plan);
        })
        .await;
        Self::bound(gate, operators.try_into().expect("as many")).await
    }

    async fn bound(gate: Gate, operators: [Smsc; N]) -> Self {
        let mut links = Vec::new();
        for operator in &operators {
            links.push(operator.bound().await);
        }
        let esme = gate.bound().await;
        let ways = Self { gate, esme, operators, links: links.try_into().expect("as many") };
        for name in &NAMES[..N] {
            ways.is_up(name, true).await;
        }
        ways
    }

    /// The daemon stops and starts again; operators and client bind anew.
    pub async fn restart(self) -> Self {
        let Self { gate, esme, operators, links } = self;
        drop((esme, links));
        let gate = gate.restart().await;
        Self::bound(gate, operators).await
    }

    /// Waits until an operator can be sent to, or cannot.
    pub async fn is_up(&self, name: &str, up: bool) {
        let id = self.gate.store.upstreams().id(name).expect("an operator");
        within("an operator's standing", async {
            while self.gate.store.up().is_up(id) != up {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// The next message of an operator, taken under this id.
    pub async fn take(&mut self, operator: usize, id: &str) -> SubmitSm {
        let (sequence, submit) = self.links[operator].expect_submit().await;
        self.links[operator].accept_submit(sequence, id).await;
        submit
    }

    /// The operator's receipt of a message, answered.
    pub async fn report(&mut self, operator: usize, submit: &SubmitSm, id: &str, stat: &str, state: u8) {
        let link = &mut self.links[operator];
        let sequence = link.send_receipt(submit, id, stat, state).await;
        link.expect_delivered(sequence).await;
    }
}

/// A route to these operators, for every number.
pub fn route(name: &str, upstreams: &[&str]) -> RouteDraft {
    RouteDraft {
        name: name.to_owned(),
        prefixes: vec![String::new()],
        upstreams: upstreams.iter().map(|name| (*name).into()).collect(),
        ..RouteDraft::default()
    }
}

/// Puts routes in the place of the one.
pub fn routed(change: &mut PolicyChange, routes: Vec<RouteDraft>) {
    change.traffic.as_mut().expect("traffic").routes = routes;
}
