//! What flies has no row: for a question it is shown beside the rows, in this connection alone.

use super::Reader;
use crate::store::StoreError;
use crate::store::journal::Flights;
use crate::store::journal::{Row, WRITE};

/// `message` then means rows and flights together.
const SHOW: &str = "
CREATE TEMP TABLE flight AS SELECT * FROM main.message WHERE 0;
CREATE UNIQUE INDEX temp.flight_id ON flight(id);
CREATE TEMP VIEW message AS SELECT * FROM main.message UNION ALL SELECT * FROM temp.flight;
";

impl Reader {
    /// Asks while the hot file stands still, with what flies shown as rows.
    pub(super) fn at_one_moment<T>(
        &self,
        ask: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.db.execute_batch("BEGIN")?;
        let answer = self.show_flights().and_then(|()| ask(self));
        // What was made to show them goes with it.
        self.db.execute_batch("ROLLBACK")?;
        answer
    }

    fn show_flights(&self) -> Result<(), StoreError> {
        // A file that no daemon of today has opened yet has none.
        if !self.db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'journal'")?.exists([])? {
            return Ok(());
        }
        let flights = Flights::read(&self.db)?.into_rows();
        if flights.is_empty() {
            return Ok(());
        }
        self.db.pragma_update(None, "query_only", "OFF")?;
        let shown = self.show(&flights);
        self.db.pragma_update(None, "query_only", "ON")?;
        shown
    }

    fn show(&self, flights: &[Row]) -> Result<(), StoreError> {
        self.db.execute_batch(SHOW)?;
        let mut add = self.db.prepare(&WRITE.replacen("message", "temp.flight", 1))?;
        flights.iter().try_for_each(|row| row.write_with(&mut add))
    }
}
