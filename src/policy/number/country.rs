//! Countries as rules, configuration and messages name them: two letters (ISO 3166-1 alpha-2).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A country or territory with a code of two letters: those of ISO 3166-1, and three that numbering plans have and the
/// standard does not: AC and TA, which it reserves, and XK, which its users agreed on for Kosovo.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct Country(
    /// Its place in the list, which is in the order of the codes.
    u8,
);

/// Seven, of which Antarctica has no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Continent {
    /// With the islands around it.
    Africa,
    /// With the islands south of 60°.
    Antarctica,
    /// With Turkey, Cyprus and the Caucasus.
    Asia,
    /// With Russia.
    Europe,
    /// With Central America, the Caribbean and Greenland.
    NorthAmerica,
    /// Australia and the Pacific.
    Oceania,
    /// With the Falkland Islands.
    SouthAmerica,
}

/// A text that is no country.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a country as two capital letters of ISO 3166-1, such as ES")]
pub struct NotACountry;

impl Country {
    /// Every country, in the order of the codes.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..COUNT).map(Self)
    }

    /// How many there are; [`Country::place`] is below it.
    pub const COUNT: usize = COUNT as usize;

    /// Its place among all, from 0: for sets and tables by country.
    #[must_use]
    pub const fn place(self) -> usize {
        self.0 as usize
    }

    /// Two capital letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// What it is called in English.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Where it is.
    #[must_use]
    pub fn continent(self) -> Continent {
        self.row().2
    }

    fn row(self) -> &'static (&'static str, &'static str, Continent) {
        // Every value was made from a place in the list.
        COUNTRIES.get(self.place()).unwrap_or(&COUNTRIES[0])
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the list has fewer than 256 rows, which the compiler checks here"
)]
const COUNT: u8 = {
    assert!(COUNTRIES.len() < 256);
    COUNTRIES.len() as u8
};

impl FromStr for Country {
    type Err = NotACountry;

    fn from_str(code: &str) -> Result<Self, NotACountry> {
        let place = COUNTRIES.binary_search_by(|row| row.0.cmp(code)).map_err(|_| NotACountry)?;
        u8::try_from(place).map(Self).map_err(|_| NotACountry)
    }
}

impl TryFrom<String> for Country {
    type Error = NotACountry;

    fn try_from(code: String) -> Result<Self, NotACountry> {
        code.parse()
    }
}

impl From<Country> for &'static str {
    fn from(country: Country) -> Self {
        country.code()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

use Continent::{Africa, Antarctica, Asia, Europe, NorthAmerica, Oceania, SouthAmerica};

/// Code, name, continent; by code.
const COUNTRIES: [(&str, &str, Continent); 252] = [
    ("AC", "Ascension Island", Africa),
    ("AD", "Andorra", Europe),
    ("AE", "United Arab Emirates", Asia),
    ("AF", "Afghanistan", Asia),
    ("AG", "Antigua and Barbuda", NorthAmerica),
    ("AI", "Anguilla", NorthAmerica),
    ("AL", "Albania", Europe),
    ("AM", "Armenia", Asia),
    ("AO", "Angola", Africa),
    ("AQ", "Antarctica", Antarctica),
    ("AR", "Argentina", SouthAmerica),
    ("AS", "American Samoa", Oceania),
    ("AT", "Austria", Europe),
    ("AU", "Australia", Oceania),
    ("AW", "Aruba", NorthAmerica),
    ("AX", "Åland Islands", Europe),
    ("AZ", "Azerbaijan", Asia),
    ("BA", "Bosnia and Herzegovina", Europe),
    ("BB", "Barbados", NorthAmerica),
    ("BD", "Bangladesh", Asia),
    ("BE", "Belgium", Europe),
    ("BF", "Burkina Faso", Africa),
    ("BG", "Bulgaria", Europe),
    ("BH", "Bahrain", Asia),
    ("BI", "Burundi", Africa),
    ("BJ", "Benin", Africa),
    ("BL", "Saint Barthélemy", NorthAmerica),
    ("BM", "Bermuda", NorthAmerica),
    ("BN", "Brunei", Asia),
    ("BO", "Bolivia", SouthAmerica),
    ("BQ", "Caribbean Netherlands", NorthAmerica),
    ("BR", "Brazil", SouthAmerica),
    ("BS", "Bahamas", NorthAmerica),
    ("BT", "Bhutan", Asia),
    ("BV", "Bouvet Island", Antarctica),
    ("BW", "Botswana", Africa),
    ("BY", "Belarus", Europe),
    ("BZ", "Belize", NorthAmerica),
    ("CA", "Canada", NorthAmerica),
    ("CC", "Cocos (Keeling) Islands", Oceania),
    ("CD", "Congo (Democratic Republic)", Africa),
    ("CF", "Central African Republic", Africa),
    ("CG", "Congo (Republic)", Africa),
    ("CH", "Switzerland", Europe),
    ("CI", "Côte d'Ivoire", Africa),
    ("CK", "Cook Islands", Oceania),
    ("CL", "Chile", SouthAmerica),
    ("CM", "Cameroon", Africa),
    ("CN", "China", Asia),
    ("CO", "Colombia", SouthAmerica),
    ("CR", "Costa Rica", NorthAmerica),
    ("CU", "Cuba", NorthAmerica),
    ("CV", "Cape Verde", Africa),
    ("CW", "Curaçao", NorthAmerica),
    ("CX", "Christmas Island", Oceania),
    ("CY", "Cyprus", Asia),
    ("CZ", "Czechia", Europe),
    ("DE", "Germany", Europe),
    ("DJ", "Djibouti", Africa),
    ("DK", "Denmark", Europe),
    ("DM", "Dominica", NorthAmerica),
    ("DO", "Dominican Republic", NorthAmerica),
    ("DZ", "Algeria", Africa),
    ("EC", "Ecuador", SouthAmerica),
    ("EE", "Estonia", Europe),
    ("EG", "Egypt", Africa),
    ("EH", "Western Sahara", Africa),
    ("ER", "Eritrea", Africa),
    ("ES", "Spain", Europe),
    ("ET", "Ethiopia", Africa),
    ("FI", "Finland", Europe),
    ("FJ", "Fiji", Oceania),
    ("FK", "Falkland Islands", SouthAmerica),
    ("FM", "Micronesia", Oceania),
    ("FO", "Faroe Islands", Europe),
    ("FR", "France", Europe),
    ("GA", "Gabon", Africa),
    ("GB", "United Kingdom", Europe),
    ("GD", "Grenada", NorthAmerica),
    ("GE", "Georgia", Asia),
    ("GF", "French Guiana", SouthAmerica),
    ("GG", "Guernsey", Europe),
    ("GH", "Ghana", Africa),
    ("GI", "Gibraltar", Europe),
    ("GL", "Greenland", NorthAmerica),
    ("GM", "Gambia", Africa),
    ("GN", "Guinea", Africa),
    ("GP", "Guadeloupe", NorthAmerica),
    ("GQ", "Equatorial Guinea", Africa),
    ("GR", "Greece", Europe),
    ("GS", "South Georgia and the South Sandwich Islands", Antarctica),
    ("GT", "Guatemala", NorthAmerica),
    ("GU", "Guam", Oceania),
    ("GW", "Guinea-Bissau", Africa),
    ("GY", "Guyana", SouthAmerica),
    ("HK", "Hong Kong", Asia),
    ("HM", "Heard Island and McDonald Islands", Antarctica),
    ("HN", "Honduras", NorthAmerica),
    ("HR", "Croatia", Europe),
    ("HT", "Haiti", NorthAmerica),
    ("HU", "Hungary", Europe),
    ("ID", "Indonesia", Asia),
    ("IE", "Ireland", Europe),
    ("IL", "Israel", Asia),
    ("IM", "Isle of Man", Europe),
    ("IN", "India", Asia),
    ("IO", "British Indian Ocean Territory", Africa),
    ("IQ", "Iraq", Asia),
    ("IR", "Iran", Asia),
    ("IS", "Iceland", Europe),
    ("IT", "Italy", Europe),
    ("JE", "Jersey", Europe),
    ("JM", "Jamaica", NorthAmerica),
    ("JO", "Jordan", Asia),
    ("JP", "Japan", Asia),
    ("KE", "Kenya", Africa),
    ("KG", "Kyrgyzstan", Asia),
    ("KH", "Cambodia", Asia),
    ("KI", "Kiribati", Oceania),
    ("KM", "Comoros", Africa),
    ("KN", "Saint Kitts and Nevis", NorthAmerica),
    ("KP", "North Korea", Asia),
    ("KR", "South Korea", Asia),
    ("KW", "Kuwait", Asia),
    ("KY", "Cayman Islands", NorthAmerica),
    ("KZ", "Kazakhstan", Asia),
    ("LA", "Laos", Asia),
    ("LB", "Lebanon", Asia),
    ("LC", "Saint Lucia", NorthAmerica),
    ("LI", "Liechtenstein", Europe),
    ("LK", "Sri Lanka", Asia),
    ("LR", "Liberia", Africa),
    ("LS", "Lesotho", Africa),
    ("LT", "Lithuania", Europe),
    ("LU", "Luxembourg", Europe),
    ("LV", "Latvia", Europe),
    ("LY", "Libya", Africa),
    ("MA", "Morocco", Africa),
    ("MC", "Monaco", Europe),
    ("MD", "Moldova", Europe),
    ("ME", "Montenegro", Europe),
    ("MF", "Saint Martin", NorthAmerica),
    ("MG", "Madagascar", Africa),
    ("MH", "Marshall Islands", Oceania),
    ("MK", "North Macedonia", Europe),
    ("ML", "Mali", Africa),
    ("MM", "Myanmar", Asia),
    ("MN", "Mongolia", Asia),
    ("MO", "Macau", Asia),
    ("MP", "Northern Mariana Islands", Oceania),
    ("MQ", "Martinique", NorthAmerica),
    ("MR", "Mauritania", Africa),
    ("MS", "Montserrat", NorthAmerica),
    ("MT", "Malta", Europe),
    ("MU", "Mauritius", Africa),
    ("MV", "Maldives", Asia),
    ("MW", "Malawi", Africa),
    ("MX", "Mexico", NorthAmerica),
    ("MY", "Malaysia", Asia),
    ("MZ", "Mozambique", Africa),
    ("NA", "Namibia", Africa),
    ("NC", "New Caledonia", Oceania),
    ("NE", "Niger", Africa),
    ("NF", "Norfolk Island", Oceania),
    ("NG", "Nigeria", Africa),
    ("NI", "Nicaragua", NorthAmerica),
    ("NL", "Netherlands", Europe),
    ("NO", "Norway", Europe),
    ("NP", "Nepal", Asia),
    ("NR", "Nauru", Oceania),
    ("NU", "Niue", Oceania),
    ("NZ", "New Zealand", Oceania),
    ("OM", "Oman", Asia),
    ("PA", "Panama", NorthAmerica),
    ("PE", "Peru", SouthAmerica),
    ("PF", "French Polynesia", Oceania),
    ("PG", "Papua New Guinea", Oceania),
    ("PH", "Philippines", Asia),
    ("PK", "Pakistan", Asia),
    ("PL", "Poland", Europe),
    ("PM", "Saint Pierre and Miquelon", NorthAmerica),
    ("PN", "Pitcairn", Oceania),
    ("PR", "Puerto Rico", NorthAmerica),
    ("PS", "Palestine", Asia),
    ("PT", "Portugal", Europe),
    ("PW", "Palau", Oceania),
    ("PY", "Paraguay", SouthAmerica),
    ("QA", "Qatar", Asia),
    ("RE", "Réunion", Africa),
    ("RO", "Romania", Europe),
    ("RS", "Serbia", Europe),
    ("RU", "Russia", Europe),
    ("RW", "Rwanda", Africa),
    ("SA", "Saudi Arabia", Asia),
    ("SB", "Solomon Islands", Oceania),
    ("SC", "Seychelles", Africa),
    ("SD", "Sudan", Africa),
    ("SE", "Sweden", Europe),
    ("SG", "Singapore", Asia),
    ("SH", "Saint Helena", Africa),
    ("SI", "Slovenia", Europe),
    ("SJ", "Svalbard and Jan Mayen", Europe),
    ("SK", "Slovakia", Europe),
    ("SL", "Sierra Leone", Africa),
    ("SM", "San Marino", Europe),
    ("SN", "Senegal", Africa),
    ("SO", "Somalia", Africa),
    ("SR", "Suriname", SouthAmerica),
    ("SS", "South Sudan", Africa),
    ("ST", "São Tomé and Príncipe", Africa),
    ("SV", "El Salvador", NorthAmerica),
    ("SX", "Sint Maarten", NorthAmerica),
    ("SY", "Syria", Asia),
    ("SZ", "Eswatini", Africa),
    ("TA", "Tristan da Cunha", Africa),
    ("TC", "Turks and Caicos Islands", NorthAmerica),
    ("TD", "Chad", Africa),
    ("TF", "French Southern Territories", Antarctica),
    ("TG", "Togo", Africa),
    ("TH", "Thailand", Asia),
    ("TJ", "Tajikistan", Asia),
    ("TK", "Tokelau", Oceania),
    ("TL", "Timor-Leste", Asia),
    ("TM", "Turkmenistan", Asia),
    ("TN", "Tunisia", Africa),
    ("TO", "Tonga", Oceania),
    ("TR", "Türkiye", Asia),
    ("TT", "Trinidad and Tobago", NorthAmerica),
    ("TV", "Tuvalu", Oceania),
    ("TW", "Taiwan", Asia),
    ("TZ", "Tanzania", Africa),
    ("UA", "Ukraine", Europe),
    ("UG", "Uganda", Africa),
    ("UM", "US Outlying Islands", Oceania),
    ("US", "United States", NorthAmerica),
    ("UY", "Uruguay", SouthAmerica),
    ("UZ", "Uzbekistan", Asia),
    ("VA", "Vatican City", Europe),
    ("VC", "Saint Vincent and the Grenadines", NorthAmerica),
    ("VE", "Venezuela", SouthAmerica),
    ("VG", "British Virgin Islands", NorthAmerica),
    ("VI", "US Virgin Islands", NorthAmerica),
    ("VN", "Vietnam", Asia),
    ("VU", "Vanuatu", Oceania),
    ("WF", "Wallis and Futuna", Oceania),
    ("WS", "Samoa", Oceania),
    ("XK", "Kosovo", Europe),
    ("YE", "Yemen", Asia),
    ("YT", "Mayotte", Africa),
    ("ZA", "South Africa", Africa),
    ("ZM", "Zambia", Africa),
    ("ZW", "Zimbabwe", Africa),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_two_capitals_in_order_and_are_read_back() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.0 < b.0));
        for country in Country::all() {
            assert!(country.code().len() == 2 && country.code().bytes().all(|b| b.is_ascii_uppercase()));
            assert_eq!(country.code().parse(), Ok(country));
        }
        assert_eq!(Country::all().len(), Country::COUNT);
    }

    #[test]
    fn what_is_no_country_is_refused() {
        for text in ["", "E", "es", "ESP", "EU", "UK", "ZZ", "E\u{e9}"] {
            assert_eq!(text.parse::<Country>(), Err(NotACountry), "{text}");
        }
    }

    #[test]
    fn a_country_is_kept_as_its_code() {
        let spain: Country = "ES".parse().unwrap();
        assert_eq!(serde_json::to_string(&spain).unwrap(), "\"ES\"");
        assert_eq!(serde_json::from_str::<Country>("\"ES\"").unwrap(), spain);
        assert!(serde_json::from_str::<Country>("\"XX\"").is_err());
        assert_eq!((spain.to_string().as_str(), spain.name(), spain.continent()), ("ES", "Spain", Europe));
    }
}
