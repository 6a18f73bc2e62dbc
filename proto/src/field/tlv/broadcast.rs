//! The codes of cell broadcast (SMPP 5.0 §4.8.4.4 to §4.8.4.14).

open_code! {
    /// broadcast_channel_indicator (SMPP 5.0 §4.8.4.7).
    BroadcastChannel(u8, "2") {
        /// The basic channel, the default.
        BASIC = 0, "basic";
        /// The extended channel.
        EXTENDED = 1, "extended";
    }
}

open_code! {
    /// broadcast_message_class (SMPP 5.0 §4.8.4.12; 1 is misprinted as 0x02 there).
    BroadcastClass(u8, "2") {
        /// No class.
        NONE = 0, "no class";
        /// Class 1, user defined.
        CLASS_1 = 1, "class 1 (user defined)";
        /// Class 2, user defined.
        CLASS_2 = 2, "class 2 (user defined)";
        /// Class 3, for the terminal equipment.
        CLASS_3 = 3, "class 3 (terminal equipment)";
    }
}

open_code! {
    /// First octet of broadcast_frequency_interval (SMPP 5.0 §4.8.4.11).
    IntervalUnit(u8, "2") {
        /// As often as possible; the count says nothing.
        AS_OFTEN_AS_POSSIBLE = 0x00, "as often as possible";
        /// Seconds.
        SECONDS = 0x08, "seconds";
        /// Minutes.
        MINUTES = 0x09, "minutes";
        /// Hours.
        HOURS = 0x0A, "hours";
        /// Days.
        DAYS = 0x0B, "days";
        /// Weeks.
        WEEKS = 0x0C, "weeks";
        /// Months.
        MONTHS = 0x0D, "months";
        /// Years.
        YEARS = 0x0E, "years";
    }
}

open_code! {
    /// First octet of broadcast_area_identifier (SMPP 5.0 §4.8.4.4).
    AreaFormat(u8, "2") {
        /// An alias or a name.
        ALIAS = 0, "alias";
        /// An arc of an ellipsoid.
        ELLIPSOID_ARC = 1, "ellipsoid arc";
        /// A polygon.
        POLYGON = 2, "polygon";
    }
}

open_code! {
    /// First octet of broadcast_content_type: whose types they are (SMPP 5.0 §4.8.4.8).
    ContentNetwork(u8, "2") {
        /// The generic types, which have names here.
        GENERIC = 0, "generic";
        /// GSM (3GPP TS 23.041).
        GSM = 1, "GSM";
        /// TDMA.
        TDMA = 2, "TDMA";
        /// CDMA.
        CDMA = 3, "CDMA";
    }
}

open_code! {
    /// A generic content type: the last two octets of broadcast_content_type (SMPP 5.0 §4.8.4.8).
    ContentType(u16, "4") {
        /// Index.
        INDEX = 0x0000, "index";
        /// Emergency broadcasts.
        EMERGENCY = 0x0001, "emergency";
        /// IRDB download.
        IRDB_DOWNLOAD = 0x0002, "IRDB download";
        /// News flashes.
        NEWS_FLASHES = 0x0010, "news flashes";
        /// General news, local.
        NEWS_LOCAL = 0x0011, "general news, local";
        /// General news, regional.
        NEWS_REGIONAL = 0x0012, "general news, regional";
        /// General news, national.
        NEWS_NATIONAL = 0x0013, "general news, national";
        /// General news, international.
        NEWS_INTERNATIONAL = 0x0014, "general news, international";
        /// Business news, local.
        BUSINESS_LOCAL = 0x0015, "business news, local";
        /// Business news, regional.
        BUSINESS_REGIONAL = 0x0016, "business news, regional";
        /// Business news, national.
        BUSINESS_NATIONAL = 0x0017, "business news, national";
        /// Business news, international.
        BUSINESS_INTERNATIONAL = 0x0018, "business news, international";
        /// Sports news, local.
        SPORTS_LOCAL = 0x0019, "sports news, local";
        /// Sports news, regional.
        SPORTS_REGIONAL = 0x001A, "sports news, regional";
        /// Sports news, national.
        SPORTS_NATIONAL = 0x001B, "sports news, national";
        /// Sports news, international.
        SPORTS_INTERNATIONAL = 0x001C, "sports news, international";
        /// Entertainment news, local.
        ENTERTAINMENT_LOCAL = 0x001D, "entertainment news, local";
        /// Entertainment news, regional.
        ENTERTAINMENT_REGIONAL = 0x001E, "entertainment news, regional";
        /// Entertainment news, national.
        ENTERTAINMENT_NATIONAL = 0x001F, "entertainment news, national";
        /// Entertainment news, international.
        ENTERTAINMENT_INTERNATIONAL = 0x0020, "entertainment news, international";
        /// Hospitals and health.
        HEALTH = 0x0021, "health";
        /// Doctors.
        DOCTORS = 0x0022, "doctors";
        /// Pharmacies.
        PHARMACY = 0x0023, "pharmacy";
        /// Local traffic.
        TRAFFIC_LOCAL = 0x0030, "local traffic";
        /// Long-distance traffic.
        TRAFFIC_LONG_DISTANCE = 0x0031, "long-distance traffic";
        /// Taxis.
        TAXIS = 0x0032, "taxis";
        /// Weather.
        WEATHER = 0x0033, "weather";
        /// Flights.
        FLIGHTS = 0x0034, "flights";
        /// Restaurants.
        RESTAURANTS = 0x0035, "restaurants";
        /// Lodgings.
        LODGINGS = 0x0036, "lodgings";
        /// Retail.
        RETAIL = 0x0037, "retail";
        /// Advertisements.
        ADVERTISEMENTS = 0x0038, "advertisements";
        /// Stocks.
        STOCKS = 0x0039, "stocks";
        /// Jobs.
        JOBS = 0x0040, "jobs";
        /// Technology.
        TECHNOLOGY = 0x0041, "technology";
        /// Base station.
        BASE_STATION = 0x0070, "base station";
        /// Network.
        NETWORK = 0x0071, "network";
        /// Operator services.
        OPERATOR_SERVICES = 0x0080, "operator services";
        /// Directory, national.
        DIRECTORY_NATIONAL = 0x0081, "directory, national";
        /// Directory, international.
        DIRECTORY_INTERNATIONAL = 0x0082, "directory, international";
        /// Customer care, national.
        CUSTOMER_CARE_NATIONAL = 0x0083, "customer care, national";
        /// Customer care, international.
        CUSTOMER_CARE_INTERNATIONAL = 0x0084, "customer care, international";
        /// Local date, time and zone.
        LOCAL_TIME = 0x0085, "local date, time and zone";
        /// Several categories.
        MULTI_CATEGORY = 0x0100, "multi category";
    }
}
