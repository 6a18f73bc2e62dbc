//! One value of the configuration, read as what the key wants. What does not fit is reported at its place.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::duration;
use super::nearest::{did_you_mean, listed};
use super::source::{Sources, Spot};
use crate::account::Credits;
use crate::admin::is_name;
use crate::clock::Timestamp;
use crate::policy::hours::{UnknownZone, zone};

/// A value that was written for a key. Every reading answers nothing after it reported what is wrong.
#[derive(Clone, Copy)]
pub(in crate::config) struct Value<'a> {
    sources: &'a Sources<'a>,
    file: usize,
    key: &'static str,
    raw: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    pub(super) fn new(
        sources: &'a Sources<'a>,
        file: usize,
        key: &'static str,
        raw: &'a Spanned<DeValue<'a>>,
    ) -> Self {
        Self { sources, file, key, raw }
    }

    /// Where it stands.
    pub(in crate::config) fn spot(&self) -> Spot {
        Spot { file: self.file, offset: self.raw.span().start }
    }

    /// Reports that the value does not fit. What it is comes from the file: never an expanded secret.
    pub(in crate::config) fn refuse<T>(&self, advice: impl Into<String>) -> Option<T> {
        let what = match self.raw.get_ref() {
            DeValue::String(_) if self.key.starts_with("password") => "cannot be used".to_owned(),
            DeValue::String(text) => format!("is {text:?}"),
            DeValue::Integer(number) => format!("is {number}"),
            DeValue::Float(number) => format!("is {number}"),
            DeValue::Boolean(flag) => format!("is {flag}"),
            DeValue::Datetime(time) => format!("is {time}"),
            DeValue::Array(_) => "is a list".to_owned(),
            DeValue::Table(_) => "is a table".to_owned(),
        };
        self.say(format!("{} {what}", self.key), advice)
    }

    /// Where another place is, for people.
    pub(in crate::config) fn shown(&self, spot: Spot) -> String {
        self.sources.shown(spot)
    }

    /// Reports something about the value in words of its own.
    pub(in crate::config) fn say<T>(&self, what: String, advice: impl Into<String>) -> Option<T> {
        self.sources.report(self.spot(), what, advice.into());
        None
    }

    /// A string, with `${NAME}` replaced from the environment.
    pub(in crate::config) fn text(&self) -> Option<String> {
        match self.raw.get_ref() {
            DeValue::String(text) => self.expand(text),
            _ => self.refuse("write a string in quotes"),
        }
    }

    /// A string of so many octets.
    pub(in crate::config) fn text_of(&self, octets: RangeInclusive<usize>) -> Option<String> {
        let text = self.text()?;
        if octets.contains(&text.len()) {
            return Some(text);
        }
        self.refuse(format!("write {} to {} octets", octets.start(), octets.end()))
    }

    /// A name: letters, digits and `._-`, so that it can stand in logs, metrics and commands as it is.
    pub(in crate::config) fn name(&self) -> Option<String> {
        let name = self.text()?;
        if is_name(&name) {
            return Some(name);
        }
        self.refuse("write 1 to 64 letters, digits, dots, hyphens or underscores")
    }

    /// Something that reads itself from a string.
    pub(in crate::config) fn parsed<T: FromStr>(&self) -> Option<T>
    where
        T::Err: Display,
    {
        match self.text()?.parse() {
            Ok(value) => Some(value),
            Err(why) => self.refuse(why.to_string()),
        }
    }

    /// Something that reads itself from a string, with advice of ours.
    pub(in crate::config) fn parsed_as<T: FromStr>(&self, advice: &str) -> Option<T> {
        match self.text()?.parse() {
            Ok(value) => Some(value),
            Err(_) => self.refuse(advice),
        }
    }

    /// A whole number.
    pub(in crate::config) fn number<N>(&self, range: RangeInclusive<N>) -> Option<N>
    where
        N: TryFrom<i128> + PartialOrd + Display + Copy,
    {
        let advice = || format!("write a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(written) = self.raw.get_ref() else { return self.refuse(advice()) };
        let digits = written.as_str().replace('_', "");
        let number = i128::from_str_radix(&digits, written.radix()).ok();
        match number.and_then(|number| N::try_from(number).ok()).filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => self.refuse(advice()),
        }
    }

    /// An amount of credit: a string, because a decimal number in TOML would not be exact.
    pub(in crate::config) fn amount(&self) -> Option<Credits> {
        match self.raw.get_ref() {
            DeValue::String(_) => self.parsed(),
            DeValue::Integer(written) if written.radix() == 10 => {
                match written.as_str().replace('_', "").trim_start_matches('+').parse::<Credits>() {
                    Ok(amount) => Some(amount),
                    Err(why) => self.refuse(why.to_string()),
                }
            }
            _ => self.refuse("write the amount in quotes, such as \"0.0125\""),
        }
    }

    /// `true` or `false`.
    pub(in crate::config) fn flag(&self) -> Option<bool> {
        match self.raw.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.refuse("write true or false"),
        }
    }

    /// A length of time such as `"10s"`.
    pub(in crate::config) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let advice = || {
            format!(
                "write a time from \"{}\" to \"{}\" (units: ms, s, m, h, d)",
                duration::shown(*range.start()),
                duration::shown(*range.end())
            )
        };
        let DeValue::String(_) = self.raw.get_ref() else { return self.refuse(advice()) };
        match duration::parse(&self.text()?).filter(|time| range.contains(time)) {
            Some(time) => Some(time),
            None => self.refuse(advice()),
        }
    }

    /// A length of time, or `"off"`.
    pub(in crate::config) fn duration_or_off(
        &self,
        range: RangeInclusive<Duration>,
    ) -> Option<Option<Duration>> {
        match self.raw.get_ref() {
            DeValue::String(text) if text == "off" => Some(None),
            _ => self.duration(range).map(Some),
        }
    }

    /// A moment: a date or a time, in UTC unless it says its offset.
    pub(in crate::config) fn moment(&self) -> Option<Timestamp> {
        let text = match self.raw.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(_) => self.text()?,
            _ => String::new(),
        };
        let in_utc = || Some(text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
        match text.parse::<jiff::Timestamp>().ok().or_else(in_utc) {
            Some(at) => Some(Timestamp::from_millis(at.as_millisecond())),
            None => {
                self.refuse("write a date or a time, such as \"2026-01-01\" or \"2026-01-01T00:00:00+01:00\"")
            }
        }
    }

    /// The name of a time zone.
    pub(in crate::config) fn zone(&self) -> Option<String> {
        let name = self.text()?;
        match zone(&name, jiff::tz::db()) {
            Ok(_) => Some(name),
            Err(_) => self.refuse(UnknownZone::ADVICE),
        }
    }

    /// One of a few words.
    pub(in crate::config) fn one_of<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let names = || words.iter().map(|(name, _)| *name);
        let DeValue::String(_) = self.raw.get_ref() else {
            return self.refuse(format!("write {}", listed(&names().collect::<Vec<_>>())));
        };
        let text = self.text()?;
        match words.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Some(*value),
            None => self.refuse(did_you_mean(&text, names().collect::<Vec<_>>())),
        }
    }

    /// A list, each element read by `read`.
    pub(in crate::config) fn list<T>(&self, mut read: impl FnMut(&Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        let DeValue::Array(array) = self.raw.get_ref() else {
            return self.refuse("write a list in square brackets");
        };
        let elements: Vec<_> = array.iter().map(|raw| read(&Value { raw, ..*self })).collect();
        elements.into_iter().collect()
    }

    /// A path; a relative one begins where the file is that names it.
    pub(in crate::config) fn path(&self) -> Option<PathBuf> {
        let text = self.text_of(1..=4_096)?;
        Some(self.sources.folder(self.spot()).join(text))
    }

    /// A file that is there.
    pub(in crate::config) fn file(&self) -> Option<PathBuf> {
        let path = self.path()?;
        match std::fs::File::open(&path) {
            Ok(_) => Some(path),
            Err(why) => self.say(
                format!("{} names {}, which cannot be opened ({why})", self.key, path.display()),
                "write the path of a file that this user may read",
            ),
        }
    }

    /// Whether it is a table.
    pub(in crate::config) fn is_table(&self) -> bool {
        self.as_table().is_some()
    }

    /// The table that it is, if it is one.
    pub(super) fn as_table(&self) -> Option<&'a DeTable<'a>> {
        match self.raw.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Where it comes from.
    pub(in crate::config) fn sources(&self) -> &'a Sources<'a> {
        self.sources
    }

    /// The table that it is.
    pub(super) fn table(&self) -> Option<&'a DeTable<'a>> {
        match self.raw.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.refuse(format!("write a table: [{}]", self.key)),
        }
    }

    /// The tables that it holds.
    pub(super) fn tables(&self, name: &str) -> Vec<(Spot, &'a DeTable<'a>)> {
        let DeValue::Array(array) = self.raw.get_ref() else {
            self.refuse::<()>(format!("write {name} with two square brackets: there may be several"));
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(array.len());
        for raw in array.iter() {
            let element = Value { raw, ..*self };
            if let Some(table) = element.table() {
                tables.push((element.spot(), table));
            }
        }
        tables
    }

    fn expand(&self, text: &str) -> Option<String> {
        let mut whole = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            // `$${` stands for `${` itself.
            if let Some(before) = before.strip_suffix('$') {
                whole.push_str(before);
                whole.push_str("${");
                rest = after;
                continue;
            }
            let Some((name, after)) = after.split_once('}') else {
                return self.refuse("close ${ with }, or write $${ for the characters themselves");
            };
            let Some(value) = self.sources.environment(name) else {
                return self.say(
                    format!("the environment variable {name} is not set"),
                    format!("set {name}, or write the value itself"),
                );
            };
            whole.push_str(before);
            whole.push_str(&value);
            rest = after;
        }
        whole.push_str(rest);
        Some(whole)
    }
}
