//! Whether the books are right: one line an invariant.

use rusqlite::{Connection, OpenFlags};

use super::Reader;
use crate::account::Credits;
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

const CHECKS: [Check; 7] = [
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
        invariant: "no account is below its floor",
        sql: "SELECT name || ': ' || available || ' micro-credits' FROM account
              WHERE available < CAST(json_extract(terms, '$.floor') * 1000000 AS INTEGER)
                AND NOT EXISTS (SELECT 1 FROM entry WHERE account = account.id AND kind = 'floor_raised')",
    },
    Check {
        invariant: "every message has a known state, an account and a credential",
        sql: "SELECT 'message ' || m.id FROM message m WHERE m.state NOT IN (0,1,2,3,4,5,10,11,12,13,14,15,16)
                OR m.account NOT IN (SELECT id FROM account) OR m.credential NOT IN (SELECT id FROM credential)",
    },
    Check {
        invariant: "every message that waits stands in the lane of a known operator, or has a time at which it wakes",
        sql: "SELECT 'message ' || id FROM message WHERE (state IN (0, 1, 2) AND lane NOT IN (SELECT id FROM upstream))
                OR (state IN (3, 4) AND due IS NULL)",
    },
    Check {
        invariant: "receipts are owed only for messages that have ended, and ends have a reason",
        sql: "SELECT 'message ' || id FROM message WHERE (owed <> 0 AND state < 10)
                OR (state >= 10 AND (done_at IS NULL OR reason IS NULL))
                OR (owed = 3 AND owed_due IS NULL)",
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
        self.db.execute_batch("BEGIN")?;
        let lines = self.audit_lines();
        self.db.execute_batch("COMMIT")?;
        lines
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
        lines.push(self.audit_history()?);
        Ok(lines)
    }

    /// What ended messages posted is what the day totals say, less what retention dropped.
    fn audit_history(&self) -> Result<AuditLine, StoreError> {
        let sum = |db: &Connection, sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
        let totals = sum(&self.db, "SELECT coalesce(sum(posted), 0) FROM day_total")?;
        let hot = sum(&self.db, "SELECT coalesce(sum(posted), 0) FROM message WHERE state >= 10")?;
        let mut moved = 0;
        let mut doubled = 0;
        for path in history::files(&self.hot)?.into_values() {
            let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            db.execute("ATTACH DATABASE ?1 AS hot", [self.hot.to_string_lossy()])?;
            moved += sum(&db, "SELECT coalesce(sum(posted), 0) FROM main.message")?;
            // A row that was copied and not yet removed counts once.
            doubled += sum(
                &db,
                "SELECT coalesce(sum(h.posted), 0) FROM hot.message h WHERE h.state >= 10
                   AND h.id IN (SELECT id FROM main.message)",
            )?;
        }
        let found = hot + moved - doubled;
        // Files that retention dropped took their messages along; more than the totals must never be found.
        let holds = found <= totals;
        let credits = |micro| Credits::from_micro(micro);
        Ok(AuditLine {
            invariant: "what the ended messages posted is in the totals of the days",
            holds,
            detail: format!("{} posted, {} of it in messages that are kept", credits(totals), credits(found)),
        })
    }
}
