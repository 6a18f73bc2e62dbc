//! The report as one page that needs nothing else: goals, plots, every figure, every configuration.

use std::fmt::Write as _;

use super::plot::{Bars, Lines, escaped};
use super::report::{Outcome, Report, number};
use super::scenarios::{CONNECTIONS, WINDOWS};

/// The page.
pub fn page(report: &Report) -> String {
    let mut out = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Tollgate: measured</title><style>{STYLE}</style><main><h1>Tollgate: measured</h1>"
    );
    out.push_str(&machine(report));
    out.push_str(&goals(report));
    out.push_str("<h2>Throughput by window and connections</h2><section>");
    let rate = |kind: &str| if kind == "through" { "messages_per_second" } else { "submits_per_second" };
    let most = |kinds: &[&str]| {
        let outcomes = report.scenarios.iter().filter(|o| kinds.iter().any(|kind| o.name.starts_with(kind)));
        outcomes.filter_map(|outcome| outcome.figure("submits_per_second")).reduce(f64::max)
    };
    // Accept and what is possible on the same scale.
    let shared = most(&["reference/", "accept/"]);
    for (kind, title, top) in [
        ("accept", "Accept: durable, charged, checked", shared),
        ("reference", "The reference: durable accept and nothing else", shared),
        ("through", "Through: client, gateway, operator, receipt, client", None),
    ] {
        out.push_str(&figure(&throughput(report, kind, rate(kind), title, top).svg()));
    }
    out.push_str("</section><h2>How long an answer takes</h2><section>");
    out.push_str(&figure(
        &latencies(
            report,
            "answer",
            "From submit_sm to its answer",
            &[
                "accept/1x1",
                "accept/1x100",
                "accept/4x100",
                "accept/64x100",
                "accept/4x1000",
                "through/4x100",
                "tls/accept",
            ],
        )
        .svg(),
    ));
    out.push_str(&figure(
        &latencies(
            report,
            "receipt",
            "From submit_sm to the receipt",
            &[
                "through/1x1",
                "through/4x100",
                "steady/1000",
                "steady/10000",
                "slow/none",
                "slow/one",
                "fairness/alone",
                "fairness/flood",
            ],
        )
        .svg(),
    ));
    out.push_str("</section><h2>What a message costs</h2><section>");
    out.push_str(&figure(&processor(report).svg()));
    out.push_str(&figure(&threads(report).svg()));
    out.push_str("</section><h2>Memory over time</h2><section>");
    out.push_str(&figure(
        &memory(report, "Of the gateway, while it works", &["memory", "owed", "history/through"]).svg(),
    ));
    out.push_str(&figure(
        &memory(
            report,
            "Of the gateway, in short runs",
            &["accept/4x1000", "through/4x100", "through/64x1000", "binds/busy", "upstreams/8"],
        )
        .svg(),
    ));
    out.push_str("</section><h2>Every figure</h2>");
    report.scenarios.iter().for_each(|outcome| detail(outcome, &mut out));
    out.push_str("</main></html>");
    out
}

fn machine(report: &Report) -> String {
    let m = &report.machine;
    let rows = [
        ("machine", format!("{} × {}, {} GiB", m.cores, m.processor, m.memory_gib)),
        ("system", format!("Linux {}, {}, {}", m.kernel, m.file_system, m.compiler)),
        ("disk", format!("a 4 KiB write with fdatasync takes {:.2} ms (p50), {:.2} ms (p99)", m.sync_p50_ms, m.sync_p99_ms)),
        ("commit", format!("{}{}, {} build", m.commit, if m.changed { " with changes" } else { "" }, m.profile)),
        ("run", format!(
            "{}, {} version{}, {} s, load average before {}",
            report.begun, report.mode, if report.complete { "" } else { ", not complete" }, number(report.seconds), m.load_average
        )),
        ("where", "load client, gateway and practice operators share the machine; everything is on: durable, charged, \
            credentials, rate limits, metrics, text logs".to_owned()),
    ];
    let rows = rows.iter().map(|(name, text)| format!("<tr><th>{name}<td>{}", escaped(text)));
    format!("<table class=facts>{}</table>", rows.collect::<String>())
}

fn goals(report: &Report) -> String {
    if report.goals.is_empty() {
        return String::new();
    }
    let mut out = "<h2>Goals and ratios</h2><table><tr><th>what<th>measured<th>wanted<th>".to_owned();
    for goal in &report.goals {
        let verdict = match goal.met {
            Some(true) => "<b class=good>met</b>",
            Some(false) => "<b class=bad>missed</b>",
            None => "",
        };
        let _ = write!(
            out,
            "<tr><td>{}<td class=number>{} {}<td>{}<td>{verdict}",
            escaped(&goal.name),
            number(goal.value),
            goal.unit,
            goal.wanted
        );
    }
    out + "</table>"
}

fn figure(plot: &str) -> String {
    if plot.is_empty() { String::new() } else { format!("<figure>{plot}</figure>") }
}

fn throughput(report: &Report, kind: &str, name: &str, title: &str, top: Option<f64>) -> Lines {
    let line = |connections: usize| {
        let at = |(place, window): (usize, usize)| {
            let outcome = report.outcome(&format!("{kind}/{connections}x{window}"))?;
            Some((place as f64, outcome.figure(name)?))
        };
        let plural = if connections == 1 { "" } else { "s" };
        (
            format!("{connections} connection{plural}"),
            WINDOWS.into_iter().enumerate().filter_map(at).collect::<Vec<_>>(),
        )
    };
    let series = CONNECTIONS.into_iter().map(line).filter(|(_, points)| !points.is_empty()).collect();
    let places = WINDOWS.iter().map(ToString::to_string).collect();
    Lines {
        title: title.to_owned(),
        places,
        x: "window of each connection",
        y: "messages a second",
        log: false,
        top,
        series,
    }
}

fn latencies(report: &Report, kind: &str, title: &str, names: &[&str]) -> Lines {
    const QUANTILES: [(&str, &str); 4] =
        [("p50", "50 %"), ("p90", "90 %"), ("p99", "99 %"), ("p999", "99.9 %")];
    let line = |name: &&str| {
        let outcome = report.outcome(name)?;
        let at = |(place, (quantile, _)): (usize, (&str, &str))| {
            Some((place as f64, outcome.figure(&format!("{kind}_{quantile}_ms"))?))
        };
        let points: Vec<_> = QUANTILES.into_iter().enumerate().filter_map(at).collect();
        (!points.is_empty()).then(|| ((*name).to_owned(), points))
    };
    Lines {
        title: title.to_owned(),
        places: QUANTILES.iter().map(|(_, shown)| (*shown).to_owned()).collect(),
        x: "so many are faster",
        y: "milliseconds",
        log: true,
        top: None,
        series: names.iter().filter_map(line).collect(),
    }
}

/// Scenarios whose costs are compared.
const COSTS: [&str; 12] = [
    "reference/4x100",
    "accept/1x100",
    "accept/4x100",
    "accept/64x100",
    "tls/accept",
    "text/accept-3-part",
    "through/1x100",
    "through/4x100",
    "through/64x100",
    "tls/through",
    "upstreams/8",
    "history/through",
];

fn processor(report: &Report) -> Bars {
    let bar = |name: &str| {
        let outcome = report.outcome(name)?;
        let of = |who: &str| outcome.figure(&format!("{who}_us_per_message")).unwrap_or(0.0);
        outcome.figure("gateway_us_per_message")?;
        Some((name.to_owned(), vec![of("gateway"), of("operators"), of("clients")]))
    };
    Bars {
        title: "Processor time of a message, µs".to_owned(),
        pieces: ["gateway", "operators", "clients"].map(str::to_owned).into(),
        bars: COSTS.into_iter().filter_map(bar).collect(),
    }
}

/// The gateway's threads: the writer, the sessions, the rest.
fn threads(report: &Report) -> Bars {
    let bar = |name: &str| {
        let outcome = report.outcome(name)?;
        let of = |part: &str| {
            let spent =
                outcome.summary.iter().filter(|(name, _)| name.starts_with("thread_") && name.contains(part));
            spent.map(|(_, spread)| spread.median).sum::<f64>()
        };
        let (writer, sessions) = (of("store_writer"), of("tokio"));
        let rest = outcome.figure("gateway_us_per_message")? - writer - sessions;
        Some((name.to_owned(), vec![writer, sessions, rest.max(0.0)]))
    };
    Bars {
        title: "The gateway's part of it by thread, µs".to_owned(),
        pieces: ["store writer", "sessions", "history and others"].map(str::to_owned).into(),
        bars: COSTS.into_iter().filter(|name| !name.starts_with("reference")).filter_map(bar).collect(),
    }
}

fn memory(report: &Report, title: &str, names: &[&str]) -> Lines {
    let line = |name: &&str| {
        let points = &report.outcome(name)?.memory;
        let mib = |(at, octets): &(f64, u64)| (*at, *octets as f64 / 1_048_576.0);
        (!points.is_empty()).then(|| ((*name).to_owned(), points.iter().map(mib).collect()))
    };
    let series = names.iter().filter_map(line).collect();
    Lines {
        title: title.to_owned(),
        places: Vec::new(),
        x: "seconds",
        y: "MiB in RAM",
        log: false,
        top: None,
        series,
    }
}

fn detail(outcome: &Outcome, out: &mut String) {
    let bad = if outcome.failures.is_empty() { "" } else { " class=bad" };
    let _ = write!(
        out,
        "<details><summary><b{bad}>{}</b> {} <small>{}</small></summary>",
        escaped(&outcome.name),
        escaped(&outcome.about),
        escaped(&outcome.headline())
    );
    for failure in &outcome.failures {
        let _ = write!(out, "<p class=bad>{}", escaped(failure));
    }
    out.push_str("<table><tr><th>figure<th>median<th>least<th>most");
    for (name, spread) in &outcome.summary {
        let cells = [spread.median, spread.min, spread.max]
            .map(|value| format!("<td class=number>{}", number(value)));
        let _ = write!(out, "<tr><td>{}{}", name.replace('_', " "), cells.concat());
    }
    out.push_str("</table>");
    if !outcome.commands.is_empty() {
        let _ = write!(out, "<pre>{}</pre>", escaped(&outcome.commands.join("\n")));
    }
    if !outcome.config.is_empty() {
        let _ = write!(out, "<pre>{}</pre>", escaped(&outcome.config));
    }
    out.push_str("</details>");
}

const STYLE: &str = "
:root{color-scheme:light dark;--back:#fff;--text:#1d2330;--soft:#667085;--rule:#e4e7ec;--box:#f9fafb;--good:#067647;--bad:#b42318;
--c0:#1f6feb;--c1:#d9622b;--c2:#2a9d62;--c3:#8a4fd3;--c4:#c2337a;--c5:#0e8f9c;--c6:#a8850c;--c7:#66707f}
@media(prefers-color-scheme:dark){:root{--back:#12161d;--text:#e6e9ef;--soft:#98a2b3;--rule:#2a313c;--box:#191f28;--good:#5fd39a;
--bad:#ff8a7a;--c0:#6ba6ff;--c1:#ff9a63;--c2:#5fd39a;--c3:#bd93f9;--c4:#ff7fb8;--c5:#4fd1dc;--c6:#e3c14a;--c7:#9aa4b2}}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}main{max-width:1120px;margin:auto;padding:2rem 1.2rem}
h1{font-size:1.6rem;margin:0 0 1rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}section{display:grid;gap:1rem;
grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr))}figure{margin:0;padding:.8rem;background:var(--box);border:1px solid var(--rule);
border-radius:8px}svg{width:100%;height:auto;display:block}table{border-collapse:collapse;font-size:.92rem}th,td{text-align:left;padding:.22rem .9rem .22rem 0;
border-bottom:1px solid var(--rule);vertical-align:top}.facts th{color:var(--soft);font-weight:500}.number{text-align:right;font-variant-numeric:tabular-nums}
.title{font:600 14px system-ui;fill:var(--text)}.axis,.mark{font:11px system-ui;fill:var(--soft)}.grid{stroke:var(--rule)}.line{fill:none;stroke-width:2}
.key{display:flex;flex-wrap:wrap;gap:.2rem .9rem;font-size:.82rem;color:var(--soft)}.key i{display:inline-block;width:.7rem;height:.7rem;border-radius:2px;margin-right:.35rem}
.good{color:var(--good)}.bad{color:var(--bad)}details{border-bottom:1px solid var(--rule);padding:.35rem 0}summary{cursor:pointer}small{color:var(--soft)}
pre{background:var(--box);border:1px solid var(--rule);border-radius:6px;padding:.7rem;overflow:auto;font-size:.8rem}
.c0{stroke:var(--c0);fill:var(--c0);background:var(--c0)}.c1{stroke:var(--c1);fill:var(--c1);background:var(--c1)}.c2{stroke:var(--c2);fill:var(--c2);background:var(--c2)}
.c3{stroke:var(--c3);fill:var(--c3);background:var(--c3)}.c4{stroke:var(--c4);fill:var(--c4);background:var(--c4)}.c5{stroke:var(--c5);fill:var(--c5);background:var(--c5)}
.c6{stroke:var(--c6);fill:var(--c6);background:var(--c6)}.c7{stroke:var(--c7);fill:var(--c7);background:var(--c7)}.line.c0,.line.c1,.line.c2,.line.c3,.line.c4,.line.c5,.line.c6,.line.c7{fill:none}
.bar{stroke:none}";
