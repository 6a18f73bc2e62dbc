//! Stub.
#[derive(Debug, Default)]
pub struct Keywords;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Out,
    In,
    Help,
}
impl Keywords {
    pub fn of(_: &[String], _: &[String]) -> Self {
        Self
    }
    pub fn wish(&self, _: &str) -> Option<Wish> {
        None
    }
}
pub fn keyword(_: &str) -> Option<String> {
    None
}
