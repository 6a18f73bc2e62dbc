//! Whether the books are right: one line an invariant.

use std::time::Duration;

use rusqlite::Connection;

use super::Reader;
use crate::account::Credits;
use crate::message::MessageId;
use crate::store::{StoreError, history};

/// One invariant and whether it holds.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AuditLine {
    /// What must hold.
    pub invariant: &'static str,
    /// Whether it does.
    pub holds: bool,
    /// What was counted, or what is wrong.
    pub detail: String,
}

/// Rows that break an invariant, as text, for at most the first few.
struct Check {
    invariant: &'static str,
    sql: &'static str,
}

const CHECKS: [Check; 8] = [
    Check {
        invariant: "what an account can spend and what is held is what came in less what was spent",
        sql: "SELECT a.name || ': ' || (a.available + a.held) || ' instead of ' || (
                coalesce((SELECT sum(amount) FROM entry e WHERE e.account = a.id), 0)
                - coalesce((SELECT sum(posted) FROM day_total d WHERE d.account = a.id), 0)) || ' micro-credits'
              FROM account a WHERE a.available + a.held <>
                coalesce((SELECT sum(amount) FROM entry e WHERE e.account = a.id), 0)
                - coalesce((SELECT sum(posted) FROM day_total d WHERE d.account = a.id), 0)",
    },
    Check {
        invariant: "what is held is the price of the messages under way",
        sql: "SELECT a.name || ': ' || a.held || ' held, ' || coalesce(m.price, 0) || ' under way'
              FROM account a LEFT JOIN (SELECT account, sum(price * parts) AS price FROM message
                WHERE state < 10 GROUP BY account) m ON m.account = a.id
              WHERE a.held <> coalesce(m.price, 0)",
    },
    Check {
        invariant: "every hold was posted, voided or is still held",
        sql: "SELECT a.name FROM account a JOIN (SELECT account, sum(held) AS held, sum(posted) AS posted,
                sum(voided) AS voided FROM day_total GROUP BY account) d ON d.account = a.id
              WHERE d.held - d.posted - d.voided <> a.held",
    },
    Check {
        invariant: "no account has sunk below its floor",
        sql: "SELECT name || ': ' || available || ' micro-credits' FROM (SELECT a.name, a.available,
                CAST(round(json_extract(a.terms, '$.floor') * 1000000) AS INTEGER) AS floor,
                (SELECT CAST(e.note AS INTEGER) FROM entry e WHERE e.account = a.id AND e.kind = 'floor_raised'
                  ORDER BY e.id DESC LIMIT 1) AS at_raise FROM account a)
              WHERE available < floor AND available < coalesce(at_raise, floor)",
    },
    Check {
        invariant: "every message has a known state, an account and a credential",
        sql: "SELECT 'message ' || m.id FROM message m WHERE m.state NOT IN (0,1,2,3,4,5,10,11,12,13,14,15,16,17)
                OR m.account NOT IN (SELECT id FROM account) OR m.credential NOT IN (SELECT id FROM credential)",
    },
    Check {
        invariant: "every message that waits stands in the lane of a known operator, has a time at which it wakes, or a \
                    suspended account",
        sql: "SELECT 'message ' || id FROM message WHERE (state IN (0, 1, 2) AND lane NOT IN (SELECT id FROM upstream))
                OR (state = 4 AND due IS NULL)
                OR (state = 3 AND due IS NULL AND account NOT IN (WITH RECURSIVE stopped(id) AS (
                  SELECT id FROM account WHERE suspended = 1
                  UNION SELECT account.id FROM account JOIN stopped ON account.parent = stopped.id)
                  SELECT id FROM stopped))",
    },
    Check {
        invariant: "receipts are owed only for messages that have ended, and ends have a reason",
        sql: "SELECT 'message ' || id FROM message WHERE (owed <> 0 AND state < 10)
                OR (state >= 10 AND (done_at IS NULL OR reason IS NULL))
                OR (owed = 3 AND owed_due IS NULL)",
    },
    Check {
        invariant: "parts of messages from phones wait only while others are missing, for a known account",
        sql: "SELECT 'part ' || part || ' of ' || total || ' for account ' || account FROM mo_part
                WHERE part > total OR account NOT IN (SELECT id FROM account)
              UNION ALL SELECT 'all ' || total || ' parts for account ' || account FROM mo_part WHERE part > 0
                GROUP BY upstream, account, src, dst, width, reference, total HAVING count(*) >= total",
    },
];

/// Offenders that a line names.
const NAMED: usize = 5;

impl Reader {
    /// Checks the books: money, states, receipts owed. All lines see the same moment of the hot file.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn audit(&self) -> Result<Vec<AuditLine>, StoreError> {
        let mut lines = self.at_one_moment(Self::audit_lines)?;
        lines.push(self.audit_history()?);
        Ok(lines)
    }

    fn audit_lines(&self) -> Result<Vec<AuditLine>, StoreError> {
        let mut lines = Vec::new();
        for check in &CHECKS {
            let mut find = self.db.prepare(check.sql)?;
            let wrong = find.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            let named = wrong.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
            let more = wrong.len().saturating_sub(NAMED);
            let detail = match (wrong.is_empty(), more) {
                (true, _) => "holds".to_owned(),
                (false, 0) => named,
                (false, more) => format!("{named}; and {more} more"),
            };
            lines.push(AuditLine { invariant: check.invariant, holds: wrong.is_empty(), detail });
        }
        Ok(lines)
    }

    /// What ended messages posted is what the day totals say, less what retention dropped.
    ///
    /// Two files cannot be seen at one moment, so a difference is looked at again: under traffic it goes away. The
    /// history is read first: what moves meanwhile is then missed, never counted twice.
    fn audit_history(&self) -> Result<AuditLine, StoreError> {
        let mut sums = self.posted_sums()?;
        for _ in 0..LOOKS {
            if sums.0 == sums.1 {
                break;
            }
            std::thread::sleep(BETWEEN_LOOKS);
            sums = self.posted_sums()?;
        }
        let (totals, found) = sums;
        Ok(AuditLine {
            invariant: "what the ended messages posted is in the totals of the days",
            holds: found <= totals,
            detail: format!(
                "{} posted, {} of it in messages that are kept",
                Credits::from_micro(totals),
                Credits::from_micro(found)
            ),
        })
    }

    /// What the day totals say was posted, and what the messages that are kept posted.
    fn posted_sums(&self) -> Result<(i64, i64), StoreError> {
        let mut moved = 0;
        let mut days = Vec::new();
        for (day, path) in history::files(&self.hot)? {
            let Some(db) = history::open_to_read(&path)? else { continue };
            moved +=
                db.query_row("SELECT coalesce(sum(posted), 0) FROM message", [], |row| row.get::<_, i64>(0))?;
            days.push((day, db));
        }
        let (totals, ended) = self.at_one_moment(|reader| reader.hot_sums(&days))?;
        Ok((totals, moved + ended))
    }

    /// The totals, and what ended messages posted that stand in no day's file yet.
    fn hot_sums(&self, days: &[(i64, Connection)]) -> Result<(i64, i64), StoreError> {
        let totals =
            self.db.query_row("SELECT coalesce(sum(posted), 0) FROM day_total", [], |row| row.get(0))?;
        let mut find = self.db.prepare("SELECT id, posted FROM message WHERE state >= 10 AND posted <> 0")?;
        let mut rows = find.query([])?;
        let mut ended = 0;
        while let Some(row) = rows.next()? {
            let (id, posted): (i64, i64) = (row.get(0)?, row.get(1)?);
            let day = MessageId::from_raw(id).accepted_at().utc_day();
            let copied = match days.iter().find(|(known, _)| *known == day) {
                Some((_, db)) => db.prepare_cached("SELECT 1 FROM message WHERE id = ?1")?.exists([id])?,
                None => false,
            };
            ended += if copied { 0 } else { posted };
        }
        Ok((totals, ended))
    }
}

/// How often a difference is looked at again, and after how long.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(30);
