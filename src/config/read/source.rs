//! The files of a configuration: their texts, their parsed tables, their places, and the environment.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use super::problem::{Problem, Problems};

/// Looks up an environment variable.
pub type Environment = dyn Fn(&str) -> Option<String>;

/// The files as text, with what went wrong while they were read.
pub(in crate::config) struct Texts {
    files: Vec<Text>,
    found: Vec<Found>,
}

/// A problem on its way: where, what, what to do.
type Found = (Spot, String, String);

/// One file.
struct Text {
    /// The path as it was named.
    path: PathBuf,
    text: String,
    /// Where each line begins, in octets: a file of ten thousand accounts is asked for as many places.
    lines: Vec<usize>,
}

impl Text {
    fn new(path: PathBuf, text: String) -> Self {
        let lines =
            std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        Self { path, text, lines }
    }

    /// Line and column of an octet, from 1; a column is a character.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        (line, column)
    }
}

/// Every file, parsed, and what was found wrong in them so far.
pub(in crate::config) struct Sources<'t> {
    texts: &'t Texts,
    pub(super) roots: Vec<Spanned<DeTable<'t>>>,
    found: RefCell<Vec<Found>>,
    /// Files that are no TOML.
    broken: Vec<usize>,
    environment: &'t Environment,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::config) struct Spot {
    pub(super) file: usize,
    pub(super) offset: usize,
}

/// The beginning of the main file.
const MAIN: Spot = Spot { file: 0, offset: 0 };
/// No configuration file is this large; what is larger is the wrong file.
const MAX_FILE: u64 = 64 << 20;
/// Files that one `include` may bring.
const MAX_INCLUDED: usize = 10_000;

impl Texts {
    /// Reads the main file.
    pub(in crate::config) fn main(path: &Path) -> Self {
        let (text, found) = match read(path) {
            Ok(text) => (text, Vec::new()),
            Err(why) => {
                let what = format!("the configuration cannot be read ({why})");
                let advice = "name another with --config FILE, or make one with `tollgate quickstart`";
                (String::new(), vec![(MAIN, what, advice.to_owned())])
            }
        };
        Self { files: vec![Text::new(path.to_path_buf(), text)], found }
    }

    /// Reads the files that `patterns` of the main file match, in the order of their names.
    pub(in crate::config) fn include(&mut self, patterns: &[(Spot, String)]) {
        let mut known: HashSet<PathBuf> = self.files.iter().map(|file| file.path.clone()).collect();
        for (spot, pattern) in patterns {
            let paths = match matching(self.folder(*spot), pattern) {
                Ok(paths) => paths,
                Err(why) => {
                    self.found.push((*spot, format!("include {pattern:?} cannot be followed"), why));
                    continue;
                }
            };
            for path in paths {
                if !known.insert(path.clone()) {
                    continue;
                }
                match read(&path) {
                    Ok(text) => self.files.push(Text::new(path, text)),
                    Err(why) => self.found.push((
                        *spot,
                        format!("{} cannot be read ({why})", path.display()),
                        "make it readable, or leave it out of include".to_owned(),
                    )),
                }
            }
        }
    }

    /// The paths, the main file first.
    pub(in crate::config) fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    /// The folder that relative paths written at `spot` begin in.
    fn folder(&self, spot: Spot) -> &Path {
        let path = self.files.get(spot.file).map_or(Path::new(""), |file| &file.path);
        path.parent().unwrap_or(Path::new(""))
    }

    fn problem(&self, (spot, what, advice): Found) -> Problem {
        let (file, (line, column)) = match self.files.get(spot.file) {
            Some(source) => (source.path.display().to_string(), source.place(spot.offset)),
            None => (String::new(), (1, 1)),
        };
        Problem { file, line, column, what, advice }
    }
}

impl<'t> Sources<'t> {
    /// Parses the texts. What is not TOML is a problem, found by [`Sources::outcome`].
    pub(in crate::config) fn parse(texts: &'t Texts, environment: &'t Environment) -> Self {
        let mut found = texts.found.clone();
        // A main file that could not be read is empty here.
        let mut broken: Vec<usize> =
            texts.found.iter().filter(|(spot, ..)| *spot == MAIN).map(|(spot, ..)| spot.file).collect();
        let mut roots = Vec::with_capacity(texts.files.len());
        for (file, Text { text, .. }) in texts.files.iter().enumerate() {
            let (root, errors) = DeTable::parse_recoverable(text);
            if !errors.is_empty() {
                broken.push(file);
            }
            for error in errors {
                let offset = error.span().map_or(0, |span| span.start);
                let mut lines = error.message().lines();
                let what = lines.next().unwrap_or("this is not TOML").to_owned();
                let rest = lines.collect::<Vec<_>>().join("; ");
                let advice = if rest.is_empty() { "correct the TOML here".to_owned() } else { rest };
                found.push((Spot { file, offset }, what, advice));
            }
            roots.push(root);
        }
        Self { texts, roots, found: RefCell::new(found), broken, environment }
    }

    /// The folder that relative paths written at `spot` begin in.
    pub(super) fn folder(&self, spot: Spot) -> &Path {
        self.texts.folder(spot)
    }

    /// Whether some file could not be read whole: what seems not to be there may stand in it.
    pub(in crate::config) fn is_partial(&self) -> bool {
        !self.broken.is_empty() || !self.texts.found.is_empty()
    }

    /// Writes a problem down. Of a file that is no TOML only that is told: more would only follow from it.
    pub(in crate::config) fn report(&self, spot: Spot, what: String, advice: String) {
        if self.broken.contains(&spot.file) {
            return;
        }
        self.found.borrow_mut().push((spot, what, advice));
    }

    /// An environment variable.
    pub(super) fn environment(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }

    /// Everything that was found wrong, in the order of the files.
    pub(in crate::config) fn outcome(&self) -> Result<(), Problems> {
        let mut found = self.found.borrow().clone();
        if found.is_empty() {
            return Ok(());
        }
        found.sort_by_key(|(spot, ..)| *spot);
        found.dedup();
        Err(Problems(found.into_iter().map(|found| self.texts.problem(found)).collect()))
    }

    /// A place for people: `gate.toml:12`.
    pub(in crate::config) fn shown(&self, spot: Spot) -> String {
        let problem = self.texts.problem((spot, String::new(), String::new()));
        format!("{}:{}", problem.file, problem.line)
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_FILE {
        return Err(format!("it has {size} octets, more than {MAX_FILE}"));
    }
    std::fs::read_to_string(path).map_err(|e| e.to_string())
}

/// The files that a pattern matches, by name. `*` stands for any characters, in the last part of the path only.
fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let whole = folder.join(pattern);
    let (Some(parent), Some(name)) = (whole.parent(), whole.file_name().and_then(|name| name.to_str()))
    else {
        return Err("write a path such as \"accounts.d/*.toml\"".to_owned());
    };
    if parent.to_string_lossy().contains('*') {
        return Err("write * in the last part of the path only, such as \"accounts.d/*.toml\"".to_owned());
    }
    if !name.contains('*') {
        return Ok(vec![whole]);
    }
    let here = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let entries = match std::fs::read_dir(here) {
        Ok(entries) => entries,
        // A pattern may match nothing; the folder may come later.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("the folder {} cannot be read ({error})", here.display())),
    };
    let mut found = Vec::new();
    for entry in entries.take(MAX_INCLUDED) {
        let entry = entry.map_err(|e| e.to_string())?;
        if entry.file_name().to_str().is_some_and(|found| fits(name, found)) {
            found.push(parent.join(entry.file_name()));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether `name` fits `pattern`. Names that begin with a dot fit only patterns that do.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or("");
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_never_for_a_leading_dot() {
        for (pattern, name, fit) in [
            ("*.toml", "a.toml", true),
            ("*.toml", ".a.toml", false),
            ("*.toml", "a.toml~", false),
            ("a*b*.toml", "a1b2.toml", true),
            ("a*b*.toml", "a1.toml", false),
            ("ab*ab", "ab", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }
}
