//! One table of the configuration: its keys are taken one by one, and what nobody took is unknown.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::did_you_mean;
use super::source::{Sources, Spot};
use super::value::Value;

/// A table. Call [`Section::finish`] when every key it may have was asked for.
#[must_use = "unknown keys are reported by finish"]
pub(in crate::config) struct Section<'a> {
    sources: &'a Sources<'a>,
    /// How the table is called in problems: `[smpp]`.
    name: String,
    file: usize,
    table: Option<&'a DeTable<'a>>,
    at: Spot,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The top of a file.
    pub(in crate::config) fn root(sources: &'a Sources<'a>, file: usize) -> Self {
        let table = sources.roots.get(file).map(Spanned::get_ref);
        Self { sources, name: String::new(), file, table, at: Spot { file, offset: 0 }, known: Vec::new() }
    }

    /// Where the table begins, for people: `gate.toml:12`.
    pub(in crate::config) fn place(&self) -> String {
        self.sources.shown(self.at)
    }

    /// Whether the table was written at all.
    pub(in crate::config) fn is_written(&self) -> bool {
        self.table.is_some()
    }

    /// A key's value, if it is there.
    pub(in crate::config) fn value(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.known.push(key);
        let (_, value) = self.entry(key)?;
        Some(Value::new(self.sources, self.file, key, value))
    }

    /// Puts what is written into `into`, which keeps its default when nothing is, or nothing usable.
    pub(in crate::config) fn put<T>(
        &mut self,
        key: &'static str,
        into: &mut T,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) {
        if let Some(read) = self.value(key).and_then(|value| read(&value)) {
            *into = read;
        }
    }

    /// A key that must be there.
    pub(in crate::config) fn need<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        match self.value(key) {
            Some(value) => read(&value),
            None => {
                self.report(format!("{}{key} is missing", self.prefix()), format!("add {key} = {example}"));
                None
            }
        }
    }

    /// A table in the table; an empty one when it is not written.
    pub(in crate::config) fn section(&mut self, key: &'static str, name: &str) -> Section<'a> {
        let mut section = Section {
            sources: self.sources,
            name: name.to_owned(),
            file: self.file,
            table: None,
            at: self.at,
            known: Vec::new(),
        };
        if let Some(value) = self.value(key) {
            section.at = value.spot();
            section.table = value.table();
        }
        section
    }

    /// The table that a value is, if it is one: `name` is how it is called in problems.
    pub(in crate::config) fn inline(value: &Value<'a>, name: &str) -> Option<Self> {
        let table = value.as_table()?;
        let (sources, at) = (value.sources(), value.spot());
        Some(Self {
            sources,
            name: name.to_owned(),
            file: at.file,
            table: Some(table),
            at,
            known: Vec::new(),
        })
    }

    /// The tables of an array of tables.
    pub(in crate::config) fn sections(&mut self, key: &'static str, name: &str) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let tables = value.tables(name).into_iter().map(|(at, table)| Section {
            sources: self.sources,
            name: name.to_owned(),
            file: self.file,
            table: Some(table),
            at,
            known: Vec::new(),
        });
        tables.collect()
    }

    /// A key that exists elsewhere or will exist: it is refused, because ignoring it would deceive.
    pub(in crate::config) fn refuse(&mut self, key: &'static str, why: &str, advice: &str) {
        self.known.push(key);
        if let Some((spot, _)) = self.entry(key) {
            self.sources.report(spot, format!("{}{key} {why}", self.prefix()), advice.to_owned());
        }
    }

    /// Says what the table lacks.
    pub(in crate::config) fn miss(&self, what: &str, advice: &str) {
        self.report(format!("{}{what}", self.prefix()), advice.to_owned());
    }

    /// Adds a problem at the place where the table begins.
    pub(in crate::config) fn report(&self, what: String, advice: String) {
        self.sources.report(self.at, what, advice);
    }

    /// Reports the keys that nobody asked for.
    pub(in crate::config) fn finish(self) {
        for key in self.table.into_iter().flat_map(DeTable::keys) {
            let written: &str = key.get_ref();
            if !self.known.contains(&written) {
                let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
                self.sources.report(
                    Spot { file: self.file, offset: key.span().start },
                    format!("unknown key {written:?}{place}"),
                    did_you_mean(written, self.known.iter().copied()),
                );
            }
        }
    }

    fn entry(&self, key: &str) -> Option<(Spot, &'a Spanned<DeValue<'a>>)> {
        let (name, value) = self.table?.get_key_value(key)?;
        Some((Spot { file: self.file, offset: name.span().start }, value))
    }

    fn prefix(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("{} ", self.name) }
    }
}
