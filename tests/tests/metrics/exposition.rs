//! A strict reader of the Prometheus text format 0.0.4: what a scraper might forgive, it refuses.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::collections::BTreeMap;

/// The samples of one family, by series as spelt: `name{label="value"}`.
#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    pub samples: BTreeMap<String, f64>,
}

/// Families by name.
pub type Families = BTreeMap<String, Family>;

/// One line of samples.
struct Sample<'t> {
    name: &'t str,
    labels: Vec<(&'t str, String)>,
    series: &'t str,
    value: f64,
}

/// Reads a whole text.
pub fn parse(text: &str) -> Result<Families, String> {
    let mut families = Families::new();
    let text = text.strip_suffix('\n').ok_or("the last line does not end")?;
    let mut lines = text.split('\n').peekable();
    while let Some(help) = lines.next() {
        let (name, help) = described(help, "HELP")?;
        let (typed, kind) = described(lines.next().unwrap_or_default(), "TYPE")?;
        if typed != name || help.is_empty() || !["counter", "gauge", "histogram"].contains(&kind) {
            return Err(format!("{name}: '{help}', then {typed}: '{kind}'"));
        }
        if (kind == "counter") != name.ends_with("_total") {
            return Err(format!("{name} is a {kind}"));
        }
        let mut samples = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            samples.push(sample(line)?);
        }
        check(name, kind, &samples).map_err(|error| format!("{name}: {error}"))?;
        let mut family = Family { kind: kind.to_owned(), samples: BTreeMap::new() };
        for Sample { series, value, .. } in samples {
            if family.samples.insert(series.to_owned(), value).is_some() {
                return Err(format!("{series} is there twice"));
            }
        }
        if families.insert(name.to_owned(), family).is_some() {
            return Err(format!("{name} is there twice"));
        }
    }
    Ok(families)
}

fn described<'t>(line: &'t str, word: &str) -> Result<(&'t str, &'t str), String> {
    let rest = line.strip_prefix("# ").and_then(|rest| rest.strip_prefix(word)?.strip_prefix(' '));
    let (name, rest) = rest.and_then(|rest| rest.split_once(' ')).ok_or_else(|| format!("no {word}: {line}"))?;
    if is_name(name) { Ok((name, rest)) } else { Err(format!("no name: {line}")) }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn sample(line: &str) -> Result<Sample<'_>, String> {
    let refuse = || format!("no sample: {line}");
    let end = line.find(['{', ' ']).ok_or_else(refuse)?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").ok_or_else(refuse)?;
            let (value, after) = quoted(after).ok_or_else(refuse)?;
            if !is_name(label) || labels.iter().any(|(known, _)| *known == label) {
                return Err(refuse());
            }
            labels.push((label, value));
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => break rest = after.strip_prefix('}').ok_or_else(refuse)?,
            }
        }
    }
    let series = &line[..line.len() - rest.len()];
    let text = rest.strip_prefix(' ').filter(|text| !text.contains(' ')).ok_or_else(refuse)?;
    let value: f64 = text.parse().map_err(|_| refuse())?;
    if is_name(name) && value.is_finite() { Ok(Sample { name, labels, series, value }) } else { Err(refuse()) }
}

/// A label's value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(match chars.next()?.1 {
                'n' => '\n',
                other @ ('\\' | '"') => other,
                _ => return None,
            }),
            (_, other) => value.push(other),
        }
    }
}

fn check(name: &str, kind: &str, samples: &[Sample<'_>]) -> Result<(), String> {
    if samples.is_empty() {
        return Err("no samples".to_owned());
    }
    if let Some(sample) = samples.iter().find(|sample| kind != "gauge" && sample.value < 0.0) {
        return Err(format!("{} is negative", sample.series));
    }
    if kind == "histogram" {
        return histogram(name, samples);
    }
    match samples.iter().find(|sample| sample.name != name || sample.labels.iter().any(|(label, _)| *label == "le")) {
        Some(sample) => Err(format!("{} is of another family", sample.series)),
        None => Ok(()),
    }
}

/// Series by series: buckets by ascending bound with growing counts up to `+Inf`, the sum, the count, which is that of
/// the last bucket.
fn histogram(name: &str, samples: &[Sample<'_>]) -> Result<(), String> {
    let mut samples = samples.iter().peekable();
    while let Some(first) = samples.peek() {
        let of = first.labels[..first.labels.len().saturating_sub(1)].to_vec();
        let (mut bound, mut count) = (f64::NEG_INFINITY, 0.0);
        while bound < f64::INFINITY {
            let bucket = samples.next().filter(|sample| sample.name == format!("{name}_bucket"));
            let bucket = bucket.ok_or("a bucket is missing")?;
            let Some(("le", le)) = bucket.labels.last().map(|(label, value)| (*label, value.as_str())) else {
                return Err(format!("{} has no bound", bucket.series));
            };
            let le = if le == "+Inf" { f64::INFINITY } else { le.parse().map_err(|_| format!("bound {le}"))? };
            if le <= bound || bucket.value < count || bucket.labels[..bucket.labels.len() - 1] != of {
                return Err(format!("{} {} after {bound} {count}", bucket.series, bucket.value));
            }
            (bound, count) = (le, bucket.value);
        }
        for (suffix, wanted) in [("sum", None), ("count", Some(count))] {
            let sample = samples.next().filter(|sample| sample.name == format!("{name}_{suffix}"));
            let sample =
                sample.filter(|sample| sample.labels == of && wanted.is_none_or(|wanted| wanted == sample.value));
            sample.ok_or_else(|| format!("no {suffix} that fits {of:?}"))?;
        }
    }
    Ok(())
}

/// That nothing went backwards or away from one scrape to a later one.
pub fn grows(before: &Families, after: &Families) -> Result<(), String> {
    for (name, family) in before {
        let later = after.get(name).ok_or_else(|| format!("{name} is gone"))?;
        if later.kind != family.kind || !later.samples.keys().eq(family.samples.keys()) {
            return Err(format!("{name} has other series"));
        }
        let shrunk = family.samples.iter().find(|(series, value)| later.samples[*series] < **value);
        if let Some((series, value)) = shrunk.filter(|_| family.kind != "gauge") {
            return Err(format!("{series} was {value}, is {}", later.samples[series]));
        }
    }
    Ok(())
}

#[test]
fn what_is_wrong_is_refused() {
    const RIGHT: &str = "# HELP h Some.\n# TYPE h histogram\nh_bucket{a=\"\\\"\",le=\"1\"} 1\nh_bucket{a=\"\\\"\",le=\"+Inf\"} 3\n\
         h_sum{a=\"\\\"\"} 2.5\nh_count{a=\"\\\"\"} 3\n# HELP c_total More.\n# TYPE c_total counter\nc_total 1\n";
    let families = parse(RIGHT).unwrap();
    assert_eq!(families["h"].samples["h_sum{a=\"\\\"\"}"], 2.5);
    for (right, wrong) in [
        ("c_total 1\n", "c_total 1"),
        ("c_total 1\n", "c_total 1\n\n"),
        ("c_total 1\n", ""),
        ("c_total 1\n", "c_total 1\nc_total 1\n"),
        ("c_total 1\n", "c_total -1\n"),
        ("c_total 1\n", "c_total NaN\n"),
        ("c_total 1\n", "c_total  1\n"),
        ("c_total 1\n", "c_total{} 1\n"),
        ("c_total 1\n", "c_total{a=b} 1\n"),
        ("c_total 1\n", "c_total{a=\"b\",} 1\n"),
        ("c_total 1\n", "c_total{a=\"b\",a=\"c\"} 1\n"),
        ("c_total 1\n", "d_total 1\n"),
        ("c_total 1\n", "c_total 1\n# HELP h Some.\n# TYPE h gauge\nh 1\n"),
        ("# TYPE c_total counter\n", ""),
        ("# TYPE c_total counter\n", "# TYPE c_total gauge\n"),
        ("# HELP c_total More.\n", ""),
        ("# HELP c_total More.\n", "# HELP c_total \n"),
        ("le=\"+Inf\"", "le=\"2\""),
        ("le=\"1\"", "le=\"one\""),
        ("le=\"1\"} 1", "le=\"1\"} 4"),
        ("h_count{a=\"\\\"\"} 3", "h_count{a=\"\\\"\"} 4"),
        ("h_count{a=\"\\\"\"} 3", "h_count{a=\"b\"} 3"),
        ("h_sum{a=\"\\\"\"} 2.5\n", ""),
    ] {
        assert!(RIGHT.contains(right) && parse(&RIGHT.replacen(right, wrong, 1)).is_err(), "{right:?} -> {wrong:?}");
    }
    let later = |right: &str, wrong: &str| grows(&families, &parse(&RIGHT.replace(right, wrong)).unwrap());
    assert_eq!(later("c_total 1\n", "c_total 2\n"), Ok(()));
    assert!(later("c_total 1\n", "c_total 0\n").is_err() && later("c_total 1\n", "c_total{a=\"b\"} 1\n").is_err());
}
