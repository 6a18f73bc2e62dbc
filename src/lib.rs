//! Tollgate: a carrier SMS gateway.
