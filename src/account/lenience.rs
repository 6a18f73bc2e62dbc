//! What of a peer's departures from the protocol is forgiven: a profile, and what differs from it.

use serde::{Deserialize, Serialize};
use smpp_proto::pdu::{Lenience, Quirk, Quirks};

/// A profile and its exceptions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Manners {
    /// What holds for everything that is not named.
    pub profile: Profile,
    /// Forgiven whatever the profile says.
    pub accept: Quirks,
    /// Refused whatever the profile says.
    pub refuse: Quirks,
}

/// A profile of forgiveness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Nothing is forgiven that the specification lets be refused.
    Strict,
    /// What does no harm is forgiven.
    #[default]
    Default,
    /// Everything is.
    Permissive,
}

impl Manners {
    /// A profile without exceptions.
    #[must_use]
    pub const fn of(profile: Profile) -> Self {
        Self { profile, accept: Quirks::NONE, refuse: Quirks::NONE }
    }

    /// What a reader forgives.
    #[must_use]
    pub const fn lenience(self) -> Lenience {
        let base = match self.profile {
            Profile::Strict => Lenience::STRICT,
            Profile::Default => Lenience::DEFAULT,
            Profile::Permissive => Lenience::PERMISSIVE,
        };
        Lenience::of(base.quirks().and(self.accept).minus(self.refuse))
    }
}

/// As it stands in the store.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Written {
    profile: Profile,
    accept: Vec<String>,
    refuse: Vec<String>,
}

impl Default for Written {
    fn default() -> Self {
        Self::from(Manners::default())
    }
}

impl From<Manners> for Written {
    fn from(manners: Manners) -> Self {
        let words = |quirks: Quirks| quirks.iter().map(|quirk| quirk.as_str().to_owned()).collect();
        Self { profile: manners.profile, accept: words(manners.accept), refuse: words(manners.refuse) }
    }
}

impl From<Written> for Manners {
    /// A word that another version knew means nothing here.
    fn from(written: Written) -> Self {
        let quirks = |words: &[String]| words.iter().filter_map(|word| Quirk::of(word)).collect();
        Self { profile: written.profile, accept: quirks(&written.accept), refuse: quirks(&written.refuse) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_can_have_exceptions() {
        let manners = Manners {
            profile: Profile::Default,
            accept: Quirks::NONE.with(Quirk::OneOver),
            refuse: Quirks::NONE.with(Quirk::LongPassword),
        };
        let lenience = manners.lenience();
        assert!(lenience.forgives(Quirk::OneOver) && !lenience.forgives(Quirk::LongPassword));
        assert_eq!(Manners::default().lenience(), Lenience::DEFAULT);
        let kept = serde_json::to_string(&manners).unwrap();
        assert_eq!(kept, r#"{"profile":"default","accept":["one_over"],"refuse":["long_password"]}"#);
        assert_eq!(serde_json::from_str::<Manners>(&kept).unwrap(), manners);
    }
}
