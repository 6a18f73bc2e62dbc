//! The regions that share a calling code, as the metadata has them: whose is a national number, and of what kind?

use phonenumber::metadata::DATABASE;
use phonenumber::{Metadata, Type};
use regex::Regex;
use tollgate::policy::number::{Country, Kind};

use crate::pattern::Automaton;

/// A calling code.
pub(crate) struct Code {
    pub(crate) digits: String,
    /// The main one first: the first that a number fits has it.
    pub(crate) regions: Vec<Region>,
}

pub(crate) struct Region {
    /// Absent for what is no country's.
    pub(crate) country: Option<Country>,
    /// Whoever begins so is of this region, and nobody else is.
    leading: Option<Descriptor>,
    general: Descriptor,
    /// In the order in which they are asked.
    kinds: Vec<(Type, Descriptor)>,
}

struct Descriptor {
    automaton: Automaton,
    regex: Regex,
    /// Bit n for n digits of the national number; all of them if the metadata names none.
    lengths: u32,
    example: Option<String>,
}

/// What a number is: a country and a kind.
pub(crate) type Answer = (Option<Country>, Kind);

const ASKED: [Type; 10] = [
    Type::PremiumRate,
    Type::TollFree,
    Type::SharedCost,
    Type::Voip,
    Type::PersonalNumber,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
    Type::FixedLine,
    Type::Mobile,
];

impl Code {
    pub(crate) fn all() -> Vec<Self> {
        let with = |code: u16| Some((code, DATABASE.by_code(&code)?));
        let codes = (1..1_000).filter_map(with);
        codes
            .map(|(code, regions)| Self {
                digits: code.to_string(),
                regions: regions.into_iter().map(Region::of).collect(),
            })
            .collect()
    }

    /// The answer for a national number, read with regular expressions.
    pub(crate) fn answer(&self, national: &str) -> Option<Answer> {
        let bit = 1_u32 << national.len();
        self.choose(|descriptor| descriptor.regex.is_match(national) && descriptor.lengths & bit != 0)
    }

    fn choose(&self, matches: impl Fn(&Descriptor) -> bool) -> Option<Answer> {
        for region in &self.regions {
            let kind = region.kind(&matches);
            match &region.leading {
                Some(leading) if self.regions.len() > 1 => {
                    if matches(leading) {
                        return kind.map(|kind| (region.country, kind));
                    }
                }
                _ => {
                    if let Some(kind) = kind {
                        return Some((region.country, kind));
                    }
                }
            }
        }
        None
    }

    fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.regions.iter().flat_map(|region| {
            region.leading.iter().chain([&region.general]).chain(region.kinds.iter().map(|(_, kind)| kind))
        })
    }

    /// Example numbers.
    pub(crate) fn examples(&self) -> impl Iterator<Item = &str> {
        self.descriptors().filter_map(|descriptor| descriptor.example.as_deref())
    }

    /// Where every automaton stands before the first digit.
    pub(crate) fn begin(&self) -> Place {
        self.descriptors().map(|_| Some(0)).collect()
    }

    pub(crate) fn step(&self, place: &Place, digit: usize) -> Place {
        let step =
            |(state, descriptor): (&Option<u32>, &Descriptor)| descriptor.automaton.step((*state)?, digit);
        place.iter().zip(self.descriptors()).map(step).collect()
    }

    /// The answer for a number of `digits` national digits that leads to `place`.
    pub(crate) fn answer_at(&self, place: &Place, digits: usize) -> Option<Answer> {
        let accepts: Vec<bool> = (place.iter().zip(self.descriptors()))
            .map(|(state, descriptor)| {
                state.is_some_and(|state| descriptor.automaton.accepts(state))
                    && descriptor.lengths & (1 << digits) != 0
            })
            .collect();
        let at = |wanted: &Descriptor| {
            let place = self.descriptors().position(|descriptor| std::ptr::eq(descriptor, wanted));
            place.is_some_and(|place| accepts[place])
        };
        if accepts.contains(&true) { self.choose(at) } else { None }
    }
}

/// Where every automaton of a code stands; absent where nothing can follow.
pub(crate) type Place = Vec<Option<u32>>;

impl Region {
    fn of(metadata: &Metadata) -> Self {
        let descriptors = metadata.descriptors();
        let kinds =
            ASKED.into_iter().filter_map(|kind| Some((kind, Descriptor::of(descriptors.get(kind)?)?)));
        Self {
            country: (metadata.id() != "001").then(|| metadata.id().parse().expect("a country")),
            leading: metadata.leading_digits().map(|regex| Descriptor::leading(regex.as_str())),
            general: Descriptor::of(descriptors.general()).expect("a general description"),
            kinds: kinds.collect(),
        }
    }

    fn kind(&self, matches: impl Fn(&Descriptor) -> bool) -> Option<Kind> {
        if !matches(&self.general) {
            return None;
        }
        let is =
            |wanted: Type| self.kinds.iter().any(|(kind, descriptor)| *kind == wanted && matches(descriptor));
        Some(match ASKED.into_iter().find(|kind| is(*kind))? {
            Type::PremiumRate => Kind::Premium,
            Type::TollFree => Kind::TollFree,
            Type::SharedCost => Kind::SharedCost,
            Type::Voip => Kind::Voip,
            Type::PersonalNumber => Kind::Personal,
            Type::Pager => Kind::Pager,
            Type::Uan => Kind::Uan,
            Type::FixedLine if is(Type::Mobile) => Kind::FixedOrMobile,
            Type::FixedLine => Kind::Fixed,
            Type::Mobile => Kind::Mobile,
            _ => Kind::Other,
        })
    }
}

impl Descriptor {
    fn of(descriptor: &phonenumber::metadata::Descriptor) -> Option<Self> {
        let pattern = descriptor.national_number().as_str();
        let bits = descriptor.possible_length().iter().fold(0, |set, length| set | 1 << length);
        (pattern.trim() != "NA").then(|| Self {
            automaton: Automaton::of(pattern),
            regex: crate::whole(pattern),
            lengths: if bits == 0 { u32::MAX } else { bits },
            example: descriptor.example().map(str::to_owned),
        })
    }

    /// A beginning: anything may follow.
    fn leading(pattern: &str) -> Self {
        let pattern = format!("(?:{pattern})\\d{{0,17}}");
        let (automaton, regex) = (Automaton::of(&pattern), crate::whole(&pattern));
        Self { automaton, regex, lengths: u32::MAX, example: None }
    }
}
