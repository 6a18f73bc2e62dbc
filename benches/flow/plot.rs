//! Plots as inline SVG: lines over categories or time, and bars in pieces. Colours come from the page's style.

use std::fmt::Write as _;

use super::report::number;

/// Lines in one frame.
pub struct Lines {
    pub title: String,
    /// What stands at the bottom: a name for each place from 0, or none for plain numbers.
    pub places: Vec<String>,
    pub x: &'static str,
    pub y: &'static str,
    /// Whether the steps upwards are powers of ten.
    pub log: bool,
    /// The top, if several plots are to share it.
    pub top: Option<f64>,
    /// Name and points of each line.
    pub series: Vec<(String, Vec<(f64, f64)>)>,
}

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
/// Colours that the style has.
const COLOURS: usize = 8;

impl Lines {
    /// The plot with its key; empty when there is nothing to show.
    pub fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|(_, points)| points.iter().copied());
        if points().next().is_none() {
            return String::new();
        }
        let right = points().map(|(x, _)| x).fold(self.places.len().max(2) as f64 - 1.0, f64::max);
        let right = if self.places.is_empty() {
            points().map(|(x, _)| x).fold(0.0, f64::max).max(1e-9)
        } else {
            right
        };
        let top = self.top.unwrap_or_else(|| points().map(|(_, y)| y).fold(0.0, f64::max)).max(1e-9);
        let scale = Scale::new(self.log, points().map(|(_, y)| y).fold(f64::INFINITY, f64::min), top);
        let x_at = |x: f64| LEFT + x / right * (WIDTH - LEFT - RIGHT);
        let mut out = frame(&self.title, HEIGHT);
        for value in scale.marks() {
            let y = scale.at(value);
            let _ = write!(
                out,
                "<line class=grid x1={LEFT} x2={} y1={y:.1} y2={y:.1} /><text class=mark x={} y={:.1} text-anchor=end>{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                short(value)
            );
        }
        let marks: Vec<(f64, String)> = if self.places.is_empty() {
            steps(right).into_iter().map(|value| (value, short(value))).collect()
        } else {
            self.places.iter().enumerate().map(|(place, name)| (place as f64, name.clone())).collect()
        };
        for (value, name) in marks {
            let anchor = if value >= right { "end" } else { "middle" };
            let _ = write!(
                out,
                "<text class=mark x={:.1} y={} text-anchor={anchor}>{name}</text>",
                x_at(value),
                HEIGHT - BOTTOM + 18.0
            );
        }
        let _ = write!(
            out,
            "<text class=axis x={} y={} text-anchor=middle>{}</text><text class=axis x={LEFT} y={} text-anchor=start>{}</text>",
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 8.0,
            self.x,
            TOP - 4.0,
            self.y
        );
        for (place, (name, points)) in self.series.iter().enumerate() {
            let colour = place % COLOURS;
            let path: Vec<_> =
                points.iter().map(|(x, y)| format!("{:.1},{:.1}", x_at(*x), scale.at(*y))).collect();
            let _ = write!(out, "<polyline class=\"line c{colour}\" points=\"{}\" />", path.join(" "));
            if points.len() <= 12 {
                for (x, y) in points {
                    let _ = write!(
                        out,
                        "<circle class=\"dot c{colour}\" cx={:.1} cy={:.1} r=3.5><title>{}: {}</title></circle>",
                        x_at(*x),
                        scale.at(*y),
                        escaped(name),
                        number(*y)
                    );
                }
            }
        }
        out.push_str("</svg>");
        out + &key(self.series.iter().map(|(name, _)| name.as_str()))
    }
}

/// Bars that lie, each in pieces.
pub struct Bars {
    pub title: String,
    /// Names of the pieces.
    pub pieces: Vec<String>,
    /// Name of each bar and its pieces.
    pub bars: Vec<(String, Vec<f64>)>,
}

impl Bars {
    /// The plot with its key; empty when there is nothing to show.
    pub fn svg(&self) -> String {
        const ROW: f64 = 24.0;
        const NAMES: f64 = 150.0;
        let sums = self.bars.iter().map(|(_, pieces)| pieces.iter().sum::<f64>());
        let longest = sums.fold(0.0, f64::max);
        if longest <= 0.0 {
            return String::new();
        }
        let mut out = frame(&self.title, TOP + ROW * self.bars.len() as f64 + 8.0);
        let width = WIDTH - NAMES - 60.0;
        for (row, (name, pieces)) in self.bars.iter().enumerate() {
            let (y, mut x) = (TOP + ROW * row as f64, NAMES);
            let _ = write!(
                out,
                "<text class=mark x={} y={} text-anchor=end>{}</text>",
                NAMES - 8.0,
                y + 15.0,
                escaped(name)
            );
            for (place, piece) in pieces.iter().enumerate() {
                let long = piece / longest * width;
                let _ = write!(
                    out,
                    "<rect class=\"bar c{}\" x={x:.1} y={y} width={long:.1} height={}><title>{}: {}</title></rect>",
                    place % COLOURS,
                    ROW - 7.0,
                    escaped(&self.pieces[place]),
                    number(*piece)
                );
                x += long;
            }
            let sum = number(pieces.iter().sum());
            let _ = write!(out, "<text class=mark x={:.1} y={}>{sum}</text>", x + 6.0, y + 15.0);
        }
        out.push_str("</svg>");
        out + &key(self.pieces.iter().map(String::as_str))
    }
}

fn frame(title: &str, height: f64) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=img aria-label=\"{0}\"><text class=title x=0 y=16>{0}</text>",
        escaped(title)
    )
}

fn key<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let items = names
        .enumerate()
        .map(|(place, name)| format!("<span><i class=\"c{}\"></i>{}</span>", place % COLOURS, escaped(name)));
    format!("<div class=key>{}</div>", items.collect::<String>())
}

/// From a value to its height.
struct Scale {
    log: bool,
    low: f64,
    high: f64,
}

impl Scale {
    fn new(log: bool, least: f64, most: f64) -> Self {
        if log {
            let low = least.max(1e-6).log10().floor();
            Self { log, low, high: most.log10().ceil().max(low + 1.0) }
        } else {
            let last = steps(most).last().copied().unwrap_or(most);
            Self { log, low: 0.0, high: last.max(most) }
        }
    }

    fn at(&self, value: f64) -> f64 {
        let value = if self.log { value.max(1e-6).log10() } else { value };
        let share = (value - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
    }

    fn marks(&self) -> Vec<f64> {
        if self.log {
            (self.low as i32..=self.high as i32).map(|power| 10_f64.powi(power)).collect()
        } else {
            steps(self.high)
        }
    }
}

/// Four to eight round numbers from 0 to `most`.
fn steps(most: f64) -> Vec<f64> {
    let rough = most / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(power);
    (0..=8).map(|count| f64::from(count) * step).take_while(|value| *value <= most * 1.0001).collect()
}

/// `20k` for 20,000.
fn short(value: f64) -> String {
    let trimmed = |value: f64| {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match value {
        value if value >= 1e6 => format!("{}M", trimmed(value / 1e6)),
        value if value >= 1e3 => format!("{}k", trimmed(value / 1e3)),
        value => trimmed(value),
    }
}

/// Text that may stand in HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
