//! Section A, framing: what is cut from the stream, and what becomes of a stream that cannot be cut.

use smpp_proto::{CommandId, CommandStatus};

use crate::support::Gate;

#[tokio::test(flavor = "multi_thread")]
async fn c_005_an_unknown_response_is_neither_answered_nor_a_reason_to_close() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    esme.send_empty(CommandId(0x8000_0ABC), CommandStatus::ROK, 77).await;
    esme.expect_quiet().await;
    esme.submit("34600111222", "still here").await;
    gate.ends_with("999999", "1");
}
