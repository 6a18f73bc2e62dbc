//! What operator and store say about numbered submissions, in a form that can be compared with what clients know.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use smpp_proto::pdu::SubmitSm;
use tollgate::clock::{Clock, Timestamp};
use tollgate::message::MessageId;
use tollgate::store::{HistorySettings, Reader, Search, Trace};

use super::ledger::serial_in;

/// What the operator accepted: for each part of a submission the ids that it gave, one for each copy that came.
#[derive(Debug, Default)]
pub struct Taken(HashMap<(u32, u8), Vec<String>>);

impl Taken {
    /// Reads the record that the practice operator keeps.
    pub fn read(record: &Path) -> Self {
        let mut taken = Self::default();
        for line in std::fs::read_to_string(record).unwrap_or_default().lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let text = octets(line["text"].as_str().expect("a text"));
            let has_header = line["esm_class"].as_u64().expect("an esm_class") & 0x40 != 0;
            // The header of a part with a reference of 8 bits: 05 00 03 reference, parts, part.
            let part = if has_header { text[5] } else { 1 };
            let serial = serial_in(&text).expect("a numbered text");
            let id = line["id"].as_str().expect("an id").to_owned();
            taken.0.entry((serial, part)).or_default().push(id);
        }
        taken
    }

    /// Whether it has every part of a submission.
    pub fn has(&self, serial: u32, parts: u8) -> bool {
        (1..=parts).all(|part| self.0.contains_key(&(serial, part)))
    }

    /// The ids that it gave for a part.
    pub fn ids(&self, serial: u32, part: u8) -> &[String] {
        self.0.get(&(serial, part)).map_or(&[], Vec::as_slice)
    }

    /// Copies of a submission's parts beyond the first of each.
    pub fn duplicates(&self, serial: u32) -> usize {
        (1..=2).map(|part| self.ids(serial, part).len().saturating_sub(1)).sum()
    }

    /// The submissions that it knows.
    pub fn serials(&self) -> impl Iterator<Item = u32> {
        self.0.keys().map(|(serial, _)| *serial)
    }
}

fn octets(hex: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// A message as the store tells it.
#[derive(Debug)]
pub struct Story {
    pub id: u64,
    pub trace: Trace,
}

impl Story {
    /// How often this happened to it.
    pub fn times(&self, what: &str) -> usize {
        self.trace.timeline.iter().filter(|entry| entry.what == what).count()
    }

    /// Whether nothing more will happen to it.
    pub fn has_ended(&self) -> bool {
        !["queued", "ready", "sending", "deferred", "in_doubt", "sent"].contains(&self.trace.state)
    }
}

/// Every message in the store and its history by serial number. No submission may have become two messages.
pub fn stories(store: &Path, since: Timestamp) -> BTreeMap<u32, Story> {
    let reader = Reader::open(store, &HistorySettings::default()).expect("a store");
    let (mut stories, mut from) = (BTreeMap::new(), since);
    let now = Clock::system().now();
    while from <= now {
        let until = from + STEP;
        let search = Search { from: Some(from), until: Some(until), most: MOST, ..Search::default() };
        let found = reader.search(&search).expect("messages");
        assert!(found.len() < MOST, "more messages in {STEP:?} than one search gives");
        for trace in found {
            let body = SubmitSm::decode(trace.pdu.clone()).expect("a body of a submit_sm");
            let serial = serial_in(body.user_data()).expect("a numbered text");
            let id: MessageId = trace.message_id.parse().expect("an id");
            let story = Story { id: id.raw().unsigned_abs(), trace };
            let other = stories.insert(serial, story);
            assert!(other.is_none(), "submission {serial} became two messages: {other:?}");
        }
        from = until;
    }
    stories
}

/// What one search looks at.
const STEP: Duration = Duration::from_millis(200);
/// Messages that one search gives at most.
const MOST: usize = 10_000;
