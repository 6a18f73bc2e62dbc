//! Captures that were damaged in any way are read to an end without a panic, and what is read stays in bounds.

use proptest::prelude::*;

use super::super::table::{Style, write_event};
use super::*;

const TALK: &[u8] = include_bytes!("../../../../fixtures/pdu/talk.pcapng");
const HOLES: &[u8] = include_bytes!("../../../../fixtures/pdu/holes.pcap");

fn read(octets: &[u8]) -> (u64, Result<(), CaptureError>) {
    let mut shown = Vec::new();
    let mut capture = Capture::new(&[]);
    let style = Style { show_secrets: false, brief: false };
    let end = capture
        .read(octets, &mut |event| {
            if let Event::Pdu(sighting) = &event {
                let _ = serde_json::to_string(&sighting.meaning.to_json())?;
            }
            write_event(&event, style, &mut shown)
        })
        .unwrap();
    capture.write_summary(&mut shown).unwrap();
    (capture.pdus, end)
}

#[test]
fn a_whole_capture_ends_well_and_a_cut_one_says_so() {
    assert_eq!(read(TALK), (7, Ok(())));
    assert_eq!(read(&TALK[..TALK.len() - 3]), (7, Err(CaptureError::CutOff)));
    assert_eq!(read(b"").1, Err(CaptureError::NotACapture));
    assert_eq!(read(b"\xD4\xC3\xB2\xA1").1, Err(CaptureError::NotACapture));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_of_a_capture_makes_it_panic(
        legacy in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut octets = if legacy { HOLES.to_vec() } else { TALK.to_vec() };
        for (place, octet) in changes {
            let place = place.index(octets.len());
            octets[place] = octet;
        }
        if let Some(cut) = cut {
            octets.truncate(cut.index(octets.len()));
        }
        // A packet of 600 octets can hold 37 headers at most.
        prop_assert!(read(&octets).0 < 1_000);
    }

    #[test]
    fn no_order_of_segments_makes_a_flow_panic(
        segments in prop::collection::vec((any::<u32>(), prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..40),
        near in any::<bool>(),
    ) {
        let mut flow = Flow::new(true);
        let mut pieces = Vec::new();
        let mut octets = 0;
        for (sequence, payload, syn) in &segments {
            let sequence = if near { sequence % 200 } else { *sequence };
            if *syn { flow.begin(sequence, &mut pieces) } else { flow.take(sequence, payload, &mut pieces) }
            octets += payload.len();
        }
        flow.finish(&mut pieces);
        let given: usize = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Octets { octets, .. } => octets.len(),
                Piece::Skipped { octets, .. } => usize::try_from(*octets).unwrap(),
                Piece::Gap { .. } => 0,
            })
            .sum();
        prop_assert!(given <= octets, "{given} octets of {octets}");
    }
}
