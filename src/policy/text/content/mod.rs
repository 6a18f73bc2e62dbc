//! Stub.
use serde::{Deserialize, Serialize};
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRule {
    pub name: String,
    pub matches: ContentMatch,
    pub folded: bool,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentMatch {
    Words(Vec<String>),
    Pattern(String),
    Links(LinkRule),
}
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRule {
    pub allow: Vec<String>,
    pub deny: Vec<String>,
    pub look_alikes_of: Vec<String>,
    pub any: bool,
}
#[derive(Debug, Default)]
pub struct Scratch;
#[derive(Debug)]
pub struct Content;
#[derive(Debug)]
pub struct ContentFault {
    pub rule: usize,
    pub why: String,
}
impl Content {
    pub fn compile(_: &[ContentRule]) -> Result<Self, ContentFault> {
        Ok(Self)
    }
    pub fn check(&self, _: &str, _: &mut Scratch, _: impl FnMut(usize)) {}
}
